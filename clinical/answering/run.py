"""One question from grant to answer, as a stream of events."""

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
from clinical.domain.prompt import Labelled
from clinical.domain.route import Act, RouteKind, answer_by_code, route, vocabulary_of
from clinical.record.selectors import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date

    from clinical.answering.events import AnswerEvent
    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import Citation, Passage
    from clinical.domain.route import CodeSentence, Route

MOST_SOURCES: Final = 6
MOST_NEAR: Final = 2  # facts shown beside a reason that the notes give


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
        run.route = chosen.kind.value
    yield RouteChosen(run.route, chosen.reason)

    sources = _Sources()
    by_code: list[SentenceReady] = []
    answered = False
    beside = shows_what_is_near(chosen)
    if chosen.kind is not RouteKind.NOTES:
        with run.watch.stage("code"):
            outcome = answer_by_code(chosen, facts, today=today)
            answered = outcome.answered
            citer = FactCiter(grant)
            said = outcome.sentences or (outcome.related if beside else ())
            by_code = [_cited(sentence, citer, sources) for sentence in said]
    quoted: list[SentenceReady] = []
    found: list[Passage] = []
    # A look-up that code answers needs no reading; everything else is looked for in the narrative too.
    if chosen.kind is not RouteKind.CODE or not answered:
        with run.watch.stage("evidence"):
            evidence = gather(question, grant=grant, today=today)
            quotes = evidence.quotes
        for citation in quotes.quotes:
            passage = _holding(citation, evidence.passages)
            sources.add(citation, passage.title, passage.effective)
            quoted.append(SentenceReady(citation.quote, By.QUOTE, (citation,)))
            found.append(passage)
        answered = answered or quotes.answered
    if quoted and chosen.kind is RouteKind.NOTES and beside:
        near = answer_by_code(chosen, facts, today=today).related[:MOST_NEAR]
        citer = FactCiter(grant)
        by_code = [_cited(sentence, citer, sources) for sentence in near]
    if sources.listed:
        yield EvidenceFound(tuple(sources.listed))
    yield from by_code
    yield from quoted
    if not answered:
        run.status = Status.EVIDENCE_ONLY if by_code and is_advice(chosen) else Status.NOT_DOCUMENTED
        with run.watch.stage("absence"):
            absence = prove(grant)
        yield NotDocumented(absence)
        return
    run.status = Status.ANSWERED
    if quoted and chosen.kind is not RouteKind.CODE:
        with run.watch.stage("draft"):
            yield from draft(question, _numbered(found), run.draft)


def is_advice(chosen: Route) -> bool:
    """Whether a decision is asked for, which is the clinician's: the record only holds what bears on it."""
    return chosen.intent is not None and chosen.intent.detail == "advice"


def shows_what_is_near(chosen: Route) -> bool:
    """Whether facts that do not answer are shown: the order itself where its reason is asked, allergies for advice.

    Never another sample, substance or time than was asked about: beside "not documented" it would be taken
    for the answer.
    """
    return is_advice(chosen) or (chosen.intent is not None and Act.WHY in chosen.intent.acts)


class _Sources:
    """The numbered list of sources of one answer: one number a resource version."""

    def __init__(self) -> None:
        self.listed: list[Source] = []
        self._known: set[tuple[str, str]] = set()

    def add(self, citation: Citation, title: str, effective: str) -> None:
        """Number the version a citation points into, unless it has a number."""
        version = (citation.span.resource, citation.span.version)
        if version not in self._known:
            self._known.add(version)
            self.listed.append(Source(len(self.listed) + 1, title, effective, citation))


def _cited(sentence: CodeSentence, citer: FactCiter, sources: _Sources) -> SentenceReady:
    citations = citer.cite(sentence.citations_from)
    facts = {(fact.resource, fact.version): fact for fact, _path in sentence.citations_from}
    for citation in citations:
        fact = facts[citation.span.resource, citation.span.version]
        sources.add(citation, fact.row.text, fact.row.effective)
    return SentenceReady(sentence.text, By.CODE, citations, sentence.heading)


def _holding(citation: Citation, passages: Sequence[Passage]) -> Passage:
    """Return the passage a quote was taken from."""
    wanted = citation.span
    return next(
        passage
        for passage in passages
        if (passage.span.resource, passage.span.version, passage.span.part)
        == (wanted.resource, wanted.version, wanted.part)
        and passage.span.start <= wanted.start < passage.span.end
    )


def _numbered(passages: Sequence[Passage]) -> list[Labelled]:
    """Return the first passages under the numbers the prompt gives them, each once."""
    different = {passage.passage_id: passage for passage in passages}.values()
    return [Labelled(number, passage) for number, passage in enumerate(different, start=1)][:MOST_SOURCES]
