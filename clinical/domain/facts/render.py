"""One plain sentence for each fact: the record's digits, units and names; dates with the month in letters.

Sentences are for display and for the index of words; a citation always points at the record itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import (
    IN_ERROR,
    AllergyRow,
    CodeStatusRow,
    Component,
    ConditionRow,
    EncounterRow,
    FamilyRow,
    GenericRow,
    ImmunizationRow,
    MedicationRow,
    ObservationRow,
    PatientRow,
    PlanRow,
    ProcedureRow,
    ReferenceRange,
    ReportRow,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.rows import TypedRow

_TAKEN = {
    "MedicationRequest": "ordered",
    "MedicationStatement": "recorded as taken",
    "MedicationAdministration": "given",
    "MedicationDispense": "dispensed",
}
_NOT_TAKEN = {
    "MedicationStatement": frozenset({"not-taken", "intended", "unknown"}),
    "MedicationAdministration": frozenset({"not-done", "unknown"}),
    "MedicationDispense": frozenset({"declined", "cancelled", "preparation", "unknown"}),
}
_CLASSES = {
    "AMB": "outpatient", "IMP": "inpatient", "EMER": "emergency", "ACUTE": "inpatient", "NONAC": "inpatient",
    "HH": "home health", "VR": "virtual", "OBSENC": "observation", "SS": "short stay", "FLD": "field",
}  # fmt: skip
CODES_OF_TWO = 2


class NotAFactError(Exception):
    """The row was entered in error and is never shown as a fact."""

    def __init__(self) -> None:
        super().__init__("entered-in-error")
        self.reason = "entered-in-error"


def render(fact: Fact) -> str:
    """Return one plain sentence, the status shown; text of the record is inserted as it stands.

    Raises:
        NotAFactError: the row's status is entered-in-error.
    """
    row = fact.row
    if row.status == IN_ERROR:
        raise NotAFactError
    return _sentence(row) + "."


def _sentence(row: TypedRow) -> str:  # noqa: C901 - one case a kind
    match row:
        case ObservationRow():
            return observation_text(row)
        case MedicationRow():
            return medication_text(row)
        case AllergyRow():
            return _allergy(row)
        case ConditionRow():
            return _condition(row)
        case ImmunizationRow():
            return _immunization(row)
        case ProcedureRow():
            return _procedure(row)
        case EncounterRow():
            return _encounter(row)
        case ReportRow():
            concluded = f": {row.conclusion.rstrip('.')}" if row.conclusion else ""
            coded = row.coded and f"coded conclusion {', '.join(row.coded)}"
            return _joined([f"{row.text or 'Report'}{on(row.effective)}{concluded}", coded, row.status])
        case CodeStatusRow():
            said = row.text if row.statement == row.text else f"{row.text}: {row.statement}"
            return _joined([f"{said}{on(row.effective, 'recorded')}", row.status])
        case PatientRow():
            return _patient(row)
        case FamilyRow():
            what = f"{row.text or 'no condition recorded'} ({row.relationship})"
            return _joined([f"Family history: {what}", row.onset and f"onset {display_date(row.onset)}"])
        case PlanRow():
            activities = f"includes {', '.join(row.activities)}" if row.activities else ""
            return _joined([f"{row.resource_type}: {row.text}{on(row.effective, 'from')}", activities, row.status])
        case GenericRow():
            return _joined([f"{row.resource_type}: {row.text}{on(row.effective)}", row.status])


def on(recorded: str, word: str = "on", *, with_time: bool = False) -> str:
    """Return " on 14-Mar-2025", or "" for an undated fact; "in" for a month or year."""
    if not recorded:
        return ""
    partial = len(recorded) < len("2025-03-14") and recorded[:4].isdigit()
    word = {"on": "in", "recorded": "recorded"}.get(word, word) if partial else word
    return f" {word} {display_date(recorded, with_time=with_time)}"


def value_text(value: Value, components: Sequence[Component] = ()) -> str:
    """Return a value as the record gives it; a blood pressure panel as "131/85 mmHg"."""
    if value.type != "none":
        return value.text
    measured = [part for part in components if part.value.type != "none"]
    units = {part.value.unit for part in measured}
    codes = [code.partition("|")[2] for part in measured for code in part.codes]
    if len(measured) == CODES_OF_TWO and len(units) == 1 and {"8480-6", "8462-4"} <= set(codes):
        upper, lower = sorted(measured, key=lambda part: not any("8480-6" in code for code in part.codes))
        comparators = upper.value.comparator + lower.value.comparator
        if not comparators:
            return f"{upper.value.number}/{lower.value.number} {units.pop()}".strip()
    return ", ".join(f"{part.text} {part.value.text}" for part in measured)


def range_text(bounds: ReferenceRange) -> str:
    """Return "4.0–5.6 %", "below 5.6 %" or the range's own text."""  # noqa: RUF002 - an en dash between numbers
    unit = f" {bounds.unit}" if bounds.unit else ""
    if bounds.low and bounds.high:
        return f"{bounds.low}–{bounds.high}{unit}"  # noqa: RUF001 - an en dash between numbers
    if bounds.low or bounds.high:
        return f"from {bounds.low}{unit}" if bounds.low else f"up to {bounds.high}{unit}"
    return bounds.text


