"""Which words of a sentence are negated, doubtful, planned, stopped, or about somebody else, and why.

Each cue of the table gives its attribute to the words after or before it, up to the end of its clause.
The result is a set of attributes for each token; nothing here decides whether a sentence is shown.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.dates import MONTHS
from clinical.domain.lexicon.tables import (
    CuePhrase,
    cue_phrases,
    family_words,
    light_stems,
    light_words,
    number_words,
    word_list,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clinical.domain.lexicon.words import Token

_HARD = word_list("clause_ends")
_ORDERS = word_list("orders")
_SUBJECTS = word_list("subjects")
_VERBS = word_list("verbs")
_STATES = word_list("states")
_BE = frozenset({"is", "are", "was", "were", "been", "be", "being", "got", "has", "have", "had", "then", "also", "to"})
_COPULA = frozenset({"is", "are", "was", "were", "been", "be", "being"})
_TELLING = word_list("telling")
_OF_RELATIVE = word_list("said_of_relative")
_MEDIUM_REACH = frozenset({"uncertain", "past", "history"})
_ADJECTIVES = frozenset({"previous", "prior", "former", "ex"})  # said of the next noun only
_ADJECTIVE_REACH = 3
_CLAUSE = 8
_ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "continued", "changed"})

_PERIODS = frozenset({"day", "week", "month", "year", "hour", "few", "couple", "several", "decade"})
_RESULTS = (("negative",), ("nil",), ("absent",))
_UNSURE = {"planned": "planned-too"}  # "was stopped and should be restarted": both are told
_MODALS = frozenset({"may", "might", "could"})
_ADVERBS = frozenset({"also", "now", "then", "soon", "probably", "likely", "later", "first", "again", "not"})

Attributes = list[set[str]]


def attributes_of(words: Sequence[Token], hidden: Callable[[int], bool]) -> tuple[Attributes, set[int], Counter[str]]:
    """Return the attributes of each token, which tokens are cues, and what the cues say.

    `hidden` tells tokens that belong to a date or number, which are never cues.
    """
    given: Attributes = [set() for _ in words]
    cue_tokens: set[int] = set()
    said: Counter[str] = Counter()
    at = 0
    while at < len(words):
        if words[at].low in _ORDERS and (at == 0 or words[at - 1].low in {";", ":", "."}):
            said["order"] += 1
            for place in range(at, len(words)):
                if words[place].low in {";", "."}:
                    break
                given[place].add("order")
        cue = None if hidden(at) else _cue_at(words, at)
        if cue is None:
            at += 1
            continue
        if cue.attribute == "negated" and "negated" in given[at]:
            said["double-negative"] += 1
        _apply(cue, words, at, given, cue_tokens, said)
        said[cue.attribute] += 1
        at += len(cue.words)
    for at, word in enumerate(words):
        who = family_words().get(word.low.removesuffix("'s"))
        if who is not None:
            _apply_relative(who, words, at, given, cue_tokens)
            said[f"family:{who}"] += 1
    return given, cue_tokens, said


@cache
def _cues_by_first_word() -> dict[str, tuple[CuePhrase, ...]]:
    by_first: dict[str, list[CuePhrase]] = {}
    for cue in cue_phrases():
        by_first.setdefault(cue.words[0], []).append(cue)
    return {first: tuple(sorted(cues, key=lambda cue: -len(cue.words))) for first, cues in by_first.items()}


def _cue_at(words: Sequence[Token], at: int) -> CuePhrase | None:
    fitting: list[CuePhrase] = []
    for cue in _cues_by_first_word().get(words[at].low, ()):
        if fitting and len(cue.words) < len(fitting[0].words):
            break
        if tuple(word.low for word in words[at : at + len(cue.words)]) == cue.words and _fits(cue, words, at):
            fitting.append(cue)
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    # The same words look both ways (negative, likely, ordered): what stands before decides.
    before = words[at - 1].low if at else ""
    last = at + len(fitting[0].words)
    backward = before in _COPULA | {":", "came", "returned", "test"} or last == len(words) or _is_date(words, last)
    wanted = "backward" if backward else "forward"
    return next((cue for cue in fitting if cue.direction == wanted), fitting[0])


def _fits(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """After a colon or comma a word answers only if nothing follows: "Rash: no." but "X-ray: no effusion"."""
    last = at + len(cue.words)
    if cue.words == ("in", "the", "past") and last < len(words):  # "in the past year" is a period
        low = words[last].low
        return not (low[0].isdigit() or low.removesuffix("s") in _PERIODS or low in number_words())
    return len(cue.words) > 2 or cue.words[0] not in {":", ","} or last >= len(words) or not words[last].is_word or _is_date(words, last)


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
    direction = cue.direction
    if cue.words in _RESULTS and not _has_object(words, last):
        direction = "backward"  # "urine dip negative"
    if direction == "both":
        direction = "backward" if at and words[at - 1].low in _BE and not _has_object(words, last) else "forward"
        if direction == "forward" and not _has_object(words, last):
            direction = "backward"
    if cue.attribute in given[at] and cue.attribute == "negated":
        return
    attribute = _flipped(cue.attribute, given[at])
    reach = _ADJECTIVE_REACH if cue.words[-1] in _ADJECTIVES else 10 if cue.attribute in _MEDIUM_REACH else 20 if cue.attribute in _ACTIONS else 40
    places: list[tuple[int, bool]] = []
    if direction == "forward":
        places += _forward(words, last, reach, cue)
    if direction == "backward" or _looks_back_too(cue, words, at, places):
        places += _backward(words, at, reach, cue.attribute)
    if direction == "backward" and attribute == "negated" and any("negated" in given[place] for place, _ in places):
        said["double-negative"] += 1
    if cue.words == ("ordered",) and direction == "backward" and words[at - 1].low not in _COPULA:
        places = [(place, False) for place, _ in places]  # an entry of an order list: ordered, and so perhaps taken
    for place, certain in places:
        given[place].add(attribute if certain else _UNSURE.get(attribute, "unclear"))
    if attribute == "negated" and all(_is_light(words[place]) for place, _ in places):
        said["empty-negative"] += 1


def _looks_back_too(cue: CuePhrase, words: Sequence[Token], at: int, ahead: list[tuple[int, bool]]) -> bool:
    """A passive speaks of its subject: "aspirin was not taken", "lisinopril will be increased"."""
    last = at + len(cue.words)
    following = [word.low for word in words[last : last + 3] if word.low not in _ADVERBS]
    if cue.attribute == "planned":
        return "be" in {cue.words[-1], *following[:1]}
    if cue.words[0] in _MODALS:  # "a scan may be needed"
        return following[:1] == ["be"] and following[1:2] != [] and following[1].endswith(("ed", "en", "wn"))
    if cue.attribute != "negated" or not (cue.words[0] in {"not", "never"} or cue.words[0].endswith("n't")):
        return False
    passive = at and (words[at - 1].low in _COPULA or "been" in {word.low for word in words[last : last + 2]})
    if not passive:
        return False
    following = [place for place, _ in ahead if words[place].low not in _BE | {"yet", "being"}]
    return all(_is_light(words[place]) or _ends_passive(words, place) for place in following[:1])


def _ends_passive(words: Sequence[Token], at: int) -> bool:
    """Return whether a participle ends the statement: "a drain was not left"."""
    after = words[at + 1].low if at + 1 < len(words) else "."
    return after in {".", ",", ";"} and (words[at].low.endswith(("ed", "en", "wn")) or words[at].low == "left")


def _is_light(word: Token) -> bool:
    return not word.is_word or word.low in light_words() or word.stem in light_stems()


def _flipped(attribute: str, already: set[str]) -> str:
    """An action that is itself negated ("was not stopped") is recorded as not done."""
    return "not-" + attribute if attribute in _ACTIONS and "negated" in already else attribute


def _has_object(words: Sequence[Token], at: int) -> bool:
    """Return whether a participle goes on to what it acts on ("started lisinopril", not "was started in May")."""
    if at >= len(words) or _is_date(words, at):
        return False
    return words[at].low not in {
        ".", ",", ";", ")", "in", "on", "at", "by", "due", "because", "for", "after", "before", "and", "but", "from",
        "to", "when", "since", "as", "today", "yesterday", "last", "this", "secondary", "if", "over", "during",
        "until", "then", "with", "ago", "given", "recently", "again", "slightly", "daily", "twice", "once",
    }  # fmt: skip


def _is_date(words: Sequence[Token], at: int) -> bool:
    """Return whether a date follows ("stopped 12 March 2025", "stopped 2019"), not a dose."""
    if at >= len(words):
        return False
    near = [word.low for word in words[at : at + 2]]
    if near[0][:1].isdigit() and near[1:] not in (["-"], ["/"]):
        return any(low in MONTHS for low in near[1:]) or (len(near[0]) == 4 and near[0][:2] in {"19", "20"})
    if len(near) > 1 and near[1] in {"-", "/"} and near[0].isdigit():
        return True
    return near[0] in MONTHS and len(near) > 1 and near[1][:1].isdigit()


def _forward(words: Sequence[Token], at: int, reach: int, cue: CuePhrase) -> list[tuple[int, bool]]:
    places: list[tuple[int, bool]] = []
    certain = True
    for place in range(at, min(at + reach, len(words))):
        low = words[place].low
        if low in _HARD or (low in {")", "?", ":"} and place > at):
            break
        if low == "(" and cue.attribute in _ACTIONS:
            break
        if cue.words[0] == "if" and place > at and low in {"we", "i"}:
            break
        if low in {",", "and"} and (_restarts(words, place + 1) or _acts(cue, words, place + 1)):
            break
        if low == "," and not _list_goes_on(words, place, cue):
            certain = False
        if cue.words[0] in {"no", "without", "nil"} and place > at and low in _COPULA | {"as"}:
            break
        places.append((place, certain))
    return places


def _acts(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """Return whether another action begins here: "stop aspirin, start apixaban"."""
    if cue.attribute not in _ACTIONS or at >= len(words):
        return False
    return any(other.attribute in _ACTIONS for other in _cues_by_first_word().get(words[at].low, ()))


def _restarts(words: Sequence[Token], at: int) -> bool:
    following = [word.low for word in words[at : at + 3]]
    if not following:
        return False
    if following[0] in {"the", "her", "his", "a"} and len(following) > 2 and following[2] in _VERBS:
        return True
    return (
        following[0] in _SUBJECTS
        or following[0] in _VERBS
        or following[0] in _STATES
        or following[0] in {"with", "then", "so", "also", "now", "currently", "given"}
        or (len(following) > 1 and following[0] in {"the", "and", "a"} and following[1] in _SUBJECTS | _STATES | _VERBS)
        or (len(following) > 1 and following[1] in _VERBS)
    )


def _list_goes_on(words: Sequence[Token], comma: int, cue: CuePhrase) -> bool:
    """Return whether the words after this comma are surely more of what the cue began."""
    if cue.words[0] in {"denies", "denied", "denying", "without"} or cue.words[-1] == "for":
        return True
    if cue.attribute != "negated" or cue.words[0] == "not":
        return True
    for word in words[comma + 1 :]:
        if word.low in {"or", "nor"}:
            return True
        if word.low in _HARD or word.low in _VERBS:
            return False
    return False


def _backward(words: Sequence[Token], at: int, reach: int, attribute: str) -> list[tuple[int, bool]]:
    places: list[tuple[int, bool]] = []
    certain = True
    for place in range(at - 1, max(at - reach, 0) - 1, -1):
        low = words[place].low
        if low in _HARD and low not in {"which", "since"}:
            break
        if low == "," and attribute != "family:any":
            break
        if low == "and" and _restarts(words, place + 1) and place + 1 < at - 3:
            break
        if low == "and" and _own_subject(words, place, at):
            break
        if low == "and" and attribute == "planned" and place == at - 1:
            certain = False
        places.append((place, certain))
    return places


def _own_subject(words: Sequence[Token], joint: int, at: int) -> bool:
    """Return whether what follows "and" has a subject of its own: "nitrite was positive and blood was negative"."""
    between = [word for word in words[joint + 1 : at] if not _is_light(word)]
    return bool(between) and any(word.low in _VERBS for word in words[max(joint - _CLAUSE, 0) : joint])


def _apply_relative(who: str, words: Sequence[Token], at: int, given: Attributes, cue_tokens: set[int]) -> None:
    cue_tokens.add(at)
    attribute = f"family:{who}"
    following = [word.low for word in words[at + 1 : at + 5]]
    before = words[at - 1].low if at else ""
    before2 = words[at - 2].low if at > 1 else ""
    if before2 in {"in", "of"} or before in {"in", "("}:
        for place, _ in _backward(words, at, 12, attribute):
            given[place].add(attribute)
        return
    if words[at].low.endswith("'s") or words[at].low in {"maternal", "paternal"}:
        reach_from = at + 1
    elif following and following[0] in _TELLING:
        return
    elif any(low in _OF_RELATIVE for low in following[:2]) or (before in {"", ",", ";", "and", ":"} and following):
        reach_from = at + 1  # "Father had gout"; in notes also "Father gout, sister asthma"
    else:
        return
    for place in range(reach_from, len(words)):
        low = words[place].low
        if low in {";", ".", "but", "she", "he", "patient", "who"}:
            break
        if low in {",", "and"} and _restarts(words, place + 1):
            break
        if place > reach_from and low.removesuffix("'s") in family_words():
            break
        given[place].add(attribute)
