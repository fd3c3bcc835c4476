"""One check of a patient's medicines against the rules in force."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.allergy_rules import check_allergies
from clinical.domain.medication_safety.dose_rules import check_patient
from clinical.domain.medication_safety.medicines import asked_about, standing
from clinical.domain.medication_safety.pair_rules import check_pairs
from clinical.domain.medication_safety.patient import PatientState
from clinical.domain.medication_safety.report import Finding, SafetyReport
from clinical.domain.medication_safety.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.medication_safety.medicines import Medicine
    from clinical.domain.provenance import Trust

_WHAT: Final = {
    tables.ALLERGIES: "allergies",
    tables.INTERACTIONS: "interactions",
    tables.DUPLICATES: "therapeutic duplication",
    tables.DOSE_LIMITS: "doses",
    tables.RENAL_LIMITS: "kidney function",
    tables.PREGNANCY: "pregnancy",
}


def check(facts: Sequence[Fact], *, asked: Sequence[str] = (), today: date, trust: Trust) -> SafetyReport:
    """Check standing medicines, and those the question asks about as if ordered, by the rules in force.

    What cannot be checked (an unknown medicine, dose or allergen, a missing value) is said to be so; no
    finding never means safe. The order of `facts` and `asked` does not matter.

    Args:
        facts: all current facts of one patient.
        asked: medicines or classes that the question names.
        today: the day the medicines are in force on.
        trust: which rows may be used here.
    """
    rules = rules_of(trust)
    ordered = standing(facts, today=today, trust=trust)
    wanted = [asked_about(name, trust) for name in sorted(set(asked))]
    medicines = [*ordered, *(_expanded(one, trust) for one in wanted)]
    if not rules.count or rules.is_empty(tables.INGREDIENTS):
        why = "not checked: all medicines because there is no approved table"
        return SafetyReport((), (why,), len(medicines), 0, 0)
    not_checked = _unknown(medicines)
    not_checked += [
        f"not checked: {what} because no row of the table is approved"
        for name, what in _WHAT.items()
        if rules.is_empty(name)
    ]
    findings, missing = check_allergies(facts, medicines, trust)
    not_checked += missing
    findings += check_pairs(medicines, trust)
    by_patient, missing = check_patient(medicines, PatientState(facts, today=today, trust=trust), trust)
    findings += by_patient
    not_checked += missing
    return SafetyReport(
        tuple(_in_order(findings)),
        tuple(dict.fromkeys(not_checked)),
        len(medicines),
        sum(one.drug.is_known for one in medicines),
        rules.count,
    )


def _expanded(medicine: Medicine, trust: Trust) -> Medicine:
    """Return a medicine that is asked about by its class with every member of it as its ingredients."""
    if not medicine.drug.classes or medicine.drug.ingredients:
        return medicine
    members = rules_of(trust).members(f"@{one}" for one in medicine.drug.classes)
    return replace(medicine, drug=replace(medicine.drug, ingredients=tuple(sorted(members))))


def _unknown(medicines: Sequence[Medicine]) -> list[str]:
    """Return a line for every medicine of which a part is not known, or whose code and name differ."""
    lines = []
    for one in medicines:
        if not one.drug.ingredients and one.drug.classes:
            lines.append(f"not checked: {one.label} because only its class is named")
        elif not one.drug.ingredients:
            lines.append(f"not checked: {one.label} because it is not in the table")
        elif one.drug.unknown:
            parts = ", ".join(f'"{part}"' for part in one.drug.unknown)
            lines.append(f"not checked: a part of {one.label} because {parts} is not in the table")
        if one.conflict:
            lines.append(f"not checked: which medicine {one.label} is because its code and name differ; both were used")
        lines += [
            f'not checked: the spelling "{written}" because it was read as {read}' for written, read in one.drug.read_as
        ]
    return lines


def _in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings gravest first; those that say the same of several orders are one that cites them all."""
    same: dict[tuple[str, str, str], Finding] = {}
    for one in sorted(findings, key=lambda one: [fact.resource for fact, _ in one.citations_from]):
        key = (one.kind, one.row, one.text)
        held = same.get(key)
        cited = (held.citations_from if held else ()) + one.citations_from
        same[key] = replace(one, citations_from=tuple(dict.fromkeys(cited))) if held else one
    return sorted(same.values(), key=lambda one: (-one.severity, one.kind, one.row, one.text))
