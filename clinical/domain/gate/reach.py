"""How far the words of a cue reach: the tokens after or before it that it speaks of."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.dates import MONTHS
from clinical.domain.lexicon.tables import CuePhrase, cue_phrases, light_stems, light_words, number_words, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.lexicon.words import Token

_HARD = word_list("clause_ends")
_SUBJECTS = word_list("subjects")
_VERBS = word_list("verbs")
_STATES = word_list("states")
_COPULA = frozenset({"is", "are", "was", "were", "been", "be", "being"})
_ORDERS = word_list("orders")
_PERIODS = frozenset({"day", "days", "week", "weeks", "month", "months", "year", "years", "hour", "hours"})
_NO_REASON = {"no": _COPULA | {"as"}, "without": _COPULA | {"as"}, "nil": _COPULA | {"as"}, "not": frozenset({"as"})}
_DECLINED = frozenset({"declined", "refused"})
_PERSONS = frozenset({"he", "she", "they", "it"})
_CLAUSE = 8
_NO_OBJECT = word_list("no_object")
_AFTER_PARTICIPLE = word_list("after_participle")
_TOLD_PAST = word_list("past_verbs")
_ACTIONS = frozenset({"stopped", "started", "increased", "decreased", "continued", "changed"})


@cache
def cues_by_first_word() -> dict[str, tuple[CuePhrase, ...]]:
    """Return the cues by their first word, the longest first."""
    by_first: dict[str, list[CuePhrase]] = {}
    for cue in cue_phrases():
        by_first.setdefault(cue.words[0], []).append(cue)
    return {first: tuple(sorted(cues, key=lambda cue: -len(cue.words))) for first, cues in by_first.items()}


def ends_passive(words: Sequence[Token], at: int) -> bool:
    """Return whether a participle ends the statement: "a drain was not left"."""
    after = words[at + 1].low if at + 1 < len(words) else "."
    return (after in {".", ",", ";"} or (after in _AFTER_PARTICIPLE and after not in {"the", "a", "an"})) and (
        words[at].low.endswith(("ed", "en", "wn")) or words[at].low in {"left", "done", "made", "sent", "found", "held"}
    )


def is_light(word: Token) -> bool:
    """Return whether a token states nothing by itself."""
    return not word.is_word or word.low in light_words() or word.stem in light_stems()


def has_object(words: Sequence[Token], at: int) -> bool:
    """Return whether a participle goes on to what it acts on ("started lisinopril", not "was started in May")."""
    if at >= len(words) or is_date(words, at):
        return False
    if (
        at + 1 < len(words)
        and words[at + 1].low in _PERIODS
        and (words[at].low[0].isdigit() or words[at].low in number_words())
    ):
        return False  # "to be stopped four weeks before"
    return words[at].low not in _NO_OBJECT


def is_date(words: Sequence[Token], at: int) -> bool:
    """Return whether a date follows ("stopped 12 March 2025", "stopped 2019"), not a dose."""
    if at >= len(words):
        return False
    near = [word.low for word in words[at : at + 2]]
    if near[0][:1].isdigit() and near[1:] not in (["-"], ["/"]):
        return any(low in MONTHS for low in near[1:]) or (len(near[0]) == 4 and near[0][:2] in {"19", "20"})
    third = words[at + 2].low if at + 2 < len(words) else ""
    if len(near) > 1 and near[1] in {"-", "/"} and near[0].isdigit():
        return third in MONTHS or len(near[0]) == len("2024")
    return near[0] in MONTHS and len(near) > 1 and near[1][:1].isdigit()


def forward(words: Sequence[Token], at: int, reach: int, cue: CuePhrase) -> list[tuple[int, bool]]:
    """Return the tokens after a cue that it speaks of, and for each whether that is sure."""
    places: list[tuple[int, bool]] = []
    certain = True
    for place in range(at, min(at + reach, len(words))):
        low = words[place].low
        if low == "due" and place == at and cue.attribute == "uncertain":
            continue  # "might be due to stress"
        if low in _HARD or (low in {")", "?", ":"} and place > at):
            break
        if cue.attribute in _ACTIONS and (low == "(" or (low in {"before", "after", "prior", "until"} and place > at)):
            break
        if cue.words[0] == "if" and place > at and low in {"we", "i"}:
            break
        if low == "," and cue.words[0] == "if" and place + 1 < len(words) and words[place + 1].low in _ORDERS:
            break
        if low in {",", "and"} and _goes_its_own_way(cue, words, at, place):
            break
        if low == "," and not _list_goes_on(words, place, cue):
            certain = False
        if cue.words[0] in {"no", "without", "nil", "not"} and place > at and low in _NO_REASON[cue.words[0]]:
            break
        places.append((place, certain))
    return places


def _acts(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """Return whether another action begins here: "stop aspirin, start apixaban"."""
    if cue.attribute not in _ACTIONS or at >= len(words):
        return False
    return any(other.attribute in _ACTIONS for other in cues_by_first_word().get(words[at].low, ()))


def _goes_its_own_way(cue: CuePhrase, words: Sequence[Token], at: int, joint: int) -> bool:
    """Return whether a new statement, or another action, begins after this joint."""
    if restarts(words, joint + 1) or _acts(cue, words, joint + 1):
        return True
    return words[joint].low == "and" and cue.attribute == "planned" and _was_done(words, at, joint)


def _was_done(words: Sequence[Token], at: int, joint: int) -> bool:
    """Return whether what follows "and" is told as done: "was invited for screening and attended in May"."""
    after = words[joint + 1] if joint + 1 < len(words) else None
    passive = any(word.low in {"be", "being", "been"} for word in words[max(at - 1, 0) : joint])
    return (
        after is not None
        and not passive
        and (after.low in _TOLD_PAST or (after.low.endswith("ed") and len(after.low) > 4))
    )


def restarts(words: Sequence[Token], at: int) -> bool:
    """Return whether a new statement begins at this token."""
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


def backward(words: Sequence[Token], at: int, reach: int, attribute: str) -> list[tuple[int, bool]]:
    """Return the tokens before a cue that it speaks of, and for each whether that is sure."""
    places: list[tuple[int, bool]] = []
    certain = True
    for place in range(at - 1, max(at - reach, 0) - 1, -1):
        low = words[place].low
        if low in _HARD and low not in {"which", "since"} and not (low == "but" and words[at].low in _DECLINED):
            break
        if low == "," and any(word.low in {"including", "such"} for word in words[max(place - reach, 0) : at]):
            continue  # "blood tests, including ferritin, have been ordered"
        if (
            low == ","
            and attribute != "family:any"
            and words[at].low not in {"resolved", ","}
            and not _lists(words, place, at)
        ):
            break
        if low in _PERSONS and place < at - 1 and place > 0 and words[at].low not in _DECLINED:
            places.append((place, certain))
            break  # "after recovery from surgery she will be given"
        if low == "as" and (attribute == "negated" or words[place + 1].low in _SUBJECTS | {"her", "their", "its"}):
            break  # "stopped as the swab was negative"
        if low == "and" and restarts(words, place + 1) and place + 1 < at - 3:
            break
        if low == "and" and _own_subject(words, place, at):
            break
        if low == "and" and attribute == "planned" and place == at - 1:
            certain = False
        places.append((place, certain))
    return places


def _lists(words: Sequence[Token], comma: int, at: int) -> bool:
    """Return whether a comma stands in a list that ends before the cue: "CA-125, hCG and LDH are planned"."""
    between = [word.low for word in words[comma + 1 : at]]
    return bool({"and", "or"} & set(between)) and not any(low in _VERBS - _COPULA for low in between)


def _own_subject(words: Sequence[Token], joint: int, at: int) -> bool:
    """Return whether what follows "and" has a subject of its own: "nitrite was positive and blood was negative"."""
    between = [word for word in words[joint + 1 : at] if not is_light(word)]
    return bool(between) and any(word.low in _VERBS for word in words[max(joint - _CLAUSE, 0) : joint])
