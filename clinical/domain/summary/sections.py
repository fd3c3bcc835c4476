"""The sections of a summary that facts alone fill, each line citing the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.allergies import AllergyStatus, allergies
from clinical.domain.facts.measurements import flag, row_of
from clinical.domain.facts.render import render, value_text
from clinical.domain.facts.statements import (
    code_status,
    encounters,
    immunizations,
    latest_vitals,
    patient,
    procedures,
)
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import CodeStatusRow, ImmunizationRow, MedicationRow, PatientRow
from clinical.domain.provenance import SourceStatus
from clinical.domain.route.answer import age
from clinical.domain.route.sentences import cites
from clinical.domain.summary.high_risk import risk_of
from clinical.domain.summary.line import Line
from clinical.domain.summary.results import alerts, awaited, latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust

PATIENT, CODE_STATUS, ALLERGIES, ALERTS = "Patient", "Code status", "Allergies", "Alerts"
MEDICATION, ABNORMAL, VITALS = "Medication in force", "Abnormal latest results", "Latest vital signs"
AWAITED, CONTACTS, PROCEDURES, VACCINES = "Pending", "Recent encounters", "Procedures", "Immunisations"
MOST_CONTACTS: Final = 5
MOST_PROCEDURES: Final = 6
MOST_VACCINES: Final = 12

_FOUR_WAYS: Final = {
    AllergyStatus.NOT_RECORDED: "No allergy is in force: every entry is resolved, inactive or entered in error.",
    AllergyStatus.NEVER_ASKED: "The record holds no allergy entry at all: not even that there are none.",
}


def line(fact: Fact, heading: str, lead: str = "") -> Line:
    """Return a fact's sentence under a heading."""
    return Line(f"{lead}{render(fact)}", heading, cites(fact))


def joined(text: str, heading: str, facts: Iterable[Fact]) -> Line:
    """Return one sentence that rests on several facts."""
    return Line(text, heading, tuple(place for fact in facts for place in cites(fact)[:1]))


def cut(facts: Sequence[Fact], most: int, heading: str, what: str) -> list[Line]:
    """Return a line a fact, and "5 of 12 encounters shown" where the list is cut."""
    lines = [line(fact, heading) for fact in facts[:most]]
    if len(facts) > most:
        lines.append(joined(f"{most} of {len(facts)} {what} shown.", heading, facts[most : most + 1]))
    return lines


def identity(facts: Sequence[Fact], today: date) -> list[Line]:
    """Return who the record is about, with the age in whole years on `today` or at death."""
    fact = patient(facts)
    if fact is None or not isinstance(fact.row, PatientRow):
        return [Line("The record held here has no patient resource: age and sex are not known.", PATIENT)]
    years = age(fact.row, today)
    aged = f" Age {years} on {display_date(fact.row.deceased or today.isoformat())}." if years else ""
    elements = (("birthDate", fact.row.birth_date), ("gender", fact.row.gender))
    paths = [(fact, (name,)) for name, value in elements if value]
    return [Line(f"{render(fact).rstrip('.')}.{aged}", PATIENT, tuple(paths) or cites(fact))]


def wishes(facts: Sequence[Fact]) -> list[Line]:
    """Return the statements on resuscitation in force, or that none is recorded."""
    found = code_status(facts)
    if not found:
        return [Line("No code status is recorded as data.", CODE_STATUS)]
    differ = len({fact.row.wish for fact in found if isinstance(fact.row, CodeStatusRow)}) > 1
    lead = "The record holds differing statements: " if differ else ""
    return [line(fact, CODE_STATUS, lead) for fact in found]


def allergy_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return the allergies: recorded, refuted, none known, not in force and never asked are told apart."""
    held = allergies(facts)
    lines = [line(fact, ALLERGIES) for fact in held.active]
    lead = "Beside the entries above, and in conflict with them: " if held.conflict else ""
    lines += [line(fact, ALLERGIES, lead) for fact in held.negatives]
    lines += [line(fact, ALLERGIES) for fact in held.refuted]
    said = _FOUR_WAYS.get(held.status)
    return [joined(said, ALLERGIES, held.past), *lines] if said else lines


def alert_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return the active flags."""
    return [line(fact, ALERTS) for fact in alerts(facts)]


