"""Typed rows: what a FHIR R4 resource version states as data. One class a kind.

Every date is kept as recorded; `effective_sort` orders only. Numbers are the record's own digits,
as text. `status` is "entered-in-error" whenever the resource says so in any of its status elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - payloads are decoded by the types of the fields
from typing import ClassVar, TypeAlias

from clinical.domain.projection.elements import Path  # noqa: TC001 - as above

IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What all kinds share.

    `codes` are "system|code"; `names` all display texts, `text` the one to show. `effective` is the
    clinically relevant FHIR date as recorded, found at `effective_path`; `effective_sort` its earliest
    moment. `anchor` is the JSON path of the part that bears the fact, `name_path` of what it is about.
    """

    kind: ClassVar[str] = ""
    resource_type: str
    status: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    text: str
    effective: str
    effective_path: Path
    effective_sort: datetime
    anchor: Path
    name_path: Path = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as recorded.

    `type` is quantity, string, codeable, boolean, integer, range, ratio, time, other or none.

    `number` holds the digits, `comparator` one of "<", "<=", ">=", ">" or "", `unit` the unit as shown
    and `ucum` its UCUM code. A range or ratio has its two ends in `low` and `high`.
    """

    type: str = "none"
    text: str = ""
    number: str = ""
    comparator: str = ""
    unit: str = ""
    ucum: str = ""
    low: str = ""
    high: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRange:
    """A reference range of the day: digits, unit, text, and the code of its meaning ("normal", ...)."""

    low: str = ""
    high: str = ""
    unit: str = ""
    ucum: str = ""
    text: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One measured part of an observation, such as systolic pressure."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    text: str
    value: Value
    absent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRow(Row):
    """A measurement or finding. `panel` names the observation a component row belongs to.

    `sample` is what was examined where the record says so: blood, urine, csf, stool, saliva, swab,
    fluid; else "". `absent` is the reason why there is no value. `based_on` are references to the orders.
    """

    kind: ClassVar[str] = "observation"
    value: Value
    absent: str
    ranges: tuple[ReferenceRange, ...]
    interpretation: tuple[str, ...]
    categories: tuple[str, ...]
    sample: str
    components: tuple[Component, ...]
    panel: str
    method: str
    issued: str
    based_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicationRow(Row):
    """An order, statement, administration or dispense of a medicine. `start`/`end` as recorded.

    `requester` is the recorded name of who ordered it, "" where the record only refers to somebody. `reasons` are
    references to the conditions it is given for, as recorded.
    """

    kind: ClassVar[str] = "medication"
    intent: str
    dosage: str
    dose: str
    route: str
    timing: str
    as_needed: bool
    reason: str
    status_reason: str
    status_reason_path: Path
    start: str
    end: str
    do_not_perform: bool
    reported: bool
    ingredients: tuple[str, ...]
    requester: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyRow(Row):
    """An allergy or intolerance; `negated` when it records that there is none ("no known allergy")."""

    kind: ClassVar[str] = "allergy"
    clinical: str
    verification: str
    criticality: str
    category: tuple[str, ...]
    reactions: tuple[str, ...]
    severity: str
    onset: str
    negated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRow(Row):
    """A problem or diagnosis. `abated` is the recorded end, "" when none."""

    kind: ClassVar[str] = "condition"
    clinical: str
    verification: str
    categories: tuple[str, ...]
    severity: str
    body_site: str
    onset: str
    abated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmunizationRow(Row):
    """A vaccination given, or not (status "not-done")."""

    kind: ClassVar[str] = "immunization"
    status_reason: str
    lot: str
    dose_number: str
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureRow(Row):
    """A procedure; `end` the recorded end of its period."""

    kind: ClassVar[str] = "procedure"
    status_reason: str
    end: str
    body_site: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncounterRow(Row):
    """A contact with care. `encounter_class` is the HL7 v3 ActCode (AMB, IMP, EMER, ...)."""

    kind: ClassVar[str] = "encounter"
    encounter_class: str
    end: str
    reason: str
    location: str
    discharge: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow(Row):
    """A diagnostic report and its conclusion; `results` are the references of its observations.

    `coded` are the texts of its coded conclusions where it has one in words too, `based_on` references to its orders.
    """

    kind: ClassVar[str] = "report"
    conclusion: str
    categories: tuple[str, ...]
    results: tuple[str, ...]
    coded: tuple[str, ...] = ()
    based_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStatusRow(Row):
    """A statement on resuscitation. `wish` is "no-cpr", "full", or "" when the text has to be read."""

    kind: ClassVar[str] = "code-status"
    wish: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRow(Row):
    """Who the record is about. `deceased` is "", "true" or the recorded dateTime."""

    kind: ClassVar[str] = "patient"
    birth_date: str
    gender: str
    deceased: str
    identifiers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRow(Row):
    """A relative's condition, never the patient's; with an empty `text` only the relative is recorded."""

    kind: ClassVar[str] = "family-history"
    relationship: str
    onset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow(Row):
    """A care plan, goal, service request or similar intention; `requester` who asked for it, where named."""

    kind: ClassVar[str] = "plan"
    intent: str
    end: str
    activities: tuple[str, ...]
    requester: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericRow(Row):
    """Any other resource: its type, code text and date."""

    kind: ClassVar[str] = "other"


TypedRow: TypeAlias = (
    ObservationRow
    | MedicationRow
    | AllergyRow
    | ConditionRow
    | ImmunizationRow
    | ProcedureRow
    | EncounterRow
    | ReportRow
    | CodeStatusRow
    | PatientRow
    | FamilyRow
    | PlanRow
    | GenericRow
)
