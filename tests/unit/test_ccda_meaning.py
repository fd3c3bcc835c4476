"""Negation, unknown values, statuses and confidentiality of C-CDA entries are kept in their meaning.

Sources: C-CDA R2.1 (negationInd, nullFlavor and statusCode of its entry templates); HL7 C-CDA on FHIR guide.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingestion.domain.ccda import read_document
from ingestion.domain.r4.check import check_resource
from tests.unit.test_ccda_document import HEAD, SECTION, resources

SNOMED = 'codeSystem="2.16.840.1.113883.6.96"'
ROOT = "2.16.840.1.113883.10.20.22.4"
ENCODE = msgspec.json.Encoder(decimal_format="number").encode


def one(kind: str, entry: str, code: str = "11450-4") -> dict[str, Any]:
    [found] = resources(entry, code=code)[kind]
    check_resource(ENCODE(found))
    return found


def problem(value: str, *, negated: str = "false", status: str = "completed") -> str:
    return f"""<act><entryRelationship><observation negationInd="{negated}"><templateId root="{ROOT}.4"/>
    <statusCode code="{status}"/>{value}</observation></entryRelationship></act>"""


def medicine(code: str, *, negated: str = "false", status: str = "active", mood: str = "EVN") -> str:
    return f"""<substanceAdministration moodCode="{mood}" negationInd="{negated}"><templateId root="{ROOT}.16"/>
    <statusCode code="{status}"/><consumable><manufacturedProduct><manufacturedMaterial>{code}</manufacturedMaterial>
    </manufacturedProduct></consumable></substanceAdministration>"""


def result(value: str, *, negated: str = "false", status: str = "completed") -> str:
    return f"""<observation moodCode="EVN" negationInd="{negated}"><templateId root="{ROOT}.2"/>
    <code code="1" displayName="Test" {SNOMED}/><statusCode code="{status}"/>{value}</observation>"""


def coded(number: str, words: str) -> str:
    return f'<value xsi:type="CD" code="{number}" displayName="{words}" {SNOMED}/>'


@pytest.mark.parametrize(
    "value", [coded("55607006", "Problem"), '<value xsi:type="CD" nullFlavor="NI"/>', coded("64572001", "Disease")]
)
def test_a_negated_problem_of_no_kind_in_particular_is_a_recorded_negative(value: str) -> None:
    found = one("Condition", problem(value, negated="true"))

    assert found["code"]["text"] == "No known problems"
    assert found["verificationStatus"]["coding"][0]["code"] == "confirmed"


def test_a_negated_problem_is_refuted_and_a_nullified_one_is_an_error() -> None:
    refuted = one("Condition", problem(coded("38341003", "Hypertension"), negated="true"))
    void = one("Condition", problem(coded("38341003", "Hypertension"), status="nullified"))

    assert refuted["verificationStatus"]["coding"][0]["code"] == "refuted"
    assert void["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "clinicalStatus" not in void


@pytest.mark.parametrize("status", ["active", "completed"])
def test_a_negated_medicine_is_not_taken_whatever_its_status(status: str) -> None:
    code = f'<code code="1" displayName="Aspirin" {SNOMED}/>'

    assert one("MedicationStatement", medicine(code, negated="true", status=status))["status"] == "not-taken"
    assert one("MedicationRequest", medicine(code, negated="true", status=status, mood="INT"))["doNotPerform"] is True


def test_no_medicine_at_all_is_a_recorded_negative() -> None:
    anything = f'<code code="410942007" displayName="Drug or medicament" {SNOMED}/>'

    for code in (anything, '<code nullFlavor="NA"/>'):
        found = one("MedicationStatement", medicine(code, negated="true"))
        assert found["medicationCodeableConcept"]["text"] == "No known medications"


def test_a_negated_finding_is_never_read_as_found() -> None:
    found = one("Observation", result(coded("22298006", "Infarct"), negated="true"), "30954-2")

    assert found["valueCodeableConcept"] == {"text": "Not: Infarct"}


@pytest.mark.parametrize(("flavour", "reason"), [("UNK", "unknown"), ("NASK", "not-asked"), ("MSK", "masked")])
def test_an_unknown_value_says_why(flavour: str, reason: str) -> None:
    found = one("Observation", result(f'<value xsi:type="PQ" nullFlavor="{flavour}"/>'), "30954-2")

    assert found["dataAbsentReason"]["coding"][0]["code"] == reason
    assert not [key for key in found if key.startswith("value")]


@pytest.mark.parametrize(
    ("status", "negated", "expected"),
    [
        ("completed", "false", "completed"),
        ("completed", "true", "not-done"),
        ("aborted", "false", "not-done"),
        ("nullified", "true", "entered-in-error"),
    ],
)
def test_an_immunization_has_the_status_it_says(status: str, negated: str, expected: str) -> None:
    entry = f"""<substanceAdministration moodCode="EVN" negationInd="{negated}"><templateId root="{ROOT}.52"/>
    <statusCode code="{status}"/><effectiveTime value="20260101"/><consumable><manufacturedProduct>
    <manufacturedMaterial><code code="88" displayName="Influenza" codeSystem="2.16.840.1.113883.12.292"/>
    </manufacturedMaterial></manufacturedProduct></consumable></substanceAdministration>"""

    assert one("Immunization", entry, "11369-6")["status"] == expected


def test_smoking_status_is_social_history_with_its_code() -> None:
    entry = f"""<observation moodCode="EVN"><templateId root="{ROOT}.78"/>
    <code code="72166-2" codeSystem="2.16.840.1.113883.6.1" displayName="Tobacco smoking status"/>
    <statusCode code="completed"/><effectiveTime value="20260101"/>{coded("8517006", "Ex-smoker")}</observation>"""

    found = one("Observation", entry, "29762-2")

    assert found["category"][0]["coding"][0]["code"] == "social-history"
    assert found["valueCodeableConcept"]["text"] == "Ex-smoker"


def test_a_relative_without_a_disease_is_said_to_be_without_it() -> None:
    entry = f"""<organizer moodCode="EVN"><templateId root="{ROOT}.45"/><subject><relatedSubject>
    <code code="FTH" displayName="Father" codeSystem="2.16.840.1.113883.5.111"/></relatedSubject></subject>
    <component><observation negationInd="true">{coded("44054006", "Diabetes")}</observation></component></organizer>"""

    found = one("FamilyMemberHistory", entry, "10157-6")

    assert found["note"] == [{"text": "Not: Diabetes"}]
    assert "condition" not in found


@pytest.mark.parametrize("place", ["document", "section"])
def test_what_is_confidential_is_labelled_entry_by_entry(place: str) -> None:
    label = '<confidentialityCode code="R" codeSystem="2.16.840.1.113883.5.25"/>'
    body = SECTION.format(code="11450-4", text="words", entries=f"<entry>{problem(coded('1', 'P'))}</entry>")
    raw = HEAD.format(body=body)
    if place == "document":
        raw = raw.replace("<recordTarget>", f"{label}<recordTarget>")
    else:
        raw = raw.replace("<title>Section</title>", f"<title>Section</title>{label}")

    found = {each.resource["resourceType"]: each.resource for each in read_document(raw.encode(), zone=ZoneInfo("UTC"))}

    assert found["Condition"]["meta"]["security"][0]["code"] == "R"
    assert found["DocumentReference"]["securityLabel"][0]["coding"][0]["code"] == "R"
    assert "security" not in found["Patient"].get("meta", {})
