"""Answers about the record as a whole: pending, out of range, changed, contradictory, due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.abnormal import can_be_judged, is_abnormal, is_critical, latest_by_test
from clinical.domain.facts.changes import changes, undated_stops
from clinical.domain.facts.conflicts import conflicts
from clinical.domain.facts.events import EventKind, NoEvent, after
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.immunization_schedule import DoseState, due
from clinical.domain.facts.measurements import flag, row_of
from clinical.domain.facts.render import render, value_text
from clinical.domain.facts.reports import pending
from clinical.domain.facts.statements import about, encounters, patient
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ObservationRow, PlanRow
from clinical.domain.provenance import DEMO, SourceStatus, Trust
from clinical.domain.route.intents import Act, CodeAnswer, CodeSentence, Topic
from clinical.domain.route.moments import Moment, resolve
from clinical.domain.route.sentences import answered, cites, not_found, sentence, statement, within
from clinical.domain.route.times import Between

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from clinical.domain.facts.changes import Change
    from clinical.domain.facts.fact import Fact
    from clinical.domain.facts.immunization_schedule import Due
    from clinical.domain.route.intents import Intent

RECORD_TOPICS: Final = frozenset({Topic.PENDING, Topic.ABNORMAL, Topic.CHANGES, Topic.CONFLICTS, Topic.DUE})
_LAST_VISIT: Final = Moment("since the last visit", "since", EventKind.VISIT)
_SHOWN: Final = 12
_TWO: Final = 2
_ORDER: Final = (DoseState.DUE, DoseState.UNDECIDED, DoseState.LATER, DoseState.UP_TO_DATE)


def answer_record(intent: Intent, facts: Sequence[Fact], today: date, *, trust: Trust = DEMO) -> CodeAnswer:
    """Answer what is pending, out of range, changed, contradictory or due."""
    match intent.topic:
        case Topic.PENDING:
            return _pending(intent, facts, today)
        case Topic.ABNORMAL:
            return _abnormal(intent, facts, today)
        case Topic.CHANGES:
            return _changes(intent, facts, today)
        case Topic.CONFLICTS:
            return _conflicts(facts, today)
        case _:
            return _due(intent, facts, today, trust)


def _pending(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    waiting = within(pending(facts), intent.window, today)
    if intent.target:
        waiting = [
            fact
            for fact in waiting
            if (isinstance(fact.row, ObservationRow) and measure_key(fact.row).concept == intent.target)
            or about([fact], intent.said.removesuffix(" pending"), ())
        ]
    if not waiting:
        return not_found(intent.said or "pending results")
    return answered([sentence(fact, _waiting_lead(fact)) for fact in waiting])


def _waiting_lead(fact: Fact) -> str:
    if isinstance(fact.row, PlanRow):
        return "Ordered, no result held here: "
    return "Not reported yet: " if fact.row.status == "registered" else "Not final: "


def _abnormal(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    latest = [fact for fact in latest_by_test(within(facts, intent.window, today)) if not _part_of_panel(fact)]
    judged = [fact for fact in latest if can_be_judged(fact)]
    if not judged:
        return not_found("results with a reference range or a flag")
    off = sorted(filter(is_abnormal, judged), key=lambda fact: not is_critical(fact))
    left = len(latest) - len(judged)
    told = f"; {left} more carry neither range nor flag" if left else ""
    head = f"{len(off)} of the latest results of {len(judged)} tests with a range or flag lie outside it{told}."
    leads = [("Flagged critical: " if is_critical(fact) else _side(fact)) for fact in off]
    return answered(
        [statement(head, off or judged[:1]), *(sentence(f, lead) for f, lead in zip(off, leads, strict=True))]
    )


def _part_of_panel(fact: Fact) -> bool:
    return bool(row_of(fact).panel) and not row_of(fact).ranges


def _side(fact: Fact) -> str:
    return {"H": "High: ", "L": "Low: "}.get(flag(row_of(fact)), "Flagged: ")


def _changes(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer what is new since the time asked about, else since the last visit before today."""
    if intent.window is not None and intent.moment is None:
        start, end = intent.window.bounds(today)
        window = Between(intent.window.words, start, end)
        reading = [_plain_reading(window, facts)]
    else:
        found = resolve(intent.moment or _LAST_VISIT, facts, today=today)
        if isinstance(found, NoEvent):
            return not_found(f"what changed ({found.why})")
        window, said = found
        reading = [said]
    if window.start is None:
        return not_found(f"what changed {window.words} (a beginning is needed)")
    inside = [one for one in changes(facts, window.start) if window.end is None or _begins(one) < window.end]
    sentences = [*reading]
    if not inside and (intent.moment or _LAST_VISIT).kind is EventKind.VISIT and intent.window is None:
        sentences.append(CodeSentence("Nothing in the record is dated after it.", reading[0].citations_from))
        inside, before = _at_the_last_visit(facts, window.start)
        sentences.extend(before)
    if not inside:
        return not_found(f"anything dated {window.words}", reading)
    for heading in dict.fromkeys(change.heading for change in inside):
        group = [change for change in inside if change.heading == heading]
        sentences.extend(_changed(change) for change in group[:_SHOWN])
        if len(group) > _SHOWN:
            cut = f"{_SHOWN} of {len(group)} shown under {heading.lower()}."
            sentences.append(statement(cut, [group[_SHOWN].fact], heading=heading))
    if undated := undated_stops(facts):
        note = f"{len(undated)} stopped order{'s' if len(undated) > 1 else ''} without a date cannot be placed in time."
        sentences.append(statement(note, undated, heading="Medicines"))
    return answered(sentences)


