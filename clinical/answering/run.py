"""One question from grant to answer, as a stream of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

from clinical.answering.absence import overlooked, prove
from clinical.answering.drafting import Draft, draft
from clinical.answering.events import (
    By,
    EvidenceFound,
    JudgementsNeeded,
    NotDocumented,
    RouteChosen,
    SafetyChecked,
    SentenceReady,
    SentenceWithheld,
    Status,
)
from clinical.answering.evidence import gather
from clinical.answering.fact_citations import FactCiter
from clinical.answering.guided import related_lookup
from clinical.answering.numbered import Sources, cited, holding, labelled
from clinical.answering.paths import own_path
from clinical.answering.safety import as_event, findings_for
from clinical.answering.settling import is_advice, notes_settle, shows_what_is_near
from clinical.domain.route import RouteKind, answer_by_code, lacks_a_half, route, vocabulary_of
from clinical.domain.route.sentences import sentence
from clinical.knowledge.approvals import trust
from clinical.record.consent import is_closed
from clinical.record.selectors import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from clinical.answering.events import AnswerEvent
    from clinical.answering.paths import OwnPath
    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact
    from clinical.domain.passages import Citation, Passage
    from clinical.domain.provenance import Trust
    from clinical.domain.route import CodeSentence, Intent, Route
    from clinical.domain.route.vocabulary import Vocabulary

OTHERWISE: Final = "The record says otherwise: "
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
    versions_read: int = 0  # of the patient's record, counted before it was read

    @property
    def citations(self) -> list[Citation]:
        """What the answer rests on: the citations of every sentence and finding shown."""
        found: list[Citation] = []
        for event in self.events:
            if isinstance(event, SentenceReady):
                found.extend(event.citations)
            elif isinstance(event, SafetyChecked):
                found.extend(citation for one in event.findings for citation in one.citations)
        return found

    @property
    def shown(self) -> int:
        """Sentences shown."""
        return sum(isinstance(event, SentenceReady) for event in self.events)

    @property
    def withheld(self) -> int:
        """Sentences withheld."""
        return sum(isinstance(event, SentenceWithheld) for event in self.events)


def answer(question: str, *, grant: AccessGrant, run: Run, now: datetime) -> Iterator[AnswerEvent]:
    """Answer from the granted patient's record as of `now` (timezone-aware); every event is also kept in `run`."""
    for event in _answer(question, grant=grant, run=run, now=now):
        run.events.append(event)
        yield event


