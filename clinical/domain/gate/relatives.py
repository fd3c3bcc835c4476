"""What is said of a relative, or of another person, and not of the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.reach import backward, restarts
from clinical.domain.lexicon.tables import family_words, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.lexicon.words import Token

_TELLING = word_list("telling")
_OF_RELATIVE = word_list("said_of_relative")
_PARTICIPLE = 4
_WORRIES = frozenset({"concern", "concerns", "question", "questions", "worries"})
_NOT_VERBS = frozenset({"and", "or", "who", "is", "are", "was", "in", "at", "on", "with", "of", "to", "by", "for"})
_AFFECTS = frozenset({"affects", "affected", "affecting"})

_INFORMED = word_list("informed")


def apply_relative(who: str, words: Sequence[Token], at: int, given: Sequence[set[str]], cue_tokens: set[int]) -> None:
    """Give what is said of a relative to the words that say it; `at` is the word for the relative."""
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
    if following[:1] in (["was"], ["were"], ["is"]) and set(following[1:3]) & _INFORMED:
        return None  # "her mother was shown how to use the spacer"
    informs = following[:1] == ["of"] and before in {"", ".", ";"}  # "Mother of 14-month-old Leo calling"
    if informs or any(low in _TELLING for low in following[:2]) or _WORRIES & set(following):
        return None
    if words[at - 2 if at > 1 else at].low in {"has", "have", "had"} and following[:1] in (
        ["on"],
        ["with"],
        ["taking"],
    ):
        return at + 1  # "has a brother on insulin"
    subject = at == 1 and before in {"his", "her", "their", "the"}  # "His mother wets the bed"
    if subject and following and following[0].isalpha() and following[0] not in _NOT_VERBS:
        return at + 1
    said = any(low in _OF_RELATIVE or (len(low) > _PARTICIPLE and low.endswith("ed")) for low in following[:2])
    listed = before in {"", ",", ";", "and", ":"} and bool(following)  # in notes also "Father gout, sister asthma"
    return at + 1 if said or listed else None
