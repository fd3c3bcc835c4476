"""Which ingredients a name means: as RxNorm, the United Kingdom's dictionary and people write it."""

from __future__ import annotations

import pytest

from clinical.domain.medication_safety import identify, tables
from clinical.domain.medication_safety.medicines import ordered, route_of
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.provenance import DEMO, Trust
from tests.unit.fhir_builders import concept, facts, medication

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def row(resource: dict[str, object]) -> MedicationRow:
    [fact] = facts(resource)
    assert isinstance(fact.row, MedicationRow)
    return fact.row


@pytest.mark.parametrize(
    ("name", "ingredients"),
    [
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]", {"amoxicillin", "clavulanate"}),
        ("NDA020503 200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", {"albuterol"}),
        ("1 ML DOCEtaxel 20 MG/ML Injection", {"docetaxel"}),
        ("co-amoxiclav", {"amoxicillin", "clavulanate"}),
        ("Co-codamol 30mg/500mg tablets (Example Pharma Ltd)", {"acetaminophen", "codeine"}),
        ("Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT", {"fluticasone", "salmeterol"}),
        ("Penicillin V Potassium 250 MG Oral Tablet", {"penicillin v"}),
        ("potassium chloride 8 MEQ Extended Release Oral Tablet", {"potassium chloride"}),
        ("24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet", {"metformin"}),
        ("Salbutamol 100micrograms/dose inhaler CFC free", {"albuterol"}),
        ("Paracetamol 500mg/Codeine phosphate 8mg effervescent tablets", {"acetaminophen", "codeine"}),
        ("Lisinopril-HCTZ 20-12.5", {"lisinopril", "hydrochlorothiazide"}),
        ("sacubitril and valsartan", {"sacubitril", "valsartan"}),
        ("Tylenol PM Pill", {"acetaminophen", "diphenhydramine"}),
        ("warfarin (Coumadin) 5 mg", {"warfarin"}),
        ("Vitamin B 12 5 MG/ML Injectable Solution", {"cyanocobalamin"}),
        ("Insulin Glargine 100 UNT/ML Injectable Solution [Lantus]", {"insulin glargine"}),
        ("SULPHASALAZINE", {"sulfasalazine"}),
    ],
)
def test_every_ingredient_is_found_and_nothing_is_left_over(name: str, ingredients: set[str]) -> None:
    found = identify(name, DEMO)

    assert set(found.ingredients) == ingredients
    assert found.is_known


@pytest.mark.parametrize(
    ("written", "read"), [("amoxicilin", "amoxicillin"), ("lorazepm", "lorazepam"), ("metfromin", "metformin")]
)
def test_one_wrong_letter_is_mended_and_said(written: str, read: str) -> None:
    found = identify(f"{written} 1 mg tablet", DEMO)

    assert found.ingredients == (read,)
    assert found.read_as == ((written, read),)


@pytest.mark.parametrize("name", ["foozamab 5 mg", "potassium 20 mEq", "xy", "", "the usual tablets"])
def test_what_the_table_does_not_hold_is_not_known(name: str) -> None:
    assert not identify(name, DEMO).is_known


def test_an_unknown_part_beside_a_known_one_stays_unknown() -> None:
    found = identify("Metformin 500 MG / Foozamab 5 MG Oral Tablet", DEMO)

    assert found.ingredients == ("metformin",)
    assert found.unknown == ("foozamab",)
    assert not found.is_known


def test_a_class_is_no_medicine() -> None:
    found = identify("Allergy to penicillin (disorder)", DEMO)

    assert found.classes == ("penicillin",)
    assert found.ingredients == ()


def test_each_brand_means_one_set_of_ingredients() -> None:
    meant: dict[str, set[str]] = {}
    for held in tables.table("ingredients").rows:
        for name in (held.id, *held.content.get("names", ()), *held.content.get("brands", ())):
            assert meant.setdefault(name.lower(), {held.id}) == {held.id}, name
            assert identify(name, DEMO).ingredients == (held.id,), name
    for held in tables.table("products").rows:
        for name in held.content["names"]:
            assert name.lower() not in meant, name
            meant[name.lower()] = set(held.content["ingredients"])
            assert set(identify(name, DEMO).ingredients) == set(held.content["ingredients"]), name
    assert len(meant) > len(tables.table("ingredients").rows)


def test_strengths_are_kept_by_ingredient() -> None:
    found = identify("Amoxicillin 250 MG/5 ML suspension", DEMO)

    assert [(one.ingredient, str(one.milligrams), one.per) for one in found.strengths] == [("amoxicillin", "50", "ml")]


@pytest.mark.parametrize(
    ("route", "name", "dosage", "kind"),
    [
        ("Oral route", "Timolol 5 MG/ML", "", "oral"),
        ("", "Timolol 5 MG/ML Ophthalmic Solution", "", "local"),
        ("", "hydrocortisone cream", "thin layer twice daily", "local"),
        ("", "Fluticasone 50 MCG nasal spray", "", "local"),
        ("", "budesonide", "200 micrograms inhaled twice daily", "inhaled"),
        ("", "Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "", "inhaled"),
        ("", "insulin glargine", "18 units subcutaneously at bedtime", "injected"),
        ("", "warfarin", "as directed", "systemic"),
        ("Ophthalmic use", "prednisolone tablets", "", "local"),
    ],
)
def test_the_route_recorded_goes_before_form_and_directions(route: str, name: str, dosage: str, kind: str) -> None:
    assert route_of(route, name, dosage) == kind


def test_a_code_says_what_an_unknown_name_is() -> None:
    coded = medication("x", medicationCodeableConcept=concept("house mixture no. 4", "6809", RXNORM))

    assert ordered(None, row(coded), DEMO).drug.ingredients == ("metformin",)


def test_a_code_that_names_another_ingredient_is_a_conflict_and_both_count() -> None:
    coded = medication("x", medicationCodeableConcept=concept("Warfarin 5 mg tablet", "6809", RXNORM))

    found = ordered(None, row(coded), DEMO)

    assert found.conflict
    assert set(found.drug.ingredients) == {"warfarin", "metformin"}


def test_ingredients_of_a_referred_medicine_count_where_its_name_says_nothing() -> None:
    contained = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"text": "Clinic mixture"},
        "ingredient": [{"itemCodeableConcept": {"text": "Aspirin"}}, {"itemCodeableConcept": {"text": "Caffeine"}}],
    }
    resource = medication("x", contained=[contained], medicationReference={"reference": "#m"})
    del resource["medicationCodeableConcept"]

    assert ordered(None, row(resource), DEMO).drug.ingredients == ("aspirin", "caffeine")


def test_no_name_is_known_on_a_site_before_the_table_is_approved() -> None:
    assert identify("metformin", Trust(site=True)).ingredients == ()
