"""What matters about a patient at the moment his chart is opened, from the record's facts by rule.

Which spans of time count is this product's own decision; what is critical, abnormal or pending is the record's word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.domain.cds.card import Card, Indicator
from clinical.domain.cds.markdown import bullets
from clinical.domain.cds.vitals import vitals_report
from clinical.domain.facts.abnormal import is_abnormal, is_critical, latest_by_test
from clinical.domain.facts.allergies import allergies
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import row_of
from clinical.domain.facts.render import render
from clinical.domain.facts.reports import pending
from clinical.domain.facts.statements import code_status
from clinical.domain.facts.tables import measurements
from clinical.domain.medication_safety import Severity, check
from clinical.domain.projection.dates import UNDATED
from clinical.domain.projection.rows import CodeStatusRow, ObservationRow
from clinical.domain.scores import formulas
from clinical.domain.summary.sections import short_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust

MOST_CARDS: Final = 2
NEW: Final = timedelta(hours=72)
OVERDUE: Final = timedelta(days=7)
FORGOTTEN: Final = timedelta(days=90)  # an order that nobody closed for longer tells nothing about today
SOURCE: Final = "Record held on this site, by rule"
_AHEAD: Final = timedelta(hours=1)  # clocks of devices differ
_WISHES: Final = "statements on resuscitation contradict each other"
_ALLERGIES: Final = "allergy entries contradict each other"


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that matters now. `topic` changes with what the record says, so that news is never kept quiet."""

    what: str
    indicator: Indicator
    summary: str
    lines: tuple[str, ...]
    topic: str
    question: str
    is_vital: bool = False


def matters(facts: Sequence[Fact], *, now: datetime, trust: Trust) -> list[Matter]:
    """Return what matters now, gravest first; nothing for a patient of whom nothing is new, open or contradictory.

    Args:
        facts: all current facts of one patient that may be read.
        now: timezone-aware; results count as new for NEW, open orders from OVERDUE to FORGOTTEN.
        trust: which rows of the tables may be used here.
    """
    results = latest_by_test(fact for fact in facts if _is_new(fact, now))
    found = [
        *_critical(results),
        *_contradictions(facts),
        *_contraindicated(facts, now, trust),
        *(_vitals(facts, now, trust) if any(_is_fresh_vital(fact, now) for fact in facts) else ()),
        *_abnormal(results),
        *_open(facts, now),
    ]
    return sorted(found, key=lambda one: _RANK[one.indicator])


def as_alarms(found: Sequence[Matter]) -> list[Matter]:
    """Return the matters with raised vital signs as warnings: for a site that has made them its own alarm policy."""
    raised = [replace(one, indicator=Indicator.WARNING) if one.is_vital else one for one in found]
    return sorted(raised, key=lambda one: _RANK[one.indicator])


def view_cards(found: Sequence[Matter]) -> list[Card]:
    """Return at most two cards: the gravest matter, and the others together."""
    if len(found) <= MOST_CARDS:
        return [_card(one) for one in found]
    others = found[1:]
    together = Card(
        summary=f"{len(others)} more points: {'; '.join(one.what for one in others)}",
        indicator=others[0].indicator,
        source=SOURCE,
        detail="\n\n".join(f"{bullets([one.summary, *one.lines])}" for one in others),
        topics=tuple(one.topic for one in others),
        question="Summarise this chart.",
    )
    return [_card(found[0]), together]


def _card(one: Matter) -> Card:
    return Card(one.summary, one.indicator, SOURCE, bullets(list(one.lines)), (one.topic,), one.question)


_RANK: Final = {Indicator.CRITICAL: 0, Indicator.WARNING: 1, Indicator.INFO: 2}


def _is_new(fact: Fact, now: datetime) -> bool:
    return now - NEW <= fact.row.effective_sort <= now + _AHEAD


def _is_fresh_vital(fact: Fact, now: datetime) -> bool:
    """Return whether a NEWS2 could rest on the fact: a vital sign of its last hours."""
    if not isinstance(fact.row, ObservationRow) or fact.row.effective_sort < now - formulas()["news2"].limit:
        return False
    known = measurements().get(measure_key(fact.row).concept)
    return known is not None and known.group == "vital"


