"""The chart page as values: banner, problems, medicines, results with the previous value, vital signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.allergies import Allergies, AllergyStatus, allergies
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import flag, row_of, series
from clinical.domain.facts.medications import active_medications, past_medications
from clinical.domain.facts.render import range_text, render, value_text
from clinical.domain.facts.statements import (
    active_problems,
    code_status,
    immunizations,
    latest_vitals,
    past_problems,
    patient,
    recent_results,
)
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import AllergyRow, CodeStatusRow, PatientRow
from clinical.domain.route.answer import age

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact

NOT_ASKED: Final = "Not asked"
NONE_RECORDED: Final = "None recorded"
_LABELS: Final = {
    "MR": "MRN",
    "SS": "SSN",
    "NH": "NHS number",
    "NI": "National id",
    "DL": "Driving licence",
    "PPN": "Passport",
}
_HIDDEN: Final = frozenset({"SS", "DL", "PPN"})  # not needed to tell patients apart at the bedside


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list. `text` is the whole sentence; `name` its subject; open `fact` at `fact.row.anchor`."""

    name: str
    text: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner line that is never blank.

    `state` is a code for styling: recorded, conflict, none-known-recorded, refuted, not-recorded, never-asked
    for allergies; no-cpr, full, conflict, other, not-recorded for resuscitation.
    """

    text: str
    state: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Banner:
    """Who the page is about. `born` and `age` are "" when not recorded; `identifiers` are (label, value)."""

    name: str
    born: str
    age: str
    gender: str
    deceased: str
    identifiers: tuple[tuple[str, str], ...]
    allergies: Notice
    code_status: Notice


@dataclass(frozen=True, slots=True)
class ResultLine:
    """The newest result of one test. `flag` is "H", "L" or ""; `previous` "" when there is none.

    `conflicting` when the record holds another value for the same moment.
    """

    name: str
    sample: str
    value: str
    day: str
    flag: str
    reference: str
    status: str
    previous: str
    previous_day: str
    count: int
    fact: Fact
    previous_fact: Fact | None
    conflicting: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the chart page shows that comes from typed facts."""

    banner: Banner
    problems: tuple[Entry, ...]
    past_problems: tuple[Entry, ...]
    medications: tuple[Entry, ...]
    past_medications: tuple[Entry, ...]
    results: tuple[ResultLine, ...]
    vitals: tuple[ResultLine, ...]
    immunizations: tuple[Entry, ...]


def build_chart(facts: Sequence[Fact], *, today: date) -> Chart:
    """Assemble the chart from one patient's current facts; `today` gives the age and what is still in force."""
    vitals = [series(facts, measure_key(row_of(fact)))[::-1] for fact in latest_vitals(facts)]
    return Chart(
        banner=_banner(facts, today),
        problems=_entries(active_problems(facts)),
        past_problems=_entries(past_problems(facts)),
        medications=_entries(active_medications(facts, today=today)),
        past_medications=_entries(past_medications(facts, today=today)),
        results=tuple(_result(group) for _, group in recent_results(facts)),
        vitals=tuple(_result(group) for group in vitals),
        immunizations=_entries(immunizations(facts)),
    )


def allergy_notice(held: Allergies) -> Notice:
    """Return the allergy line of the banner: what is recorded, that there is none, or that nobody asked."""
    negative = next((fact for fact in held.negatives), None)
    match held.status:
        case AllergyStatus.RECORDED:
            text = "; ".join(_allergy_text(fact) for fact in held.active)
            if negative is not None:
                text = f"{text} (the record also says: {negative.row.text})"
            return Notice(text, "conflict" if held.conflict else "recorded", (*held.active, *held.negatives))
        case AllergyStatus.NONE_KNOWN if negative is not None:
            day = display_date(negative.row.effective) or "date not recorded"
            return Notice(f"{negative.row.text} (recorded {day})", held.status.value, held.negatives)
        case AllergyStatus.REFUTED:
            names = ", ".join(fact.row.text for fact in held.refuted)
            return Notice(f"{NONE_RECORDED}; refuted: {names}", held.status.value, held.refuted)
        case AllergyStatus.NOT_RECORDED:
            past = f"; no longer active: {', '.join(fact.row.text for fact in held.past)}" if held.past else ""
            return Notice(f"{NONE_RECORDED}{past}", held.status.value, held.past)
        case _:
            return Notice(NOT_ASKED, AllergyStatus.NEVER_ASKED.value)


def code_status_notice(facts: Sequence[Fact]) -> Notice:
    """Return the resuscitation line of the banner; statements that differ are all shown."""
    found = code_status(facts)
    if not found:
        return Notice(NONE_RECORDED, "not-recorded")
    wishes = {fact.row.wish for fact in found if isinstance(fact.row, CodeStatusRow)}
    state = wishes.pop() if len(wishes) == 1 else "conflict" if {"full", "no-cpr"} <= wishes else "other"
    return Notice("; ".join(render(fact).rstrip(".") for fact in found[:3]), state or "other", tuple(found))


def _banner(facts: Sequence[Fact], today: date) -> Banner:
    held, resuscitation = allergy_notice(allergies(facts)), code_status_notice(facts)
    fact = patient(facts)
    if fact is None or not isinstance(fact.row, PatientRow):
        return Banner("Name not recorded", "", "", "", "", (), held, resuscitation)
    row = fact.row
    return Banner(
        name=row.text,
        born=display_date(row.birth_date),
        age=age(row, today),
        gender=row.gender,
        deceased="yes" if row.deceased == "true" else display_date(row.deceased),
        identifiers=tuple(
            (_LABELS.get(kind, kind or "Id"), value) for kind, _, value in row.identifiers if kind not in _HIDDEN
        ),
        allergies=held,
        code_status=resuscitation,
    )


def _allergy_text(fact: Fact) -> str:
    row = fact.row
    if not isinstance(row, AllergyRow):
        return row.text
    reaction = f": {', '.join(row.reactions)}" if row.reactions else ""
    severe = " (high criticality)" if row.criticality == "high" else ""
    doubt = f" ({row.verification})" if row.verification in ("unconfirmed", "presumed") else ""
    return f"{row.text}{reaction}{severe}{doubt}"


def _entries(facts: Sequence[Fact]) -> tuple[Entry, ...]:
    return tuple(Entry(fact.row.text, render(fact), fact) for fact in facts)


def _result(group: Sequence[Fact]) -> ResultLine:
    newest = row_of(group[0])
    older = [fact for fact in group if fact.row.effective_sort < newest.effective_sort]
    previous = row_of(older[0]) if older else None
    same_time = [row_of(fact) for fact in group if fact.row.effective_sort == newest.effective_sort]
    return ResultLine(
        name=newest.text,
        sample=newest.sample,
        value=value_text(newest.value, newest.components),
        day=display_date(newest.effective, with_time=True),
        flag=flag(newest),
        reference="; ".join(range_text(bounds) for bounds in newest.ranges),
        status=newest.status,
        previous=value_text(previous.value, previous.components) if previous else "",
        previous_day=display_date(previous.effective) if previous else "",
        count=len(group),
        fact=group[0],
        previous_fact=older[0] if older else None,
        conflicting=len({row.value.text for row in same_time}) > 1,
    )