def observation_text(row: ObservationRow) -> str:
    """Return name, value, date, reference range of the day, recorded flag and status."""
    shown = value_text(row.value, row.components)
    name = (
        f"{row.text} ({row.sample})"
        if row.sample not in ("", "blood") and row.sample not in row.text.lower()
        else row.text
    )
    if not shown:
        why = row.absent or ("pending" if row.status == "registered" else "not recorded")
        return _joined([f"{name}: no value, {why}{on(row.effective, with_time=True)}", row.status])
    joint = " " if row.value.type in ("quantity", "none", "integer") else ": "
    ranges = "; ".join(range_text(bounds) for bounds in row.ranges)
    parts = f" (reference {ranges})" if ranges else ""
    flagged = f"flagged {'/'.join(row.interpretation)}" if row.interpretation else ""
    return _joined([f"{name}{joint}{shown}{on(row.effective, with_time=True)}{parts}", flagged, row.status])


def medication_text(row: MedicationRow) -> str:
    """Return drug, dosage, what happened to it (ordered, given, ...), reason and status.

    An order is worded as an order: it does not say that the medicine is taken.
    """
    dosage = row.dosage or " ".join(filter(None, (row.dose, row.route, row.timing)))
    dosage = f"{dosage} as needed" if row.as_needed and dosage and "needed" not in dosage.lower() else dosage
    act = _TAKEN.get(row.resource_type, "recorded")
    if row.status in _NOT_TAKEN.get(row.resource_type, ()):
        act = "recorded"
    if row.do_not_perform:
        act = "ordered NOT to be given"
    elif row.resource_type == "MedicationRequest" and row.intent in ("proposal", "plan", "option"):
        act = f"{'planned' if row.intent == 'plan' else 'proposed'}, not ordered,"
    elif row.resource_type == "MedicationRequest" and row.reported:
        act = "reported as prescribed elsewhere"
    head = f"{row.text}{', ' + dosage if dosage else ''}: {act}{on(row.effective)}"
    return _joined([head, row.reason and f"for {row.reason}", _ending(row)])


def _ending(row: MedicationRow) -> str:
    ended = row.end and f" {'until' if row.status == 'active' else 'on'} {display_date(row.end)}"
    because = row.status_reason and f" because of: {row.status_reason}"
    undated = " (date not recorded)" if row.status == "stopped" and not row.end else ""
    return f"{row.status}{ended}{undated}{because}"


def _allergy(row: AllergyRow) -> str:
    recorded = on(row.effective, "recorded").strip()
    if row.negated:
        return _joined([f"Recorded negative: {row.text}", recorded, row.status])
    if row.verification == "refuted":
        return _joined([f"Allergy refuted: {row.text}", recorded])
    severity = f" ({row.severity})" if row.severity else ""
    return _joined(
        [
            f"Allergy or intolerance: {row.text}",
            row.reactions and f"reaction {', '.join(row.reactions)}{severity}",
            row.criticality and f"criticality {row.criticality}",
            recorded,
            ", ".join(filter(None, (row.clinical, row.verification))),
        ]
    )


def _condition(row: ConditionRow) -> str:
    name = f"{row.text} ({row.body_site})" if row.body_site else row.text
    status = ", ".join(filter(None, (row.clinical, row.verification)))
    return _joined(
        [
            f"{name}: {status or 'status not recorded'}",
            row.severity,
            (row.onset and f"onset {display_date(row.onset)}")
            or (row.effective and on(row.effective, "recorded").strip()),
            row.abated and f"ended {display_date(row.abated)}",
        ]
    )


def _immunization(row: ImmunizationRow) -> str:
    name = row.text if "vaccin" in row.text.lower() else f"{row.text} vaccine"
    if row.status == "not-done":
        return _joined([f"{name}: not given{on(row.effective)}", row.status_reason])
    dose = row.dose_number and f"dose {row.dose_number}"
    return _joined(
        [
            f"{name}: given{on(row.effective)}",
            dose,
            "" if row.status == "completed" else row.status,
        ]
    )


def _procedure(row: ProcedureRow) -> str:
    reason = row.status_reason and f"because of: {row.status_reason}"
    name = f"{row.text} ({row.body_site})" if row.body_site else row.text
    return _joined([f"{name}{on(row.effective)}", row.reason and f"for {row.reason}", row.outcome, row.status, reason])


def _encounter(row: EncounterRow) -> str:
    kind = _CLASSES.get(row.encounter_class, row.encounter_class)
    until = f" to {display_date(row.end)}" if row.end and row.end[:10] != row.effective[:10] else ""
    name = row.text if row.text != row.encounter_class else "Encounter"
    return _joined(
        [
            f"{name}{f' ({kind})' if kind else ''}{on(row.effective)}{until}",
            row.reason and f"for {row.reason}",
            row.location and f"at {row.location}",
            row.discharge and f"discharged to {row.discharge}",
            "" if row.status == "finished" else row.status,
        ]
    )


def _patient(row: PatientRow) -> str:
    died = "deceased" if row.deceased == "true" else row.deceased and f"died{on(row.deceased)}"
    born = f"born {display_date(row.birth_date)}" if row.birth_date else "birth date not recorded"
    return _joined([row.text, born, row.gender or "sex not recorded", died])


def _joined(parts: Sequence[str | tuple[str, ...]]) -> str:
    return "; ".join(part.rstrip(".") for part in parts if isinstance(part, str) and part)
