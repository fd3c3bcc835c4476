"""Which words of a sentence are negated, doubtful, planned, stopped, or about somebody else, and why.

Each cue of the table gives its attribute to the words after or before it, up to the end of its clause.
The result is a set of attributes for each token; nothing here decides whether a sentence is shown.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clinical.domain.gate.cue_fits import fits
from clinical.domain.gate.professions import professions
from clinical.domain.gate.reach import (
    backward,
    cues_by_first_word,
    ends_passive,
    forward,
    has_object,
    is_date,
    is_light,
)
from clinical.domain.gate.relatives import apply_relative
from clinical.domain.lexicon.tables import (
    family_words,
    word_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clinical.domain.lexicon.tables import CuePhrase
    from clinical.domain.lexicon.words import Token

_ORDERS = word_list("orders")
_BE = frozenset({"is", "are", "was", "were", "been", "be", "being", "got", "has", "have", "had", "then", "also", "to"})
_COPULA = frozenset({"is", "are", "was", "were", "been", "be", "being"})
_HELPING = frozenset(
    {"has", "have", "had", "did", "does", "do", "will", "would", "should", "may", "can", "he", "she", "they"}
)
_MEDIUM_REACH = frozenset({"uncertain", "past", "history"})
_ADJECTIVES = frozenset({"previous", "prior", "former", "ex"})  # said of the next noun only
_ADJECTIVE_REACH = 3
_PHRASE = 3
_LINKS = frozenset({"related", "caused", "linked", "associated", "attributed", "explained", "triggered"})
_PLANNED = word_list("planned_participles")
_TOLD = word_list("told_participles")
_ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "continued", "changed"})

_DECLINED = (("declined",), ("refused",))
_RESULTS = (("negative",), ("nil",), ("absent",))
_UNSURE = {"planned": "planned-too"}  # "was stopped and should be restarted": both are told
_TELLS = word_list("verbs") | word_list("auxiliaries") | word_list("past_verbs")
_TO_DO = (word_list("orders") | word_list("to_do")) - word_list("goes_on_doing")
_WILL = frozenset({"will", "is", "are", "to", "would", "should", "may"})
_ED = 4
_MODALS = frozenset({"may", "might", "could"})
_ADVERBS = frozenset({"also", "now", "then", "soon", "probably", "likely", "later", "first", "again", "not"})

Attributes = list[set[str]]


def attributes_of(
    words: Sequence[Token], hidden: Callable[[int], bool]
) -> tuple[Attributes, set[int], set[int], Counter[str]]:
    """Return the attributes of each token, which tokens are cues, which of them phrases, and what the cues say.

    `hidden` tells tokens that belong to a date or number, which are never cues.
    """
    given: Attributes = [set() for _ in words]
    cue_tokens: set[int] = set()
    phrases: set[int] = set()
    said: Counter[str] = Counter()
    at = 0
    while at < len(words):
        if words[at].low in _ORDERS and (at == 0 or words[at - 1].low in {";", ":", "."}):
            said["order"] += 1
            _apply_order(words, at, given)
        if words[at].low == "to" and _is_instruction(words, at):
            _apply_instruction(words, at, given)
            said["planned"] += 1
        cue = None if hidden(at) else _cue_at(words, at)
        if cue is None:
            at += 1
            continue
        if cue.attribute == "negated" and "negated" in given[at]:
            said["double-negative"] += 1
        _apply(cue, words, at, given, cue_tokens, said)
        said[cue.attribute] += 1
        if len(cue.words) >= _PHRASE and cue.attribute.startswith("family"):
            phrases.update(range(at, at + len(cue.words)))
        at += len(cue.words)
    for at, word in enumerate(words):
        who = family_words().get(word.low.removesuffix("'s"))
        if who is not None:
            apply_relative(who, words, at, given, cue_tokens)
            said[f"family:{who}"] += 1
    return given, cue_tokens, phrases, said


def _apply_order(words: Sequence[Token], at: int, given: Attributes) -> None:
    for place in range(at, len(words)):
        if words[place].low in {";", "."}:
            break
        given[place].add("order")


def _is_instruction(words: Sequence[Token], at: int) -> bool:
    """Return whether "to" says what somebody is to do, in a note without a verb: "Dietitian to see"."""
    if at == 0 or at + 1 >= len(words) or words[at + 1].low not in _TO_DO:
        return False
    if words[at - 1].low == ":":
        return True  # "GP rang back: to start doxycycline"
    if not words[at - 1].is_word:
        return False
    before = words[_start(words, at) : at]
    return not any(word.low in _TELLS or (word.low.endswith(("ed", "ing")) and len(word.low) > _ED) for word in before)


def _start(words: Sequence[Token], at: int) -> int:
    return next((place + 1 for place in range(at - 1, -1, -1) if words[place].low in {".", ";", ",", ":"}), 0)


def _apply_instruction(words: Sequence[Token], at: int, given: Attributes) -> None:
    list_of_orders = words[at - 1].low == ":"
    for place in range(_start(words, at), len(words)):
        if place > at and words[place].low in ({";", "."} if list_of_orders else {";", ".", ","}):
            break
        given[place].add("planned")


def _cue_at(words: Sequence[Token], at: int) -> CuePhrase | None:
    fitting: list[CuePhrase] = []
    for cue in cues_by_first_word().get(words[at].low, ()):
        if fitting and len(cue.words) < len(fitting[0].words):
            break
        if tuple(word.low for word in words[at : at + len(cue.words)]) == cue.words and fits(cue, words, at):
            fitting.append(cue)
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    # The same words look both ways (negative, likely, ordered): what stands before decides.
    before = next((word.low for word in reversed(words[:at]) if word.low not in _ADVERBS), "")
    last = at + len(fitting[0].words)
    backward = before in _COPULA | {":", "came", "returned", "test"} or _ends(words, last) or is_date(words, last)
    backward = backward or (fitting[0].words[-1] in _TOLD and not has_object(words, last))
    wanted = "backward" if backward else "forward"
    return next((cue for cue in fitting if cue.direction == wanted), fitting[0])


def _ends(words: Sequence[Token], at: int) -> bool:
    return at >= len(words) or words[at].low in {".", ";"}


def _apply(
    cue: CuePhrase,
    words: Sequence[Token],
    at: int,
    given: Attributes,
    cue_tokens: set[int],
    said: Counter[str],
) -> None:
    last = at + len(cue.words)
    cue_tokens.update(range(at, last))
    if cue.attribute == "none":
        return
    direction = _direction(cue, words, at)
    if cue.attribute in given[at] and cue.attribute == "negated":
        return
    attribute = _flipped(cue.attribute, given[at])
    reach = (
        _ADJECTIVE_REACH
        if cue.words[-1] in _ADJECTIVES
        else 10
        if cue.attribute in _MEDIUM_REACH
        else 20
        if cue.attribute in _ACTIONS
        else 40
    )
    places: list[tuple[int, bool]] = []
    if direction == "forward":
        places += forward(words, last, reach, cue)
    if direction == "backward" or _looks_back_too(cue, words, at, places):
        places += backward(words, at, reach, cue.attribute)
    if attribute == "planned" and cue.words[0] in _WILL and at and words[at - 1].low in professions():
        given[at - 1].add("planned")  # "the dietitian will see her"
    if direction == "backward" and attribute == "negated" and any("negated" in given[place] for place, _ in places):
        said["double-negative"] += 1
    if cue.words[0] == "if":
        places = _before_condition(places, at, given)
    entry = cue.words == ("ordered",) and direction == "backward" and words[at - 1].low not in _COPULA
    for place, certain in places:
        # An entry of an order list was ordered, and so perhaps taken.
        given[place].add(attribute if certain and not entry else _UNSURE.get(attribute, "unclear"))
    lows = {words[place].low for place, _ in places}
    if attribute == "negated" and all(is_light(words[place]) for place, _ in places) and not lows & {"up", "down"}:
        said["empty-negative"] += 1


def _before_condition(places: list[tuple[int, bool]], at: int, given: Attributes) -> list[tuple[int, bool]]:
    """What stands before its condition is planned: "bloods again if no better"; return the places of the condition."""
    for place, _ in places:
        if place < at:
            given[place].add("planned")
    return [one for one in places if one[0] >= at]


def _direction(cue: CuePhrase, words: Sequence[Token], at: int) -> str:
    """Return which way a cue looks here."""
    last = at + len(cue.words)
    direction = cue.direction
    if cue.words in _DECLINED and not has_object(words, last):
        direction = "backward"  # "a transfusion was offered but he declined"
    if cue.words in _RESULTS and not has_object(words, last):
        direction = "backward"  # "urine dip negative"
    if cue.attribute == "planned" and cue.words[-1] in _PLANNED and not has_object(words, last):
        direction = "backward"  # "a scan is tentatively planned"
    if cue.attribute == "planned" and cue.words[-1] in _TOLD and has_object(words, last):
        direction = "forward"  # "was offered an iron infusion"
    if direction == "both":
        direction = "backward" if at and words[at - 1].low in _BE and not has_object(words, last) else "forward"
        if direction == "forward" and not has_object(words, last):
            direction = "backward"
    return direction


def _looks_back_too(cue: CuePhrase, words: Sequence[Token], at: int, ahead: list[tuple[int, bool]]) -> bool:
    """A passive speaks of its subject: "aspirin was not taken", "lisinopril will be increased"."""
    last = at + len(cue.words)
    following = [word.low for word in words[last : last + 3] if word.low not in _ADVERBS]
    if cue.attribute == "planned":
        return "be" in {cue.words[-1], *following[:1]}
    if cue.words[0] in _MODALS:  # "a scan may be needed"
        following = following if cue.words[-1] != "be" else ["be", *following]
        return (
            following[:1] == ["be"]
            and following[1:2] != []
            and following[1].endswith(("ed", "en", "wn"))
            and following[1] not in _LINKS  # "the tiredness may be related to stress" does not doubt the tiredness
        )
    if cue.words[0] == "if":  # "bloods again if no better": no verb tells that it was done
        return at > 0 and not any(
            word.low in _TELLS or word.low.endswith("ed") for word in words[_start(words, at) : at]
        )
    if cue.attribute != "negated" or not (
        cue.words[0] in {"not", "never"} or cue.words[0].endswith("n't") or "not" in cue.words[-2:]
    ):
        return False
    passive = at and (
        words[at - 1].low in _COPULA
        or cue.words[-1] == "be"
        or bool({"been", "be"} & {word.low for word in words[last : last + 2]})
        or (last < len(words) and words[at - 1].low not in _HELPING and ends_passive(words, last))
    )
    if not passive:
        return False
    reached = [place for place, _ in ahead if words[place].low not in _BE | {"yet", "being"}]
    return all(is_light(words[place]) or ends_passive(words, place) for place in reached[:1])


def _flipped(attribute: str, already: set[str]) -> str:
    """An action that is itself negated ("was not stopped") is recorded as not done."""
    return "not-" + attribute if attribute in _ACTIONS and "negated" in already else attribute
