"""Sentences that may answer in other words: not named by the rules, but close in meaning and of the right kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.bearing import Bearing, paragraph_of
from clinical.domain.quotes.coverage import Stretch, action_told, is_relative, kin_of_mention, site_fits
from clinical.domain.quotes.kin import meets
from clinical.domain.quotes.wants import holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.gate.source import Source, SourceSentence
    from clinical.domain.quotes.documents import Document
    from clinical.domain.quotes.focus import Focus
    from clinical.domain.quotes.question import Question

_SEVERAL = 2


def likely_of(asked: Question, source: Source, place: int, document: Document) -> Bearing | None:
    """Return a sentence that holds what is wanted near what is asked about, never full; None where it cannot answer.

    A test, vital sign or drug, and whatever a yes-or-no question is about, must be named in its paragraph, anything
    else in its document.
    """
    sentence = source.sentences[place]
    if not _may_answer(asked, sentence, document):
        return None
    near = _nearness(asked, sentence, paragraph_of(source, place, place + 1), document)
    if near is None:
        return None
    stems = frozenset(word.stem for word in sentence.reading.words)
    wanted = [one for one in asked.reading.mentions if one.key in asked.words]
    met = sum(one.key in sentence.reading.keys or meets(kin_of_mention(one), stems) for one in wanted)
    return Bearing(place, place + 1, full=False, score=near + met)


def _may_answer(asked: Question, sentence: SourceSentence, document: Document) -> bool:
    """Whether it holds what is wanted, of the right person, side, place and test, and tells the deed asked about."""
    reading = sentence.reading
    if not all(holds(intent, asked, reading) for intent in asked.intents):
        return False
    if asked.actions and not action_told(asked, sentence):
        return False
    tests = [one for one in reading.mentions if one.kind in {Kind.TEST, Kind.VITAL}]
    if tests and any(one.measured and not any(one.keys & test.keys for test in tests) for one in asked.focus):
        return False  # an X-ray does not tell what the MRI showed
    sides = reading.keys | {key for one in sentence.headings for key in one.keys}
    return (
        any(is_relative(cue) for cue in reading.cues) == asked.of_family
        and asked.sides <= sides
        and site_fits(asked, Stretch((sentence,), (), sentence.headings, (), document))
    )


def _nearness(
    asked: Question, sentence: SourceSentence, paragraph: Iterable[SourceSentence], document: Document
) -> float | None:
    """Return 1 for each thing asked about that it names, a half if its paragraph names it; None if one is missing."""
    vague = not asked.intents and len(asked.words) < _SEVERAL  # "coeliac screen" is not any screening of hers
    near = 0.0
    for focus in asked.focus:
        if _named(focus, (sentence,)):
            near += 1
        elif _named(focus, paragraph):
            near += 0.5
        elif asked.yes_no or focus.measured or focus.drug or not focus.keys & document.keys or vague:
            return None
    return near


def _named(focus: Focus, sentences: Iterable[SourceSentence]) -> bool:
    for sentence in sentences:
        stems = frozenset(word.stem for word in sentence.reading.words)
        named = {key for one in (*sentence.reading.mentions, *sentence.headings) for key in one.keys}
        if focus.keys & named or meets(focus.kin, stems) or any(name <= stems for name in focus.spelled):
            return True
    return False