def medicine_lines(medicines: Sequence[Fact], trust: Trust) -> list[Line]:
    """Return the medicines in force, all of them; high-risk ones first and named as such."""
    marked: list[Line] = []
    plain: list[Line] = []
    for fact in medicines:
        risk = risk_of(fact.row, trust=trust) if isinstance(fact.row, MedicationRow) else None
        if risk is None:
            plain.append(line(fact, MEDICATION))
            continue
        memory = trust.status(risk.provenance, risk.digest) is SourceStatus.FROM_MEMORY
        marked.append(line(fact, MEDICATION, f"High-risk ({risk.name}{', unverified list' if memory else ''}): "))
    return [*marked, *plain] or [Line("No medicine in force is recorded.", MEDICATION)]


def result_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return the abnormal latest results, all of them, and how many results nobody can judge by the record."""
    held = latest(facts)
    lines = [line(fact, ABNORMAL, _by_range(fact)) for fact in held.abnormal]
    if not lines and held.tests:
        lines.append(Line("No latest result is flagged or outside the reference range recorded with it.", ABNORMAL))
    if held.unjudged:
        count = f"{len(held.unjudged)} of the latest laboratory results"
        said = f"{count} carry neither a flag nor a reference range: whether they are abnormal is not recorded."
        lines.append(joined(said, ABNORMAL, held.unjudged[:1]))
    return lines or [Line("No result is recorded.", ABNORMAL)]


def _by_range(fact: Fact) -> str:
    row = row_of(fact)
    if row.interpretation:
        return ""
    return {"H": "Above its reference range: ", "L": "Below its reference range: "}.get(flag(row), "")


def vital_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return one line: the newest of each vital sign with its own time."""
    found = latest_vitals(facts)
    said = "; ".join(short_result(fact, with_time=True) for fact in found)
    return [joined(f"{said}.", VITALS, found)] if found else []


def short_result(fact: Fact, *, with_time: bool = False) -> str:
    """Return a result with its date in a few words: sample where it is not blood, status where it is not final."""
    row = row_of(fact)
    sample = f" ({row.sample})" if row.sample not in ("", "blood") and row.sample not in row.text.lower() else ""
    dated = f" on {display_date(row.effective, with_time=with_time)}" if row.effective else ""
    status = "" if row.status == "final" else f", {row.status}"
    return f"{row.text}{sample} {value_text(row.value, row.components)}{dated}{status}"


def awaited_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return open orders, unfinished reports and results not yet final, all of them."""
    found = awaited(facts)
    if not found:
        return [Line("No open order, unfinished report or preliminary result is recorded.", AWAITED)]
    return [line(fact, AWAITED, _AWAITED.get(fact.row.resource_type, "")) for fact in found]


_AWAITED: Final = {
    "ServiceRequest": "Open order: ",
    "DiagnosticReport": "Report not final: ",
    "Observation": "Result not final: ",
}


def contact_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return the newest encounters and procedures."""
    return [
        *cut(encounters(facts), MOST_CONTACTS, CONTACTS, "encounters"),
        *cut(procedures(facts), MOST_PROCEDURES, PROCEDURES, "procedures"),
    ]


def vaccine_lines(facts: Sequence[Fact]) -> list[Line]:
    """Return one line: each vaccine by its newest dose."""
    newest: dict[str, tuple[Fact, ImmunizationRow]] = {}
    for fact in immunizations(facts):
        if isinstance(fact.row, ImmunizationRow) and fact.row.status != "not-done":
            newest.setdefault(fact.row.text, (fact, fact.row))
    if not newest:
        return [Line("No immunisation is recorded as given.", VACCINES)]
    shown = list(newest.values())[:MOST_VACCINES]
    named = "; ".join(f"{row.text} {display_date(row.effective)}".strip() for _, row in shown)
    rest = f" {len(shown)} of {len(newest)} vaccines shown." if len(newest) > len(shown) else ""
    return [joined(f"Given, newest dose of each: {named}.{rest}", VACCINES, [fact for fact, _ in shown])]