def _answer(question: str, *, grant: AccessGrant, run: Run, now: datetime) -> Iterator[AnswerEvent]:
    with run.watch.stage("facts"):
        asked = _Asked(question, facts_of(grant), grant, now, trust(), FactCiter(grant))
    with run.watch.stage("route"):
        own = own_path(question, asked.facts, grant=grant, now=now, trust=asked.trust)
    about_record = own is None or (own.about_record and not own.about_other)
    if about_record and is_closed(grant.patient_id, now=now):
        run.route = RouteKind.CODE.value
        yield RouteChosen(run.route, "the patient has withdrawn consent")
        yield from _absent(asked, run)
        return
    if own is not None:
        yield from _own(own, asked, run)
        return
    with run.watch.stage("route"):
        vocabulary = vocabulary_of(asked.facts)
        chosen = route(question, vocabulary)
        run.route = chosen.kind.value
    yield RouteChosen(run.route, chosen.reason)
    yield from _checked(asked, chosen.intent, run)
    yield from _ordinary(asked, chosen, vocabulary, run)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question with everything it is answered from."""

    question: str
    facts: Sequence[Fact]
    grant: AccessGrant
    now: datetime
    trust: Trust
    citer: FactCiter

    @property
    def today(self) -> date:
        """The day of `now`."""
        return self.now.date()


def _checked(asked: _Asked, intent: Intent | None, run: Run, *, is_summary: bool = False) -> Iterator[AnswerEvent]:
    """Yield the medication check, where it has something to say to the question: before the answer, apart from it."""
    with run.watch.stage("medication check"):
        shown = findings_for(
            asked.question, intent, asked.facts, today=asked.today, trust=asked.trust, is_summary=is_summary
        )
    if shown is not None:
        yield as_event(shown, asked.citer)


def _own(own: OwnPath, asked: _Asked, run: Run) -> Iterator[AnswerEvent]:
    """Show an answer that was put together as a whole."""
    prepared = own.prepared
    run.route, run.status = prepared.route, prepared.status
    yield RouteChosen(run.route, prepared.reason)
    if own.about_record and not own.about_other:
        yield from _checked(asked, None, run, is_summary=own.is_summary)
    if prepared.sources:
        yield EvidenceFound(prepared.sources)
    yield from prepared.sentences
    if own.judgements:
        yield JudgementsNeeded(own.judgements)
    if prepared.status is Status.NOT_DOCUMENTED and own.about_record:
        yield from _absent(asked, run)


def _ordinary(asked: _Asked, chosen: Route, vocabulary: Vocabulary, run: Run) -> Iterator[AnswerEvent]:
    sources = Sources()
    by_code: list[SentenceReady] = []
    answered = partly = False
    beside = shows_what_is_near(chosen)
    if chosen.kind is not RouteKind.NOTES:
        with run.watch.stage("code"):
            outcome = answer_by_code(chosen, asked.facts, today=asked.today, trust=asked.trust)
            answered = outcome.answered
            partly = answered and lacks_a_half(chosen, outcome)
            said = outcome.sentences or (outcome.related if beside else ())
            by_code = [cited(one, asked.citer, sources) for one in said]
    quoted: list[SentenceReady] = []
    found: list[Passage] = []
    # A look-up that code answers needs no reading; everything else is looked for in the narrative too.
    if chosen.kind is not RouteKind.CODE or not answered or partly:
        with run.watch.stage("evidence"):
            evidence = gather(asked.question, grant=asked.grant, today=asked.today)
        for citation in evidence.quotes.quotes:
            passage = holding(citation, evidence.passages)
            sources.add(citation, passage.title, passage.effective)
            quoted.append(SentenceReady(citation.quote, By.QUOTE, (citation,)))
            found.append(passage)
        quoted += [
            SentenceReady(f"No sentence of the notes was found on: {one}.", By.CODE, ())
            for one in evidence.quotes.untold
        ]
        told = evidence.quotes.answered and notes_settle(chosen, asked.facts, found)
        answered = answered or told
    if not by_code and quoted and chosen.kind is RouteKind.NOTES:
        by_code = [cited(one, asked.citer, sources) for one in _near(asked, chosen, vocabulary)]
    if not answered:
        judged = chosen.kind is not RouteKind.NOTES
        left = overlooked(asked.question, asked.facts, today=asked.today, judged=judged)
        by_code += [cited(one, asked.citer, sources) for one in left]
        answered = bool(left)
    if sources.listed:
        yield EvidenceFound(tuple(sources.listed))
    yield from by_code
    yield from quoted
    if not answered:
        held = is_advice(chosen) and bool(by_code or quoted)
        run.status = Status.EVIDENCE_ONLY if held else Status.NOT_DOCUMENTED
        yield from _absent(asked, run)
        return
    run.status = Status.ANSWERED
    if quoted and chosen.kind is not RouteKind.CODE:
        with run.watch.stage("draft"):
            yield from draft(
                asked.question,
                labelled(found),
                run.draft,
                facts=asked.facts,
                tell=lambda fact: cited(sentence(fact, OTHERWISE), asked.citer, sources),
            )


def _near(asked: _Asked, chosen: Route, vocabulary: Vocabulary) -> Sequence[CodeSentence]:
    """Return facts shown beside what the notes say: the order whose reason is asked, or a look-up the model picked."""
    if shows_what_is_near(chosen):
        return answer_by_code(chosen, asked.facts, today=asked.today, trust=asked.trust).related[:MOST_NEAR]
    return related_lookup(asked.question, chosen, vocabulary, asked.facts, today=asked.today, trust=asked.trust)[
        :MOST_NEAR
    ]


def _absent(asked: _Asked, run: Run) -> Iterator[AnswerEvent]:
    with run.watch.stage("absence"):
        absence = prove(asked.grant, now=asked.now)
    yield NotDocumented(absence)