def _critical(results: Sequence[Fact]) -> Iterator[Matter]:
    for fact in results:
        if is_critical(fact):
            row = row_of(fact)
            known = measurements().get(measure_key(row).concept)
            yield Matter(
                what="a result flagged critical",
                indicator=Indicator.CRITICAL,
                summary=f"Flagged critical in the record: {short_result(fact, with_time=True)}",
                lines=(render(fact), f"Source: {fact.resource}, version {fact.version}."),
                topic=_topic("critical", [fact]),
                question=f"Latest {known.name if known else row.text} and trend?",
            )


def _contradictions(facts: Sequence[Fact]) -> Iterator[Matter]:
    wishes, held = code_status(facts), allergies(facts)
    differ = {"full", "no-cpr"} <= {fact.row.wish for fact in wishes if isinstance(fact.row, CodeStatusRow)}
    for what, question, sides in (
        (_WISHES, "What is the code status?", wishes if differ else []),
        (_ALLERGIES, "Which allergies are recorded?", [*held.active, *held.negatives] if held.conflict else []),
    ):
        if sides:
            yield Matter(
                what=what,
                indicator=Indicator.WARNING,
                summary=f"In the record, {what}.",
                lines=tuple(f"{render(fact)} ({fact.resource})" for fact in sides),
                topic=_topic(what, sides),
                question=question,
            )


def _contraindicated(facts: Sequence[Fact], now: datetime, trust: Trust) -> Iterator[Matter]:
    for one in check(facts, today=now.date(), trust=trust).findings:
        if one.severity is Severity.CONTRAINDICATED:
            cited = [fact for fact, _ in one.citations_from]
            yield Matter(
                what="a medication finding",
                indicator=Indicator.WARNING,
                summary=one.text,
                lines=(f"Table: {one.source}, {one.edition} ({one.status}).", f"Rests on: {_named(cited)}."),
                topic=_topic(f"safety {one.row}", cited),
                question="Are there interactions or allergies to consider among the medicines?",
            )


def _vitals(facts: Sequence[Fact], now: datetime, trust: Trust) -> Iterator[Matter]:
    report = vitals_report(facts, now=now, trust=trust)
    if report.is_raised:
        total = f"NEWS2 {report.total}" if report.total is not None else f"NEWS2 at least {report.at_least}"
        yield Matter(
            what=total,
            indicator=Indicator.INFO,
            summary=f"{report.headline}, from vital signs of {report.as_of}",
            lines=(
                *report.inputs,
                *report.limits,
                *((f"In the words of the source: {report.band}.",) if report.band else ()),
                report.source,
            ),
            topic=f"{total.lower()} {report.as_of}",
            question="NEWS2?",
            is_vital=True,
        )


def _abnormal(results: Sequence[Fact]) -> Iterator[Matter]:
    found = [fact for fact in results if is_abnormal(fact) and not is_critical(fact)]
    if found:
        said = "; ".join(short_result(fact) for fact in found)
        yield Matter(
            what=f"{len(found)} new out of range",
            indicator=Indicator.INFO,
            summary=f"New and outside the range recorded with it: {said}",
            lines=tuple(f"{render(fact)} ({fact.resource})" for fact in found),
            topic=_topic("abnormal", found),
            question="Which latest results are abnormal?",
        )


def _open(facts: Sequence[Fact], now: datetime) -> Iterator[Matter]:
    # What ends an order is not older than the order, so that older facts need not be gone through.
    since = now - FORGOTTEN
    recent = [fact for fact in facts if fact.row.effective_sort >= since or fact.row.effective_sort == UNDATED]
    found = [fact for fact in pending(recent) if since <= fact.row.effective_sort <= now + _AHEAD]
    if found:
        late = [fact for fact in found if now - fact.row.effective_sort > OVERDUE]
        names = "; ".join(dict.fromkeys(fact.row.text for fact in late or found))
        said = f"Ordered over {OVERDUE.days} days ago, no final result" if late else "Pending"
        yield Matter(
            what=f"{len(found)} pending" + (f", {len(late)} for over {OVERDUE.days} days" if late else ""),
            indicator=Indicator.INFO,
            summary=f"{said}: {names}",
            lines=tuple(f"{render(fact)} ({fact.resource})" for fact in found),
            topic=_topic("pending", found),
            question="What is pending?",
        )


def _topic(kind: str, facts: Iterable[Fact]) -> str:
    return f"{kind} {sorted({f'{fact.resource} {fact.version}' for fact in facts})}"


def _named(facts: Iterable[Fact]) -> str:
    return ", ".join(dict.fromkeys(fact.resource for fact in facts))
