"""One question from grant to answer, as a stream of events (DESIGN section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

from clinical.answering.absence import prove
from clinical.answering.drafting import Draft, draft
from clinical.answering.events import (
    By,
    EvidenceFound,
    NotDocumented,
    RouteChosen,
    SentenceReady,
    SentenceWithheld,
    Source,
    Status,
)
from clinical.answering.evidence import gather
from clinical.answering.fact_citations import FactCiter
from clinical.domain.passages import Citation
from clinical.domain.prompt import Labelled
from clinical.domain.route import RouteKind, answer_by_code, route, vocabulary_of
from clinical.record.selectors import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import date

    from clinical.answering.events import AnswerEvent
    from clinical.domain.access import AccessGrant
    from clinical.domain.quotes import QuoteResult

MOST_SOURCES: Final = 6


@dataclass(slots=True)
class Stopwatch:
    """Milliseconds of each stage."""

    stages: dict[str, float] = field(default_factory=dict)

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Return a context that adds the time spent in it to the stage."""
        return _Stage(self.stages, name)


class _Stage:
    def __init__(self, stages: dict[str, float], name: str) -> None:
        self._stages, self._name = stages, name

    def __enter__(self) -> None:
        self._begun = perf_counter()

    def __exit__(self, *_exc: object) -> None:
        spent = (perf_counter() - self._begun) * 1000
        self._stages[self._name] = round(self._stages.get(self._name, 0.0) + spent, 2)


@dataclass(slots=True)
class Run:
    """What came of a question so far; the caller stores it however it ends."""

    events: list[AnswerEvent] = field(default_factory=list)
    status: Status = Status.NOT_DOCUMENTED
    route: str = ""
    draft: Draft = field(default_factory=Draft)
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def shown(self) -> int:
        """Sentences shown."""
        return sum(isinstance(event, SentenceReady) for event in self.events)

    @property
    def withheld(self) -> int:
        """Sentences withheld."""
        return sum(isinstance(event, SentenceWithheld) for event in self.events)


def answer(question: str, *, grant: AccessGrant, run: Run, today: date) -> Iterator[AnswerEvent]:
    """Answer from the granted patient's record; every event is also kept in `run`."""
    for event in _answer(question, grant=grant, run=run, today=today):
        run.events.append(event)
        yield event


def _answer(question: str, *, grant: AccessGrant, run: Run, today: date) -> Iterator[AnswerEvent]:
    with run.watch.stage("facts"):
        facts = facts_of(grant)
    with run.watch.stage("route"):
        chosen = route(question, vocabulary_of(facts))
        run.route = chosen.kind
    yield RouteChosen(chosen.kind, chosen.reason)

    by_code: list[SentenceReady] = []
    answered = False
    if chosen.kind is not RouteKind.NOTES:
        with run.watch.stage("code"):
            outcome = answer_by_code(chosen, facts, today=today)
            answered = outcome.answered
            citer = FactCiter(grant)
            by_code = [
                SentenceReady(sentence.text, By.CODE, citer.cite(sentence.citations_from))
                for sentence in outcome.sentences
            ]
    quotes: QuoteResult | None = None
    passages = []
    if chosen.kind is not RouteKind.CODE or not answered:
        with run.watch.stage("evidence"):
            evidence = gather(question, grant=grant)
            quotes = evidence.quotes
            passages = evidence.passages
    quoted = list(quotes.quotes) if quotes is not None else []
    answered = answered or bool(quotes is not None and quotes.answered)

    if not by_code and not quoted:
        with run.watch.stage("absence"):
            absence = prove(grant)
        yield NotDocumented(absence)
        return

    by_id = {passage.passage_id: passage for passage in passages}
    citations = list(
        dict.fromkeys([c for s in by_code for c in s.citations] + [quote.citation for quote in quoted])
    )
    yield EvidenceFound(
        tuple(
            Source(label, *_describe(citation, passages), citation)
            for label, citation in enumerate(citations, start=1)
        )
    )
    yield from by_code
    for quote in quoted:
        yield SentenceReady(quote.citation.quote, By.QUOTE, (quote.citation,))
    run.status = Status.ANSWERED if answered else Status.EVIDENCE_ONLY
    if not answered:
        with run.watch.stage("absence"):
            absence = prove(grant)
        yield NotDocumented(absence)
    sources = []
    for quote in quoted:
        passage = by_id.get(quote.passage_id)
        if passage is not None and all(passage is not kept.passage for kept in sources):
            sources.append(Labelled(citations.index(quote.citation) + 1, passage))
    if sources and answered:
        with run.watch.stage("draft"):
            yield from draft(question, sources[:MOST_SOURCES], run.draft)


def _describe(citation: Citation, passages: list[object]) -> tuple[str, str]:
    return citation.span.resource, ""
