"""The sentences of the record that bear on a question, word for word, and whether they answer it.

A sentence must name what is asked about (itself, by its heading, or by the sentence it follows on from),
be about the right person, and hold what the question wants: a reason, a date, a value. A recorded
negative is an answer. Similarity may order sentences and tip a near miss; it never admits one alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from clinical.domain.gate.source import read_passage
from clinical.domain.instructions import addresses_a_machine
from clinical.domain.lexicon.abbreviations import abbreviated, only_looks_alike, stands
from clinical.domain.passages import Citation, Span
from clinical.domain.quotes.attributes import attributes_told
from clinical.domain.quotes.bearing import Bearing, bearing_of
from clinical.domain.quotes.documents import (
    Days,
    Document,
    Run,
    days_asked,
    document_of,
    documents_of,
    runs_of,
    tells_of,
)
from clinical.domain.quotes.each import conditions_asked, untold
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.likely import likely_of
from clinical.domain.quotes.prefilter import parts_to_read
from clinical.domain.quotes.question import alternatives, read_question
from clinical.domain.quotes.result import QuoteResult, Sufficiency
from clinical.domain.quotes.simpler import simpler
from clinical.domain.quotes.slips import with_slips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from clinical.domain.gate.source import Source
    from clinical.domain.passages import Passage
    from clinical.domain.quotes.question import Question

    Bears = Callable[[Question, Source, int, Document], Bearing | None]
    Similarity = Callable[[Sequence[str]], Sequence[float]]

_SIMILAR_ENOUGH = 0.4  # cosine; only for a sentence that already names what is asked about
_SIMILAR_AT_ALL, _MOST_SIMILAR = 0.2, 0.65
_SIMILAR, _VERY_SIMILAR = 0.5, 0.55  # cosine; holding what is wanted near all, or some, of what is asked about
_MOST_COMPARED, _MOST_LIKELY = 16, 24
_MOST_UNDECIDED = 2
_NEWER = 0.6  # what the newest record is worth above the oldest when the question is about now
_FAR_BEHIND, _BEHIND = 2.0, 1.4  # ratings below the best at which a quote is left out: of its document, of another


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
    """Return the sentences of the passages that bear on the question; of "tissue or mechanical", on either.

    Where none answers it as it stands, its halves are looked for one by one, and it is read without its circumstances.

    Args:
        question: as the clinician typed it.
        passages: of one patient, best first as retrieved.
        similarity: cosine similarity of the question to each given sentence, -1..1.
        today: the day of the question, for "last two years"; without it, no time is read from the question.
        limit: the most quotes to return, at least 1.
    """
    days = days_asked(question, today) if today else None

    def look(text: str) -> QuoteResult:
        return _quotes(text, passages, similarity=similarity, days=days, limit=limit)

    found = _told(look(question), question)
    if found.answered:
        return _each(question, found, look)
    either = (_told(look(one), one) for one in alternatives(question))
    again = (_told(look(one.text), one.judged_as, figure=one.figure) for one in simpler(question))
    return next((one for one in chain(either, again) if one.answered), None) or _perhaps(question, found, look)


def _each(question: str, found: QuoteResult, look: Callable[[str], QuoteResult]) -> QuoteResult:
    """Return quotes on each condition that a question joins by "or", and name those without any."""
    conditions = conditions_asked(question)
    quotes, left = found.quotes, []
    for one in untold(conditions, tuple(quote.quote for quote in quotes)):
        more = look(f"any {one}?")
        quotes += tuple(quote for quote in more.quotes[:1] if more.answered and quote not in quotes)
        left += [] if more.answered else [one]
    return replace(found, quotes=quotes, untold=tuple(left) if len(left) < len(conditions) else ())


def _perhaps(question: str, found: QuoteResult, look: Callable[[str], QuoteResult]) -> QuoteResult:
    """Return sentences that may mean what is asked, beside "not documented": "MS" for multiple sclerosis."""
    for one, text in abbreviated(question):
        quotes = tuple(quote for quote in look(text).quotes if stands(one, quote.quote))
        if quotes:
            return QuoteResult(quotes[:_MOST_UNDECIDED], answered=False, sufficiency=Sufficiency.NOT_ANSWERED)
    return found


def _told(found: QuoteResult, question: str, *, figure: bool = False) -> QuoteResult:
    """Return the quotes that tell what is asked of the thing first; without one, those that may be shown beside it."""
    if not found.answered:
        return found
    told = attributes_told(question, [one.quote for one in found.quotes], figure=figure)
    quotes = tuple(found.quotes[at] for at in told.order)
    if told.told:
        return replace(found, quotes=quotes)
    return QuoteResult(quotes, answered=False, sufficiency=Sufficiency.NOT_ANSWERED)


def _quotes(
    question: str,
    passages: Sequence[Passage],
    *,
    similarity: Similarity | None,
    days: Days | None,
    limit: int,
) -> QuoteResult:
    asked = read_question(question, held=lambda word: any(word in one.text.lower() for one in passages))
    if asked.sections and not asked.medications:
        whole = _of_sections(asked, passages, limit)
        if whole.answered or not asked.concepts:
            return whole
    if not (asked.concepts or asked.words or asked.medications):
        return QuoteResult((), answered=False, sufficiency=Sufficiency.NO_FOCUS)
    if asked.latest and not asked.intents and any(one.drug for one in asked.focus):
        passages = _of_late(passages)  # what was taken years ago is not taken "now"
    found = _compared(_candidates(asked, passages, days, bearing_of), similarity, _MOST_COMPARED)
    if not found and (slips := with_slips(asked, passages)) is not None:
        asked = slips
        found = _compared(_candidates(asked, passages, days, bearing_of), similarity, _MOST_COMPARED)
    admitted = [one for one in found if one.bearing.full]
    admitted = admitted or [one for one in found if one.similarity >= _demanded(asked, one.bearing)]
    if not admitted and similarity is not None:
        likely = _candidates(asked, passages, days, likely_of)
        everything = len(asked.concepts) + len(asked.words)
        admitted = [
            one
            for one in _compared(likely, similarity, _MOST_LIKELY)
            if one.similarity >= (_SIMILAR if one.bearing.score >= everything else _VERY_SIMILAR)
        ]
    admitted = [one for one in admitted if not only_looks_alike(question, one.citation.quote)]
    if not admitted:
        why = Sufficiency.NOT_ANSWERED if found else Sufficiency.NOT_MENTIONED
        return QuoteResult((), answered=False, sufficiency=why)
    quotes = _distinct(_ordered(asked, admitted))[: max(limit, 1)]
    return QuoteResult(quotes, answered=True, sufficiency=Sufficiency.ANSWERED)


def _of_late(passages: Sequence[Passage]) -> Sequence[Passage]:
    """Return the passages of about the last year of the record; those without a day stay."""
    newest = max((one.effective[:4] for one in passages if one.effective), default="")
    since = f"{int(newest) - 1}" if newest.isdigit() else ""
    return [one for one in passages if not one.effective or one.effective[:4] >= since]


def _demanded(asked: Question, bearing: Bearing) -> float:
    """Return how alike a sentence must be that does not meet every demand, as a cosine."""
    if bearing.placed:
        return _SIMILAR_AT_ALL
    if not (asked.yes_no or Intent.CAUSE in asked.intents):
        return _SIMILAR_ENOUGH
    return _SIMILAR if asked.concepts or asked.relatives else _MOST_SIMILAR


def _of_sections(asked: Question, passages: Sequence[Passage], limit: int) -> QuoteResult:
    """Return the first sentences of the newest section that a question asks for as a whole."""
    held = [one for one in passages if one.section.strip().rstrip(":").lower() in asked.sections]
    if not held:
        return _that_name(asked.sections, passages, limit)
    newest = max(one.effective for one in held)
    quotes = [
        _citation(source, place, place + 1)
        for source in (read_passage(one) for one in held if one.effective == newest)
        for place in range(len(source.sentences))
    ]
    kept = tuple(one for one in quotes if not addresses_a_machine(one.quote))[: max(limit, 1)]
    return QuoteResult(kept, answered=bool(kept), sufficiency=Sufficiency.ANSWERED if kept else Sufficiency.NO_FOCUS)


def _that_name(titles: frozenset[str], passages: Sequence[Passage], limit: int) -> QuoteResult:
    """Return the sentences that name such a section themselves: "with a past medical history of kidney stones"."""
    named = [one for one in titles if " " in one]
    quotes = [
        _citation(source, place, place + 1)
        for passage in passages
        if any(title in passage.text.lower() for title in named)
        for source in (read_passage(passage),)
        for place, sentence in enumerate(source.sentences)
        if any(title in sentence.reading.text.lower() for title in named) and not sentence.reading.text.endswith("?")
    ]
    kept = tuple(one for one in quotes if not addresses_a_machine(one.quote))[: max(limit, 1)]
    return QuoteResult(kept, answered=bool(kept), sufficiency=Sufficiency.ANSWERED if kept else Sufficiency.NO_FOCUS)


def _compared(found: list[_Candidate], similarity: Similarity | None, most: int) -> list[_Candidate]:
    """Return the candidates, of many only the best, with their similarity to the question.

    Copies of one sentence count once, the newest of the best: notes are copied forward, and must not crowd others out.
    """
    if similarity is None or not found:
        return found
    rising = sorted(found, key=lambda one: (one.bearing.score, one.effective, -one.order))
    different = {" ".join(one.citation.quote.lower().split()): one for one in rising}
    best = sorted(different.values(), key=lambda one: (-one.bearing.score, one.order))[:most]
    scores = similarity([one.citation.quote for one in best])
    return [replace(one, similarity=score) for one, score in zip(best, scores, strict=True)]


def _candidates(asked: Question, passages: Sequence[Passage], days: Days | None, bearing: Bears) -> list[_Candidate]:
    found: list[_Candidate] = []
    for parts in documents_of(passages):
        runs = runs_of(parts_to_read(asked, sorted(parts, key=lambda one: one.span.start)))
        if not runs:
            continue
        document = document_of([one.source for one in runs])
        for run in runs:
            found.extend(_of_run(asked, run, document, days, bearing))
    return [replace(one, order=order) for order, one in enumerate(found)]


def _of_run(asked: Question, run: Run, document: Document, days: Days | None, bears: Bears) -> list[_Candidate]:
    found, source = [], run.source
    effective = source.passage.effective
    for place, sentence in enumerate(source.sentences):
        if sentence.reading.text.rstrip().endswith("?"):
            continue
        if days is not None and not days.hold(effective) and not tells_of(days, sentence.reading):
            continue
        bearing = bears(asked, source, place, document)
        if bearing is None or not run.whole(
            source.sentences[bearing.first].span.start, source.sentences[bearing.last - 1].span.end
        ):
            continue
        citation = _citation(source, bearing.first, bearing.last)
        if not addresses_a_machine(citation.quote):
            found.append(_Candidate(citation, bearing, effective, 0))
    return found


def _ordered(asked: Question, found: list[_Candidate]) -> list[_Candidate]:
    """Best first, newer first where the question is about now; what is far behind the best is left out."""
    days = sorted({one.effective[:10] for one in found})
    newer = _NEWER / max(len(days) - 1, 1) if asked.present else 0.0

    def rating(one: _Candidate) -> float:
        return one.bearing.score + 2 * one.similarity + newer * days.index(one.effective[:10])

    best = max(found, key=lambda one: (rating(one), -one.order))
    document = best.citation.span.resource
    kept = sorted(
        (
            one
            for one in found
            if rating(best) - rating(one) <= (_FAR_BEHIND if one.citation.span.resource == document else _BEHIND)
        ),
        key=lambda one: (-rating(one), one.order),
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
