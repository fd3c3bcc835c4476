"""Events of the record that a question may count from: operations, admissions, visits, treatments begun or ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, of_kind
from clinical.domain.facts.medications import drug_names, names_drug
from clinical.domain.facts.naming import plain
from clinical.domain.facts.statements import about, encounters, immunizations, newest, problems_about, procedures
from clinical.domain.facts.tables import investigations
from clinical.domain.projection.dates import UNDATED, lower_bound
from clinical.domain.projection.rows import ConditionRow, EncounterRow, MedicationRow, PatientRow, ProcedureRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

STAYS: Final = {
    "inpatient": frozenset({"IMP", "ACUTE", "NONAC", "SS", "OBSENC"}),
    "emergency": frozenset({"EMER"}),
}
_OPERATION: Final = re.compile(
    r"ectomy|plasty|otomy|ostomy|rrhaphy|pexy|surg|operat|resection|excision|bypass|graft|transplant|amputation|"
    r"replacement of (?!contraceptive)|repair|fixation|arthrodesis|cesarean|laparoscop|arthroscop|craniot|hernior|"
    r"percutaneous coronary|stent|removal of (?!intrauterine)|\b(?:hip|knee|joint|valve) replacement"
)
_DONE: Final = frozenset({"completed", "finished", "in-progress", "unknown", "active", "arrived", "triaged", "onleave"})
_DAY: Final = timedelta(days=1)
_WHOLE_DATE: Final = len("2025-03-14")


class EventKind(StrEnum):
    """What kind of event is meant. NAMED is a procedure, problem, vaccination or kind of visit called by its name."""

    OPERATION = "operation"
    STAY = "stay"
    EMERGENCY = "emergency"
    VISIT = "visit"
    STARTED = "started"
    STOPPED = "stopped"
    NAMED = "named"
    BIRTH = "birth"


@dataclass(frozen=True, slots=True)
class Event:
    """An event found: [start, end) in time, timezone-aware, how it is called, the fact it rests on, how many fit.

    An event dated to the day (month, year) lasts that day (month, year). `end` is None while it goes on.
    """

    fact: Fact
    label: str
    recorded: str
    start: datetime
    end: datetime | None
    others: int = 0


@dataclass(frozen=True, slots=True)
class NoEvent:
    """Why no event was found: "no operation is recorded", "several different events fit: ..."."""

    why: str


Stretch = tuple[datetime | None, datetime | None]


def find_event(
    facts: Sequence[Fact], kind: EventKind, name: str, *, today: date, inside: Stretch = (None, None)
) -> Event | NoEvent:
    """Return the newest event of a kind up to `today`; of treatments begun, the first order.

    Args:
        facts: all current facts of one patient.
        kind: what is meant.
        name: comparable name of the drug, procedure, problem, vaccine or visit, where one was given.
        today: later events are not taken for past ones.
        inside: [from, to) in which the event has to begin, None where open.
    """
    first, last = inside
    found = [
        event
        for event in _FINDERS[kind](facts, name)
        if event.start.date() <= today
        and (first is None or event.start >= first)
        and (last is None or event.start < last)
    ]
    if not found:
        return NoEvent(f"no {f'{name} ' if name else ''}{_WORDS[kind]} is recorded with a date")
    if kind is EventKind.NAMED and len({plain(event.label) for event in found}) > 1 and not _exact(found, name):
        labels = "; ".join(dict.fromkeys(f"'{event.label}'" for event in found))
        return NoEvent(f"several different events fit '{name}': {labels}")
    found = _exact(found, name) or found
    found.sort(key=lambda event: event.start)
    chosen = found[0] if kind is EventKind.STARTED else found[-1]
    return Event(chosen.fact, chosen.label, chosen.recorded, chosen.start, chosen.end, len(found) - 1)


def _exact(found: Sequence[Event], name: str) -> list[Event]:
    return [event for event in found if any(plain(one) == name for one in event.fact.row.names)] if name else []


def _event(fact: Fact, recorded: str, end: str = "", label: str = "") -> Event | None:
    start = lower_bound(recorded)
    if start == UNDATED:
        return None
    return Event(fact, label or fact.row.text, recorded, start, after(end or recorded))


def after(recorded: str) -> datetime:
    """Return the first moment after a recorded date: the next day, month or year, or the moment itself."""
    start = lower_bound(recorded)
    if "T" in recorded:
        return start
    if len(recorded) >= _WHOLE_DATE:
        return start + _DAY
    year, month = start.year, start.month
    whole_year = len(recorded) < len("2025-03")
    later = (year + 1, 1) if whole_year or month == 12 else (year, month + 1)
    return datetime(*later, 1, tzinfo=UTC)


def _kept(events: Sequence[Event | None]) -> list[Event]:
    return [event for event in events if event is not None]


def _operations(facts: Sequence[Fact], _name: str) -> list[Event]:
    return _procedures([fact for fact in procedures(facts) if any(map(_OPERATION.search, map(plain, fact.row.names)))])


def _procedures(found: Sequence[Fact]) -> list[Event]:
    rows = [(fact, fact.row) for fact in found]
    return _kept(
        [
            _event(fact, row.effective, row.end)
            for fact, row in rows
            if isinstance(row, ProcedureRow) and row.status in _DONE
        ]
    )


def _visits(facts: Sequence[Fact], classes: frozenset[str] | None = None, name: str = "") -> list[Event]:
    events = []
    for fact in encounters(facts):
        row = fact.row
        if not isinstance(row, EncounterRow) or (classes is not None and row.encounter_class not in classes):
            continue
        called = set(plain(f"{' '.join(row.names)} {row.reason}").split())
        if name and not set(name.split()) <= called:
            continue
        event = _event(fact, row.effective, row.end, row.reason or row.text)
        if event is not None and row.status in ("in-progress", "arrived", "triaged", "onleave") and not row.end:
            event = Event(fact, event.label, event.recorded, event.start, None)
        events.append(event)
    return _kept(events)


def _started(facts: Sequence[Fact], name: str) -> list[Event]:
    return _kept([_event(fact, row.start or row.effective) for fact, row in _orders(facts, name)])


def _stopped(facts: Sequence[Fact], name: str) -> list[Event]:
    return _kept([_event(fact, row.end) for fact, row in _orders(facts, name) if row.end])


def _orders(facts: Sequence[Fact], name: str) -> list[tuple[Fact, MedicationRow]]:
    wanted = drug_names(name)
    return [
        (fact, row)
        for fact, row in of_kind(facts, MedicationRow)
        if row.resource_type in ("MedicationRequest", "MedicationStatement") and names_drug(row, wanted)
    ]


def _named(facts: Sequence[Fact], name: str) -> list[Event]:
    found = _procedures(about(procedures(facts), name, investigations()))
    found = found or _problems(problems_about(facts, name))
    found = found or _visits(facts, name=name)
    given = [fact for fact in about(immunizations(facts), name, ()) if fact.row.status == "completed"]
    return found or _kept([_event(fact, fact.row.effective) for fact in given])


def _problems(found: Sequence[Fact]) -> list[Event]:
    """Return problems from onset to their end; one that goes on has none."""
    events = []
    for fact in found:
        event = _event(fact, fact.row.effective, getattr(fact.row, "abated", ""))
        going_on = isinstance(fact.row, ConditionRow) and not fact.row.abated and fact.row.clinical != "resolved"
        events.append(replace(event, end=None) if event is not None and going_on else event)
    return _kept(events)


def _birth(facts: Sequence[Fact], _name: str) -> list[Event]:
    people = newest(fact for fact, _ in of_kind(facts, PatientRow))
    rows = [(fact, fact.row) for fact in people]
    return _kept([_event(fact, row.birth_date, label="birth") for fact, row in rows if isinstance(row, PatientRow)])


_FINDERS: Final[dict[EventKind, Callable[[Sequence[Fact], str], list[Event]]]] = {
    EventKind.OPERATION: _operations,
    EventKind.STAY: lambda facts, _name: _visits(facts, STAYS["inpatient"]),
    EventKind.EMERGENCY: lambda facts, _name: _visits(facts, STAYS["emergency"]),
    EventKind.VISIT: lambda facts, name: _visits(facts, name=name),
    EventKind.STARTED: _started,
    EventKind.STOPPED: _stopped,
    EventKind.NAMED: _named,
    EventKind.BIRTH: _birth,
}
_WORDS: Final = {
    EventKind.OPERATION: "operation",
    EventKind.STAY: "admission",
    EventKind.EMERGENCY: "emergency attendance",
    EventKind.VISIT: "visit",
    EventKind.STARTED: "start",
    EventKind.STOPPED: "stop",
    EventKind.NAMED: "event",
    EventKind.BIRTH: "birth date",
}
