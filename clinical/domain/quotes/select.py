"""The sentences of the record that bear on a question, word for word, and whether they answer it.

A sentence must name what is asked about (itself, by its heading, or by the sentence it follows on from),
be about the right person, and hold what the question wants: a reason, a date, a value. A recorded
negative is an answer. Similarity may order sentences and tip a near miss; it never admits one alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from clinical.domain.gate.source import read_passage
from clinical.domain.passages import Citation, Span
from clinical.domain.quotes.bearing import Bearing, bearing_of
from clinical.domain.quotes.documents import Days, Document, days_asked, document_of, documents_of, tells_of
from clinical.domain.quotes.prefilter import may_bear
from clinical.domain.quotes.question import read_question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from clinical.domain.gate.source import Source
    from clinical.domain.passages import Passage
    from clinical.domain.quotes.question import Question

    Similarity = Callable[[Sequence[str]], Sequence[float]]

_SIMILAR_ENOUGH = 0.4  # cosine; only for a sentence that already names what is asked about
_MOST_COMPARED = 16
_NEWER = 0.6  # what the newest record is worth above the oldest when the question is about now
_FAR_BEHIND = 2.0
_ADDRESSES_A_MACHINE = re.compile(
    r"\b(?:AI|A\.I\.|assistant|chat ?bot|language model|LLM|GPT|system prompt|prompt|ignore (?:all"
    r"|any|the|your|previous|prior)"
    r"|disregard (?:all|any|the|your|previous|prior)|(?:previous|prior|above) instructions?"
    r"|instructions? to the (?:system|model|reader)"
    r"|you (?:are|must|should|will|have to|shall) (?:now )?(?:answer|respond|reply|say|state|tell"
    r"|output|write|print|ignore|act|always|never|an?)"
    r"|(?:respond|reply|answer) (?:only )?(?:with|that|by)|override|jailbreak|do not (?:tell|reveal"
    r"|mention) (?:this|the))\b",
    re.IGNORECASE,
)


class Sufficiency(StrEnum):
    """Whether the quotes answer the question, and if not, what is wanting."""

    ANSWERED = "answered"
    NO_FOCUS = "no-focus"
    NOT_MENTIONED = "not-mentioned"
    NOT_ANSWERED = "not-answered"


@dataclass(frozen=True, slots=True)
class QuoteResult:
    """Verbatim sentences, best first. `answered` is false when none of them answers the question."""

    quotes: tuple[Citation, ...]
    answered: bool
    sufficiency: Sufficiency


@dataclass(frozen=True, slots=True)
class _Candidate:
    citation: Citation
    bearing: Bearing
    effective: str
    order: int
    similarity: float = 0.0


def best_quotes(
    question: str,
    passages: Sequence[Passage],
    *,
    similarity: Similarity | None = None,
    today: date | None = None,
    limit: int = 5,
) -> QuoteResult:
    """Return the sentences of the passages that bear on the question.

    Args:
        question: as the clinician typed it.
        passages: of one patient, best first as retrieved.
        similarity: cosine similarity of the question to each given sentence, -1..1.
        today: the day of the question, for "last two years"; without it, no time is read from the question.
        limit: the most quotes to return, at least 1.
    """
    asked = read_question(question)
    if asked.sections and not asked.medications:
        return _of_sections(asked, passages, limit)
    if not (asked.concepts or asked.words or asked.medications):
        return QuoteResult((), answered=False, sufficiency=Sufficiency.NO_FOCUS)
    found = _candidates(asked, passages, days_asked(question, today) if today else None)
    if similarity is not None and found:
        found = sorted(found, key=lambda one: -one.bearing.score)[:_MOST_COMPARED]
        scores = similarity([one.citation.quote for one in found])
        found = [replace(one, similarity=score) for one, score in zip(found, scores, strict=True)]
    admitted = [one for one in found if one.bearing.full]
    admitted = admitted or [one for one in found if one.similarity >= _SIMILAR_ENOUGH]
    if not admitted:
        why = Sufficiency.NOT_ANSWERED if found else Sufficiency.NOT_MENTIONED
        return QuoteResult((), answered=False, sufficiency=why)
    quotes = _distinct(_ordered(asked, admitted))[: max(limit, 1)]
    return QuoteResult(quotes, answered=True, sufficiency=Sufficiency.ANSWERED)


def _of_sections(asked: Question, passages: Sequence[Passage], limit: int) -> QuoteResult:
    """Return the first sentences of the newest section that a question asks for as a whole."""
    held = [one for one in passages if one.section.strip().rstrip(":").lower() in asked.sections]
    if not held:
        return QuoteResult((), answered=False, sufficiency=Sufficiency.NO_FOCUS)
    newest = max(one.effective for one in held)
    quotes = [
        _citation(source, place, place + 1)
        for source in (read_passage(one) for one in held if one.effective == newest)
        for place in range(len(source.sentences))
    ]
    kept = tuple(one for one in quotes if not _ADDRESSES_A_MACHINE.search(one.quote))[: max(limit, 1)]
    return QuoteResult(kept, answered=bool(kept), sufficiency=Sufficiency.ANSWERED if kept else Sufficiency.NO_FOCUS)


def _candidates(asked: Question, passages: Sequence[Passage], days: Days | None) -> list[_Candidate]:
    found: list[_Candidate] = []
    for parts in documents_of(passages):
        if not may_bear(asked, parts):
            continue
        sources = [read_passage(passage) for passage in parts]
        document = document_of(sources)
        for source in sources:
            found.extend(_of_source(asked, source, document, days))
    return [replace(one, order=order) for order, one in enumerate(found)]


def _of_source(asked: Question, source: Source, document: Document, days: Days | None) -> list[_Candidate]:
    found = []
    effective = source.passage.effective
    for place, sentence in enumerate(source.sentences):
        text = source.passage.text[sentence.span.start : sentence.span.end]
        if _ADDRESSES_A_MACHINE.search(text) or text.rstrip().endswith("?"):
            continue
        if days is not None and not days.hold(effective) and not tells_of(days, sentence.reading):
            continue
        bearing = bearing_of(asked, source, place, document)
        if bearing is None:
            continue
        citation = _citation(source, bearing.first, bearing.last)
        if not _ADDRESSES_A_MACHINE.search(citation.quote):
            found.append(_Candidate(citation, bearing, effective, 0))
    return found


def _ordered(asked: Question, found: list[_Candidate]) -> list[_Candidate]:
    """Best first, newer first where the question is about now; what is far behind the best is left out."""
    days = sorted({one.effective[:10] for one in found})
    newer = _NEWER / max(len(days) - 1, 1) if asked.present else 0.0

    def rating(one: _Candidate) -> float:
        return one.bearing.score + 2 * one.similarity + newer * days.index(one.effective[:10])

    best = max(rating(one) for one in found)
    kept = sorted(
        (one for one in found if rating(one) >= best - _FAR_BEHIND), key=lambda one: (-rating(one), one.order)
    )
    if asked.latest:  # an older value beside the latest could be taken for it
        latest = max(one.effective[:10] for one in kept)
        return [one for one in kept if one.effective[:10] == latest]
    return kept


def _distinct(found: list[_Candidate]) -> tuple[Citation, ...]:
    seen: set[str] = set()
    kept = []
    for one in found:
        words = " ".join(one.citation.quote.lower().split())
        if words not in seen and not any(words in other for other in seen):
            seen.add(words)
            kept.append(one.citation)
    return tuple(kept)


def _citation(source: Source, first: int, last: int) -> Citation:
    start, end = source.sentences[first].span.start, source.sentences[last - 1].span.end
    whole = source.passage.span
    span = Span(whole.resource, whole.version, whole.part, whole.start + start, whole.start + end)
    return Citation(span, source.passage.text[start:end])
