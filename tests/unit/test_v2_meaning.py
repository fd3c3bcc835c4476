"""What single fields of HL7 v2 mean once they are mapped: labels, allergies with a status, orders in two forms.

Sources: HL7 v2.8.2 chapters 3, 4 and 4A; HL7 Version 2 to FHIR guide, segment maps.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ingestion.domain.r4.check import check_resource
from tests.unit.test_v2_results import resources

ENCODE = msgspec.json.Encoder(decimal_format="number").encode
ADT, RDE, ORU = "ADT^A01^ADT_A01", "RDE^O11^RDE_O11", "ORU^R01^ORU_R01"


def valid(*lines: str, kind: str) -> dict[str, list[dict[str, Any]]]:
    found = resources(*lines, kind=kind)
    for listed in found.values():
        for one in listed:
            check_resource(ENCODE(one))
    return found


@pytest.mark.parametrize(("code", "label"), [("R", ["R"]), ("V", ["V"]), ("U", []), ("", [])])
def test_a_restricted_order_restricts_its_results(code: str, label: list[str]) -> None:
    orc = "ORC|RE|P1|F1" + "|" * 25 + code
    found = valid(orc, "OBR|1|P1|F1|HIV^HIV test^L", "OBX|1|ST|HIV^HIV^L||negative||||||F", kind=ORU)

    for kind in ("ServiceRequest", "Observation", "DiagnosticReport"):
        [one] = found[kind]
        assert [each["code"] for each in one["meta"].get("security", ())] == label


def test_a_protected_visit_is_restricted_and_tells_when_it_is_to_end() -> None:
    pv2 = "PV2" + "|" * 9 + "20260310" + "|" * 3 + "Follow-up after surgery" + "|" * 10 + "Y"
    [visit] = valid("PV1|1|I|W1^2^B||||||||||||||||V7", pv2, kind=ADT)["Encounter"]

    assert visit["meta"]["security"][0]["code"] == "R"
    assert {"valueDateTime": "2026-03-10"}.items() <= visit["extension"][0].items()
    assert "Follow-up after surgery" in visit["text"]["div"]


@pytest.mark.parametrize(("code", "expected"), [("I", "IMP"), ("E", "EMER"), ("B", "B"), ("R", "R")])
def test_a_class_that_the_guide_leaves_open_keeps_its_own_code(code: str, expected: str) -> None:
    [visit] = valid(f"PV1|1|{code}" + "|" * 17 + "V7", kind=ADT)["Encounter"]

    assert visit["class"]["code"] == expected


def test_a_visit_tells_where_the_patient_was_is_and_will_be() -> None:
    [visit] = valid("PV1|1|I|NOW^1^A|||BEFORE^2^B|||||||||||||V7" + "|" * 23 + "NEXT^3^C", kind=ADT)["Encounter"]

    assert [(one["location"]["display"], one["status"]) for one in visit["location"]] == [
        ("NOW, 1, A", "active"),
        ("BEFORE, 2, B", "completed"),
        ("NEXT, 3, C", "planned"),
    ]


def test_an_allergy_of_the_newer_segment_has_its_status_and_can_be_taken_back() -> None:
    active = "IAM|1|DA|PEN^Penicillin^L|SV|Hives|A|A17||||20200101||||||I"
    taken_back = active.replace("|A|A17|", "|D|A17|")

    [inactive] = valid(active, kind=ADT)["AllergyIntolerance"]
    [void] = valid(taken_back, kind=ADT)["AllergyIntolerance"]

    assert inactive["clinicalStatus"]["coding"][0]["code"] == "inactive"
    assert inactive["reaction"][0]["severity"] == "severe"
    assert void["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert void["id"] == inactive["id"]


def test_an_order_as_written_and_as_encoded_is_one_order_with_both_texts() -> None:
    found = valid(
        "ORC|NW|P1|F1",
        "TQ1|1||BID||||||R",
        "RXO|AMX^Amoxicillin^L|500||mg^mg|||^1 capsule twice daily||G||20|caps^capsule|2",
        "RXE||AMX5^Amoxicillin 500 mg capsule^L|500||mg^mg|CAP^Capsule|Take with food|||20|CAP^capsule|1",
        "RXR|PO^Oral^HL70162",
        kind=RDE,
    )

    [order] = found["MedicationRequest"]
    assert order["medicationCodeableConcept"]["text"] == "Amoxicillin 500 mg capsule"
    assert order["dosageInstruction"][0]["text"] == "500 mg; BID; Take with food"
    assert order["priority"] == "routine"
    assert (order["dispenseRequest"]["numberOfRepeatsAllowed"], order["dispenseRequest"]["quantity"]["value"]) == (
        1,
        20,
    )
    written = " ".join(one["text"] for one in order["note"])
    assert "As ordered: Amoxicillin (AMX); 500 mg; BID; 1 capsule twice daily; dispense 20 capsule" in written


def test_the_interpreter_of_a_report_is_named_by_the_parts_of_one_component() -> None:
    obr = "OBR|1|P1|F1|ECHO^Echo^L|||20260301080000+0000" + "|" * 25 + "88&Reader&Rita&&&Dr.^20260301"
    [report] = valid(obr, "OBX|1|ST|EF^EF^L||60||||||F", kind=ORU)["DiagnosticReport"]

    assert report["resultsInterpreter"] == [{"identifier": {"value": "88"}, "display": "Dr. Rita Reader"}]


def test_a_number_that_names_nobody_for_sure_is_no_authority_of_its_own() -> None:
    """PID-19 and PID-20 have no assigning authority: nobody is recognised by them."""
    [person] = resources(kind=ADT)["Patient"]
    assert {one["value"] for one in person["identifier"]} == {"7"}

    from tests.unit import test_v2_results as results

    former, results.PID = results.PID, results.PID + "|" * 11 + "123-45-6789|DL9^TX"
    try:
        [person] = valid(kind=ADT)["Patient"]
    finally:
        results.PID = former
    assert [(one["value"], "system" in one) for one in person["identifier"]] == [
        ("7", True),
        ("123-45-6789", False),
        ("DL9", False),
    ]


def test_a_document_in_an_order_is_a_document_of_that_order() -> None:
    found = valid(
        "ORC|NW|P1|F1",
        "OBR|1|P1|F1|ECHO^Echo^L",
        "OBX|1|ED|LET^Referral letter^L||^TEXT^PLAIN^Base64^SGVhcnQgbXVybXVyLg==||||||F",
        kind="OML^O21^OML_O21",
    )

    [letter] = found["DocumentReference"]
    assert letter["content"][0]["attachment"]["title"] == "Referral letter"
    assert letter["context"]["related"] == [{"reference": f"ServiceRequest/{found['ServiceRequest'][0]['id']}"}]