def _at_the_last_visit(facts: Sequence[Fact], end: datetime) -> tuple[list[Change], list[CodeSentence]]:
    """Return what the last visit itself brought against the one before, when nothing has been dated since."""
    visits = [fact for fact in encounters(facts) if fact.row.effective_sort < end]
    if len(visits) < _TWO:
        return [], []
    last, before = visits[0], visits[1]
    since = after(getattr(before.row, "end", "") or before.row.effective)
    found = [one for one in changes(facts, since) if one.fact is not last]
    day = display_date(before.row.effective)
    return found, [statement(f"New since the visit before that, of {day}:", [before])] if found else []


def _begins(change: Change) -> datetime:
    return change.fact.row.effective_sort


def _plain_reading(window: Between, facts: Sequence[Fact]) -> CodeSentence:
    start = display_date(window.start.date().isoformat()) if window.start else "the beginning"
    person = patient(facts)
    return CodeSentence(f"Read as: dated from {start} on.", cites(person) if person is not None else ())


def _changed(change: Change) -> CodeSentence:
    fact = change.fact
    text = f"{change.what.capitalize()}: {render(fact)}"
    places = [*cites(fact)]
    if isinstance(fact.row, ObservationRow):
        side = {"H": "high", "L": "low"}.get(flag(fact.row), "")
        text = f"{text.rstrip('.')}; {side}." if side and "flagged" not in text else text
        if change.before is not None:
            row = row_of(change.before)
            before = f"{value_text(row.value, row.components)} on {display_date(row.effective)}"
            text = f"{text} Before: {before}."
            places.extend(cites(change.before))
    return CodeSentence(text, tuple(places), change.heading)


def _conflicts(facts: Sequence[Fact], today: date) -> CodeAnswer:
    found = conflicts(facts, today=today)
    if not found:
        return not_found("contradictions of the kinds that are looked for")
    return answered(
        [sentence(fact, f"Both are recorded ({one.about}): ") for one in found for fact in one.sides],
    )


def _due(intent: Intent, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:
    """Answer by the schedule: due first, then what it cannot decide; "up to date" only where that was asked about."""
    judged = sorted(
        due(facts, today=today, asked=intent.target, trust=trust),
        key=lambda one: _ORDER.index(one.state),
    )
    if not judged:
        return not_found(f"{intent.said} in the schedule held")
    person = patient(facts)
    if person is None:
        return not_found("birth date")
    sentences = []
    for one in judged:
        places = [(person, ("birthDate",)), *(place for fact in one.doses[:5] for place in cites(fact))]
        sentences.append(CodeSentence(_due_text(one, today), tuple(places)))
    if Act.COUNT in intent.acts:
        count = sum(one.state is DoseState.DUE for one in judged)
        sentences.insert(0, CodeSentence(f"{count} due by the schedule held.", ((person, ("birthDate",)),)))
    elif {Act.WHEN, Act.LATEST} <= set(intent.acts):  # "up to date?"
        if intent.target and not any(one.doses for one in judged):
            return CodeAnswer(tuple(sentences), absent=f"dose of {intent.said}")
        sentences.insert(0, CodeSentence(_verdict(judged), ((person, ("birthDate",)),)))
    return answered(sentences)


def _verdict(judged: Sequence[Due]) -> str:
    """Return whether all is up to date by the schedule; what it cannot decide is said, and never counted as given."""
    overdue = sum(one.state is DoseState.DUE for one in judged)
    unsure = sum(one.state is DoseState.UNDECIDED for one in judged)
    left = f" {unsure} cannot be decided by it." if unsure else ""
    if overdue:
        return f"Not up to date by the schedule held and the doses recorded here: {overdue} due.{left}"
    if unsure:
        return f"Whether all is up to date cannot be told: nothing is due by the schedule held, but{left.lower()}"
    return "Up to date by the schedule held and the doses recorded here."


def _due_text(one: Due, today: date) -> str:
    last = f" Last dose {display_date(one.doses[0].row.effective)}." if one.doses else ""
    source = ""
    if one.provenance is not None:
        doubt = ", unverified" if one.provenance.status is SourceStatus.FROM_MEMORY else ""
        source = f" [{one.provenance.source}, {one.provenance.edition}{doubt}]"
    return f"{one.name}: {one.state.value} on {display_date(today.isoformat())}: {one.why}.{last}{source}"
