"""Abbreviations of a question in the words the record or the tables name things by; none is decided silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.lexicon.abbreviations import abbreviations, in_words, meanings_of, put_in, stands
from clinical.domain.route import vocabulary as kinds

if TYPE_CHECKING:
    from clinical.domain.lexicon.abbreviations import Abbreviation
    from clinical.domain.route.vocabulary import Vocabulary

_SET_APART = " or "


def in_known_words(question: str, vocabulary: Vocabulary) -> str:
    """Return a question as typed with its abbreviations in words that the vocabulary knows.

    One the vocabulary knows as it stands stays. Of one with several meanings every one that is a known problem is asked
    about ("MS": multiple sclerosis or mitral stenosis).
    """
    question = in_words(question)
    for one in abbreviations():
        if not one.written_out and stands(one, question) and (words := _known(one, vocabulary)):
            question = put_in(one, question, words)
    return question


def undecided_note(question: str) -> str:
    """Return what the ambiguous abbreviations of a question may mean, for the reader; "" when it has none."""
    return "; ".join(
        f'"{typed}" may mean {_listed(meanings)}: it is looked for as each of them'
        for typed, meanings in meanings_of(question)
    )


def _known(one: Abbreviation, vocabulary: Vocabulary) -> str:
    is_known = any(vocabulary.find(short.lower()) for short in one.short)
    if one.ambiguous:
        problems = [
            found
            for meaning in one.meanings
            if (found := next((said for said in meaning if kinds.PROBLEM in vocabulary.find(said)), ""))
        ]
        return "" if is_known and len(problems) == 1 else _SET_APART.join(problems)
    if is_known:
        return ""
    return next((said for said in one.wordings if vocabulary.find(said.lower())), "")


def _listed(meanings: tuple[str, ...]) -> str:
    return _SET_APART.join((", ".join(meanings[:-1]), meanings[-1]))
