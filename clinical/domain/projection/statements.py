"""AllergyIntolerance, Condition, Immunization, Procedure and FamilyMemberHistory to rows."""

from __future__ import annotations

import re
from typing import Any, Final

from clinical.domain.projection.dates import lower_bound
from clinical.domain.projection.elements import (
    Concept,
    Path,
    Resource,
    as_dict,
    as_list,
    as_number,
    as_str,
    choice,
    concept,
    concepts,
    first_code,
    unique,
)
from clinical.domain.projection.rows import (
    IN_ERROR,
    AllergyRow,
    ConditionRow,
    FamilyRow,
    ImmunizationRow,
    ProcedureRow,
)
from clinical.domain.projection.values import quantity_text

# SNOMED CT findings that record the absence of an allergy; all from memory, to be checked against a release.
NO_KNOWN_ALLERGY: Final = frozenset({
    "716186003", "409137002", "428607008", "429625007", "716184000", "716185004", "716220001", "428197003",
})  # fmt: skip
_NO_ALLERGY_TEXT: Final = re.compile(
    r"^\s*(?:no (?:known |history of )?(?:\w+ ){0,2}?(?:allerg\w+|intoleranc\w+)|nk(?:d|f)?a\b|nil known)",
    re.IGNORECASE,
)


def common(resource: Resource, about: Concept, name: str, *dates: str) -> dict[str, Any]:
    """Return the fields that every row has, with the element `name` as anchor."""
    effective, effective_path = choice(resource, *dates)
    path: Path = (name,) if name in resource else ()
    return {
        "resource_type": as_str(resource.get("resourceType")),
        "status": as_str(resource.get("status")) or "unknown",
        "codes": about.codes,
        "names": about.names,
        "text": about.text,
        "effective": effective,
        "effective_path": effective_path,
        "effective_sort": lower_bound(effective),
        "anchor": path,
        "name_path": path,
    }


def _onset(resource: Resource, stem: str) -> str:
    """Return onset[x] or abatement[x] as recorded: a date, an age ("45 a"), a range or a text."""
    recorded, _ = choice(resource, f"{stem}DateTime", f"{stem}Period", f"{stem}String")
    if recorded:
        return recorded
    ends = as_dict(resource.get(f"{stem}Range"))
    age = quantity_text(resource.get(f"{stem}Age"))
    between = " to ".join(filter(None, (quantity_text(ends.get("low")), quantity_text(ends.get("high")))))
    if age or between:
        return f"age {age or between}"
    return "yes, date not recorded" if resource.get(f"{stem}Boolean") is True else ""


def _clinical_status(resource: Resource) -> tuple[str, str, str]:
    clinical = first_code(resource.get("clinicalStatus"))
    verification = first_code(resource.get("verificationStatus"))
    status = verification if verification in (IN_ERROR, "refuted") else clinical or "unknown"
    return status, clinical, verification


def project_allergy(resource: Resource) -> list[AllergyRow]:
    """Return the row of an AllergyIntolerance; the reactions' substances count among its names."""
    about = concept(resource.get("code"))
    reactions = [as_dict(item) for item in as_list(resource.get("reaction"))]
    substances = concepts([item.get("substance") for item in reactions if "substance" in item])
    merged = Concept(
        about.codes + substances.codes,
        unique(about.names + substances.names),
        about.text or substances.text or "substance not named",
    )
    status, clinical, verification = _clinical_status(resource)
    fields = common(resource, merged, "code", "recordedDate", "onsetDateTime", "lastOccurrence")
    fields["status"] = status
    if not fields["anchor"] and "reaction" in resource:
        fields["anchor"] = fields["name_path"] = ("reaction",)
    bare = {code.partition("|")[2] for code in about.codes}
    return [
        AllergyRow(
            **fields,
            clinical=clinical,
            verification=verification,
            criticality=as_str(resource.get("criticality")),
            category=tuple(filter(None, map(as_str, as_list(resource.get("category"))))),
            reactions=unique(
                text
                for item in reactions
                for text in (concepts(item.get("manifestation")).text or as_str(item.get("description")),)
            ),
            severity="; ".join(unique(as_str(item.get("severity")) for item in reactions)),
            onset=_onset(resource, "onset"),
            negated=bool(bare & NO_KNOWN_ALLERGY) or any(map(_NO_ALLERGY_TEXT.match, about.names)),
        ),
    ]


def project_condition(resource: Resource) -> list[ConditionRow]:
    """Return the row of a Condition; `effective` is its onset, else when it was recorded."""
    fields = common(
        resource,
        concept(resource.get("code")),
        "code",
        "onsetDateTime",
        "onsetPeriod",
        "recordedDate",
        "assertedDate",
    )
    status, clinical, verification = _clinical_status(resource)
    fields["status"] = status
    fields["text"] = fields["text"] or "Condition without a name"
    return [
        ConditionRow(
            **fields,
            clinical=clinical,
            verification=verification,
            categories=tuple(filter(None, map(first_code, as_list(resource.get("category"))))),
            severity=concept(resource.get("severity")).text,
            body_site=concepts(resource.get("bodySite")).text,
            onset=_onset(resource, "onset"),
            abated=_onset(resource, "abatement"),
        ),
    ]


def project_immunization(resource: Resource) -> list[ImmunizationRow]:
    """Return the row of an Immunization."""
    fields = common(
        resource,
        concept(resource.get("vaccineCode")),
        "vaccineCode",
        "occurrenceDateTime",
        "occurrenceString",
        "recorded",
    )
    protocol = as_dict(next(iter(as_list(resource.get("protocolApplied"))), None))
    return [
        ImmunizationRow(
            **fields,
            status_reason=concept(resource.get("statusReason")).text,
            lot=as_str(resource.get("lotNumber")),
            dose_number=as_number(protocol.get("doseNumberPositiveInt")) or as_str(protocol.get("doseNumberString")),
            site=concept(resource.get("site")).text,
        ),
    ]


def project_procedure(resource: Resource) -> list[ProcedureRow]:
    """Return the row of a Procedure."""
    fields = common(
        resource,
        concept(resource.get("code")),
        "code",
        "performedDateTime",
        "performedPeriod",
        "performedString",
    )
    return [
        ProcedureRow(
            **fields,
            status_reason=concept(resource.get("statusReason")).text,
            end=as_str(as_dict(resource.get("performedPeriod")).get("end")),
            body_site=concepts(resource.get("bodySite")).text,
            outcome=concept(resource.get("outcome")).text,
            reason=concepts(resource.get("reasonCode")).text,
        ),
    ]


def project_family(resource: Resource) -> list[FamilyRow]:
    """Return a row for each condition of a relative; one without a condition when none is recorded."""
    relationship = concept(resource.get("relationship")).text or as_str(resource.get("name")) or "relative"
    conditions = [as_dict(item) for item in as_list(resource.get("condition"))] or [{}]
    rows = []
    for index, item in enumerate(conditions):
        fields = common(resource, concept(item.get("code")), "condition", "date")
        if "code" in item:
            fields["anchor"] = fields["name_path"] = ("condition", index, "code")
        rows.append(FamilyRow(**fields, relationship=relationship, onset=_onset(item, "onset")))
    return rows
