"""Which words of a sentence are negated, doubtful, planned, stopped, or about somebody else, and why.

Each cue of the table gives its attribute to the words after or before it, up to the end of its clause.
The result is a set of attributes for each token; nothing here decides whether a sentence is shown.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clinical.domain.gate.reach import (
    backward,
    cues_by_first_word,
    ends_passive,
    forward,
    has_object,
    is_date,
    is_light,
    restarts,
)
from clinical.domain.lexicon.tables import (
    family_words,
    number_words,
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
_TELLING = word_list("telling")
_OF_RELATIVE = word_list("said_of_relative")
_MEDIUM_REACH = frozenset({"uncertain", "past", "history"})
_ADJECTIVES = frozenset({"previous", "prior", "former", "ex"})  # said of the next noun only
_ADJECTIVE_REACH = 3
_PARTICIPLE = 4
_PHRASE = 3
_BEFORE = 8
_WORRIES = frozenset({"concern", "concerns", "question", "questions", "worries"})
_NOT_VERBS = frozenset({"and", "or", "who", "is", "are", "was", "in", "at", "on", "with", "of", "to", "by", "for"})
_LINKS = frozenset({"related", "caused", "linked", "associated", "attributed", "explained", "triggered"})
_AFFECTS = frozenset({"affects", "affected", "affecting"})
_STARTS = frozenset(
    {"started", "began", "begun", "onset", "start", "starting", "developed", "commenced", "noticed", "since"}
)
_PLANNED = frozenset({"planned", "scheduled", "recommended", "requested"})
_TOLD = frozenset({"offered", "advised", "suggested", "recommended", "requested"})
_ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "continued", "changed"})

_PERIODS = frozenset({"day", "week", "month", "year", "hour", "few", "couple", "several", "decade"})
_DECLINED = (("declined",), ("refused",))
_RESULTS = (("negative",), ("nil",), ("absent",))
_UNSURE = {"planned": "planned-too"}  # "was stopped and should be restarted": both are told
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
            _apply_relative(who, words, at, given, cue_tokens)
            said[f"family:{who}"] += 1
    return given, cue_tokens, phrases, said


def _apply_order(words: Sequence[Token], at: int, given: Attributes) -> None:
    for place in range(at, len(words)):
        if words[place].low in {";", "."}:
            break
        given[place].add("order")


def _cue_at(words: Sequence[Token], at: int) -> CuePhrase | None:
    fitting: list[CuePhrase] = []
    for cue in cues_by_first_word().get(words[at].low, ()):
        if fitting and len(cue.words) < len(fitting[0].words):
            break
        if tuple(word.low for word in words[at : at + len(cue.words)]) == cue.words and _fits(cue, words, at):
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


def _fits(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """After a colon or comma a word answers only if nothing follows: "Rash: no." but "X-ray: no effusion"."""
    last = at + len(cue.words)
    if cue.words == ("going", "to") and at and words[at - 1].low == "been":
        return False  # "has been going to therapy"
    if cue.words == ("ago",):  # "started 4 days ago" is not over
        return not _STARTS & {word.low for word in words[max(at - _BEFORE, 0) : at]}
    if cue.words == ("before",) and last < len(words):  # "never before" ends a statement, "before lunch" does not
        return words[last].low in {".", ",", ";", ")"}
    if cue.words == ("in", "the", "past") and last < len(words):  # "in the past year" is a period
        low = words[last].low
        return not (low[0].isdigit() or low.removesuffix("s") in _PERIODS or low in number_words())
    return (
        len(cue.words) > 2
        or cue.words[0] not in {":", ","}
        or last >= len(words)
        or not words[last].is_word
        or is_date(words, last)
    )


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
    if direction == "backward" and attribute == "negated" and any("negated" in given[place] for place, _ in places):
        said["double-negative"] += 1
    entry = cue.words == ("ordered",) and direction == "backward" and words[at - 1].low not in _COPULA
    for place, certain in places:
        # An entry of an order list was ordered, and so perhaps taken.
        given[place].add(attribute if certain and not entry else _UNSURE.get(attribute, "unclear"))
    lows = {words[place].low for place, _ in places}
    if attribute == "negated" and all(is_light(words[place]) for place, _ in places) and not lows & {"up", "down"}:
        said["empty-negative"] += 1


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
        return (
            following[:1] == ["be"]
            and following[1:2] != []
            and following[1].endswith(("ed", "en", "wn"))
            and following[1] not in _LINKS  # "the tiredness may be related to stress" does not doubt the tiredness
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


def _apply_relative(who: str, words: Sequence[Token], at: int, given: Attributes, cue_tokens: set[int]) -> None:
    cue_tokens.add(at)
    attribute = f"family:{who}"
    before = words[at - 1].low if at else ""
    before2 = words[at - 2].low if at > 1 else ""
    if before2 in {"in", "of"} | _AFFECTS or before in {"in", "("}:
        for place, _ in backward(words, at, 12, attribute):
            given[place].add(attribute)
        return
    reach_from = _told_of(words, at)
    if reach_from is None:
        return
    for place in range(reach_from, len(words)):
        low = words[place].low
        if low in {";", ".", "but", "she", "he", "patient", "who"}:
            break
        if low in {",", "and"} and restarts(words, place + 1):
            break
        if place > reach_from and low.removesuffix("'s") in family_words():
            break
        given[place].add(attribute)


def _told_of(words: Sequence[Token], at: int) -> int | None:
    """Return where what is said of a relative begins, None where the relative only tells or helps."""
    following = [word.low for word in words[at + 1 : at + 5]]
    before = words[at - 1].low if at else ""
    if words[at].low.endswith("'s") or words[at].low in {"maternal", "paternal"}:
        return at + 1
    if following[:2] == [",", "who"] and len(following) > 2 and following[2] not in _TELLING:
        return at + 3  # "her husband, who will drive her home"
    informs = following[:1] == ["of"] and before in {"", ".", ";"}  # "Mother of 14-month-old Leo calling"
    if informs or any(low in _TELLING for low in following[:2]) or _WORRIES & set(following):
        return None
    subject = at == 1 and before in {"his", "her", "their", "the"}  # "His mother wets the bed"
    if subject and following and following[0].isalpha() and following[0] not in _NOT_VERBS:
        return at + 1
    said = any(low in _OF_RELATIVE or (len(low) > _PARTICIPLE and low.endswith("ed")) for low in following[:2])
    listed = before in {"", ",", ";", "and", ":"} and bool(following)  # in notes also "Father gout, sister asthma"
    return at + 1 if said or listed else None
