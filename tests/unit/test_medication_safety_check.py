"""One planted case of each kind of finding between medicines and allergies, and of what cannot be checked."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.domain.medication_safety import Severity, tables
from clinical.domain.provenance import SourceStatus, Trust
from tests.unit.fhir_builders import allergy
from tests.unit.medication_builders import MAN, NONE_KNOWN, checked, egfr, kinds, ordered


@pytest.mark.parametrize(
    ("substance", "drug", "found"),
    [
        ("Amoxicillin", "Amoxicillin 500 mg capsule", [("allergy-substance", "severe")]),
        ("Penicillin", "co-amoxiclav", [("allergy-class", "severe")]),
        ("Amoxicillin", "Flucloxacillin 500 mg capsule", [("allergy-class", "severe")]),
        ("Penicillin", "Cefalexin 500 mg capsule", [("allergy-cross", "severe")]),
        ("Penicillin", "Ceftriaxone 1 g injection", [("allergy-cross", "caution")]),
        ("Penicillin", "Meropenem 1 g injection", [("allergy-cross", "caution")]),
        ("Penicillin", "Aztreonam 1 g injection", []),
        ("Ceftazidime", "Aztreonam 1 g injection", [("allergy-class", "severe")]),
        ("Aspirin", "Ibuprofen 400 mg tablet", [("allergy-class", "severe")]),
        ("Aspirin", "Celecoxib 100 mg capsule", [("allergy-cross", "caution")]),
        ("sulfonamide antibacterial", "Bactrim", [("allergy-class", "severe")]),
        ("sulfonamide antibacterial", "Furosemide 40 mg tablet", []),
        ("Codeine", "Morphine 10 mg tablet", [("allergy-class", "caution")]),
        ("Codeine", "Fentanyl 25 MCG/HR transdermal patch", []),
        ("Peanuts", "Propofol 10 MG/ML injection", [("allergy-cross", "caution")]),
        ("Shellfish", "Iohexol 300 injection", []),
        ("Penicillin", "Paracetamol 500 mg tablet", []),
    ],
)
def test_an_allergy_is_found_by_substance_class_and_cross_reactivity(
    substance: str, drug: str, found: list[tuple[str, str]]
) -> None:
    report = checked(MAN, allergy(substance), ordered(drug))

    assert [one for one in kinds(report) if one[0].startswith("allergy")] == found
    for one in report.findings:
        if one.kind.startswith("allergy"):
            assert {fact.row.resource_type for fact, _ in one.citations_from} == {
                "AllergyIntolerance",
                "MedicationRequest",
            }


def test_a_highly_critical_allergy_weighs_one_step_more() -> None:
    report = checked(MAN, allergy("Penicillin", criticality="high"), ordered("Amoxicillin 500 mg capsule"))

    assert kinds(report)[0] == ("allergy-class", "contraindicated")
    assert "criticality high" in report.findings[0].text


@pytest.mark.parametrize(
    "entry",
    [
        allergy("Penicillin", verification="refuted", clinical="inactive"),
        allergy("Penicillin", clinical="resolved"),
        allergy("Penicillin", verification="entered-in-error"),
        NONE_KNOWN,
    ],
)
def test_refuted_past_and_negative_entries_are_no_allergy(entry: dict[str, Any]) -> None:
    assert not [one for one in kinds(checked(MAN, entry, ordered("Amoxicillin"))) if one[0].startswith("allergy")]


def test_eye_drops_count_for_allergy_but_not_for_interaction() -> None:
    drops = ordered("Timolol 5 MG/ML Ophthalmic Solution", "1 drop twice daily")

    assert ("interaction", "severe") in kinds(checked(MAN, ordered("Timolol 10 MG Oral Tablet"), ordered("Verapamil")))
    assert not kinds(checked(MAN, NONE_KNOWN, drops, ordered("Verapamil 80 mg tablet")))
    assert kinds(checked(MAN, allergy("Timolol"), drops)) == [("allergy-substance", "severe")]


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ("Warfarin 5 mg tablet", "Ibuprofen 400 mg tablet", "severe"),
        ("Ramipril 5 mg capsule", "Spironolactone 25 mg tablet", "severe"),
        ("Simvastatin 40 mg tablet", "Clarithromycin 500 mg tablet", "contraindicated"),
        ("Sertraline 50 mg tablet", "Phenelzine 15 mg tablet", "contraindicated"),
        ("Sacubitril 49 MG / Valsartan 51 MG Oral Tablet [Entresto]", "Lisinopril 10 mg tablet", "contraindicated"),
    ],
)
def test_an_interaction_cites_both_orders(first: str, second: str, severity: str) -> None:
    report = checked(MAN, NONE_KNOWN, ordered(first), ordered(second))

    finding = next(one for one in report.findings if one.kind == "interaction")
    assert finding.severity.word == severity
    assert len({fact.resource for fact, _ in finding.citations_from}) == 2
    assert finding.row.startswith("interactions:")


def test_the_parts_of_one_product_do_not_interact_with_each_other() -> None:
    assert not [one for one in kinds(checked(MAN, ordered("Arthrotec"))) if one[0] in ("interaction", "duplicate")]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ("Ibuprofen 400 mg tablet", "Naproxen 250 mg tablet", True),
        ("Co-codamol 8/500 tablet", "Paracetamol 500 mg tablet", True),
        ("Ramipril 5 mg", "Ramipril 10 mg", True),
        ("Insulin glargine 100 units/mL injection", "Insulin lispro 100 units/mL injection", False),
        ("Aspirin 75 mg tablet", "Clopidogrel 75 mg tablet", False),
        ("Furosemide 40 mg tablet", "Metolazone 2.5 mg tablet", False),
        ("Budesonide 200 micrograms inhaler", "Prednisolone 5 mg tablet", False),
    ],
)
def test_duplication_knows_its_exceptions(first: str, second: str, *, found: bool) -> None:
    report = checked(MAN, NONE_KNOWN, ordered(first), ordered(second, on="2025-02-01"))

    assert any(one.kind == "duplicate" for one in report.findings) is found


def test_a_breakthrough_opioid_as_needed_is_no_duplicate() -> None:
    regular = ordered("Morphine 10 mg modified release tablet", "10 mg twice daily")
    as_needed = ordered("Morphine 10 MG/5 ML Oral Solution", "5 mg every 4 hours as needed", on="2025-02-01")

    assert "duplicate" not in {one.kind for one in checked(MAN, regular, as_needed).findings}


def test_what_could_not_be_checked_is_listed_and_never_called_safe() -> None:
    report = checked(
        {"resourceType": "Patient", "id": "x"},
        allergy("Moon dust"),
        ordered("foozamab", "5 mg daily"),
        ordered("metformin", "as directed"),
    )

    text = " ".join(report.not_checked)
    assert "foozamab because it is not in the table" in text
    assert "allergy to Moon dust because it is not in the table" in text
    assert "kidney function of metformin because no eGFR and no creatinine is recorded" in text
    assert "dose of metformin because no birth date is recorded" in text
    assert report.covered.startswith("Checked 1 of 2 medicines against ")
    assert "safe" not in (report.covered + text).lower()


def test_a_record_without_allergy_entries_is_not_checked_for_allergies() -> None:
    report = checked(MAN, ordered("Amoxicillin"))

    assert "not checked: allergies because the record holds no allergy entry of any kind" in report.not_checked


def test_a_check_that_finds_nothing_says_what_it_covered() -> None:
    report = checked(MAN, NONE_KNOWN, egfr("90"), ordered("amlodipine", "5 mg by mouth once daily"))

    assert report.findings == ()
    assert report.not_checked == ()
    assert report.covered == f"Checked 1 of 1 medicine against {report.rows} table rows; no finding."
    assert report.rows == sum(len(tables.table(name).rows) for name in tables.RULES)


def test_a_medicine_that_is_asked_about_is_checked_as_if_ordered() -> None:
    report = checked(MAN, allergy("Penicillin"), ordered("Warfarin"), egfr("25"), asked=("ibuprofen", "amoxicillin"))

    assert {"allergy-class", "interaction", "renal"} <= {one.kind for one in report.findings}
    assert any("amoxicillin is asked about" in one.text for one in report.findings)


def test_that_no_cross_reactivity_is_expected_is_said_only_of_what_is_asked_about() -> None:
    report = checked(MAN, allergy("Sulfonamides"), asked=("furosemide",))

    [finding] = report.findings
    assert finding.severity is Severity.INFO
    assert "not expected to cross-react" in finding.text


def test_a_class_that_is_asked_about_stands_for_its_members() -> None:
    assert ("allergy-class", "severe") in kinds(checked(MAN, allergy("Aspirin"), asked=("an NSAID",)))


def test_findings_from_memory_are_unverified_and_off_on_a_site_until_approved() -> None:
    record = (MAN, allergy("Penicillin"), ordered("Amoxicillin"))
    names = [row.digest for row in tables.table(tables.INGREDIENTS).rows]
    [row] = [row for row in tables.table(tables.ALLERGIES).rows if row.id == "penicillins"]
    terms = [row.digest for row in tables.table(tables.CLASSES).rows]

    assert {one.status for one in checked(*record).findings} == {"unverified"}
    before = checked(*record, trust=Trust(site=True))
    assert before.findings == ()
    assert before.not_checked == ("not checked: all medicines because there is no approved table",)
    named = checked(*record, trust=Trust(site=True, approved=frozenset(names)))
    assert named.findings == ()
    assert "not checked: allergies because no row of the table is approved" in named.not_checked
    after = checked(*record, trust=Trust(site=True, approved=frozenset([*names, *terms, row.digest])))
    assert [(one.kind, one.status) for one in after.findings] == [("allergy-class", SourceStatus.APPROVED.value)]


def test_a_stopped_order_is_not_checked_against() -> None:
    assert not checked(MAN, ordered("Warfarin", status="stopped"), ordered("Ibuprofen", on="2025-02-01")).findings


def test_two_orders_that_say_the_same_are_one_finding_with_all_citations() -> None:
    orders = (ordered("morphine", on="2025-01-01"), ordered("morphine", on="2025-02-01"), ordered("diazepam"))

    found = [one for one in checked(MAN, NONE_KNOWN, *orders).findings if one.kind == "interaction"]

    assert [len({fact.resource for fact, _ in one.citations_from}) for one in found] == [3]
