"""OBX values by type, and how one result's versions stand to each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion.domain.v2 import V2Error, parse_message
from ingestion.domain.v2.to_fhir import NotMapped, map_message

UTC = ZoneInfo("UTC")
HEAD = "MSH|^~\\&|LAB|SITE|APP|SITE|20260301120000+0000||{}|42|P|2.5.1"
PID = "PID|1||7^^^MRN&1.2.3&ISO^MR||Test^Tess||19610402|F"


def resources(*lines: str, kind: str = "ORU^R01^ORU_R01") -> dict[str, list[dict[str, Any]]]:
    raw = "\r".join((HEAD.format(kind), PID, *lines, ""))
    found: dict[str, list[dict[str, Any]]] = {}
    for one in map_message(parse_message(raw.encode()), zone=UTC):
        found.setdefault(one.resource["resourceType"], []).append(one.resource)
    return found


def observation(obx: str, obr: str = "OBR|1|P1|F1|PANEL^Panel^L|||20260301080000+0000") -> dict[str, Any]:
    [found] = resources(obr, obx)["Observation"]
    return found


MMOL = {"unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("NM", "4.10", {"valueQuantity": {"value": Decimal("4.10"), **MMOL}}),
        ("NM", "<0.01", {"valueQuantity": {"value": Decimal("0.01"), "comparator": "<", **MMOL}}),
        ("NM", "haemolysed", {"valueString": "haemolysed"}),
        ("NM", "60~120", {"valueString": "60\n120"}),
        ("SN", ">^100", {"valueQuantity": {"value": Decimal(100), "comparator": ">", **MMOL}}),
        ("SN", "^4^-^8", {"valueRange": {"low": {"value": Decimal(4), **MMOL}, "high": {"value": Decimal(8), **MMOL}}}),
        (
            "SN",
            "^1^:^128",
            {"valueRatio": {"numerator": {"value": Decimal(1)}, "denominator": {"value": Decimal(128)}}},
        ),
        ("SN", "^3^+", {"valueString": "3+"}),
        ("ST", "not detected", {"valueString": "not detected"}),
        ("DT", "20260228", {"valueDateTime": "2026-02-28"}),
    ],
)
def test_values_keep_their_digits_and_kind(kind: str, value: str, expected: dict[str, Any]) -> None:
    found = observation(f"OBX|1|{kind}|2823-3^Potassium^LN||{value}|mmol/L^mmol/L^UCUM|3.5-5.1|H|||F")

    assert {key: one for key, one in found.items() if key.startswith("value")} == expected


def test_a_coded_value_keeps_both_codings_and_its_own_words() -> None:
    found = observation("OBX|1|CWE|600-7^Culture^LN||27268008^Salmonella^SCT^SAL^Salm.^L^^^Salmonella species||||||F")

    assert found["valueCodeableConcept"] == {
        "coding": [
            {"system": "http://snomed.info/sct", "code": "27268008", "display": "Salmonella"},
            {"system": "urn:hl7v2:coding-system:L", "code": "SAL", "display": "Salm."},
        ],
        "text": "Salmonella species",
    }


def test_a_reference_range_keeps_its_words() -> None:
    found = observation("OBX|1|NM|2823-3^Potassium^LN||5.6|mmol/L|3.5-5.1|H|||F")

    assert found["referenceRange"] == [
        {
            "low": {"value": Decimal("3.5"), "unit": "mmol/L"},
            "high": {"value": Decimal("5.1"), "unit": "mmol/L"},
            "text": "3.5-5.1",
        }
    ]
    assert found["interpretation"][0]["coding"][0]["code"] == "H"


@pytest.mark.parametrize(
    ("sent", "status", "rank"),
    [
        ("I", "registered", 0),
        ("P", "preliminary", 1),
        ("F", "final", 2),
        ("C", "corrected", 3),
        ("X", "cancelled", 3),
        ("W", "entered-in-error", 3),
        ("D", "entered-in-error", 3),
    ],
)
def test_a_status_has_a_rank_that_orders_versions(sent: str, status: str, rank: int) -> None:
    found = observation(f"OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||{sent}")

    assert (found["status"], found["meta"]["versionId"]) == (status, f"v2-{rank}")


def test_a_correction_is_a_version_of_the_same_observation() -> None:
    first = observation("OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F")
    corrected = observation("OBX|1|NM|2823-3^Potassium^LN||5.1|mmol/L|||||C", "OBR|1||F1|PANEL^Panel^L")

    assert corrected["id"] == first["id"]


def test_the_same_test_of_another_order_is_another_observation() -> None:
    first = observation("OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F")
    other = observation("OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F", "OBR|1|P2|F2|PANEL^Panel^L")

    assert other["id"] != first["id"]


def test_lines_of_one_text_are_one_observation() -> None:
    found = resources(
        "OBR|1|P1|F1|CXR^Chest X-ray^L|||20260301080000+0000",
        "OBX|1|TX|IMP^Impression^L|1|No focal consolidation.||||||F",
        "OBX|2|TX|IMP^Impression^L|1|Heart size normal.||||||F",
        "OBX|3|TX|REC^Recommendation^L|1|None.||||||F",
    )

    assert [one["valueString"] for one in found["Observation"]] == [
        "No focal consolidation.\nHeart size normal.",
        "None.",
    ]
    assert len(found["DiagnosticReport"][0]["result"]) == 2


def test_a_result_without_a_value_says_so() -> None:
    found = observation("OBX|1|NM|2823-3^Potassium^LN||||||||X")

    assert found["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_an_attached_report_is_presented_with_the_diagnostic_report() -> None:
    found = resources("OBR|1|P1|F1|CXR^Chest^L", "OBX|1|ED|PDF^Report^L||LAB^TEXT^TXT^Base64^Tm8gbGVzaW9uLg==||||||F")

    [form] = found["DiagnosticReport"][0]["presentedForm"]
    assert (form["contentType"], form["data"], form["size"]) == ("text/plain", "Tm8gbGVzaW9uLg==", 10)
    assert "Observation" not in found


def test_the_document_that_replaces_another_names_it() -> None:
    found = resources(
        "TXA|1|CN|TX|20260301090000+0000||20260301093000+0000|||7^Poe^Ann|||D2|D1||||AU",
        "OBX|1|TX|N^Note^L||Seen today.||||||F",
        "OBX|2|TX|N^Note^L||No change.||||||F",
        kind="MDM^T10^MDM_T02",
    )
    [document] = found["DocumentReference"]
    parent = resources("TXA|1|CN|TX|||||||||D1|||||AU", kind="MDM^T02^MDM_T02")["DocumentReference"][0]

    assert document["relatesTo"] == [{"code": "replaces", "target": {"reference": f"DocumentReference/{parent['id']}"}}]
    assert document["docStatus"] == "final"


def test_a_cancelled_document_is_entered_in_error() -> None:
    found = resources("TXA|1|CN|TX|||||||||D1|||||AU", kind="MDM^T11^MDM_T01")

    assert found["DocumentReference"][0]["status"] == "entered-in-error"


def test_a_message_without_an_identifier_is_refused_by_place() -> None:
    raw = "\r".join((HEAD.format("ADT^A01"), "PID|1||||Test^Tess", ""))

    with pytest.raises(V2Error) as caught:
        map_message(parse_message(raw.encode()), zone=UTC)
    assert (caught.value.reason, caught.value.place) == ("missing-field", "PID-3")


def test_the_same_number_of_two_facilities_is_not_one_person() -> None:
    ids = set()
    for site in ("NORTH", "SOUTH"):
        raw = f"MSH|^~\\&|LAB|{site}|APP|SITE|20260301||ADT^A08|42|P|2.5.1\rPID|1||7||Test^Tess\r"
        [patient] = map_message(parse_message(raw.encode()), zone=UTC)
        ids.add((patient.resource["id"], patient.resource["identifier"][0]["system"]))

    assert {system for _, system in ids} == {"urn:hl7v2:authority:NORTH", "urn:hl7v2:authority:SOUTH"}
    assert len({one for one, _ in ids}) == 2


def test_a_type_that_is_not_mapped_says_so() -> None:
    with pytest.raises(NotMapped):
        map_message(parse_message((HEAD.format("DFT^P03") + "\r" + PID + "\r").encode()), zone=UTC)


OTHER = "PID|2||8^^^MRN&1.2.3&ISO^MR||Other^Otto||19500101|M"
GROUP = ("OBR|2|P2|F2|PANEL^Panel^L|||20260301080000+0000", "OBX|1|NM|2951-2^Na^LN||111|mmol/L|||||F")


@pytest.mark.parametrize("kind", ["ORU^R01", "OUL^R22", "SIU^S12", "VXU^V04", "ADT^A17", "ORM^O01"])
def test_what_stands_under_another_person_is_never_the_first_one_s(kind: str) -> None:
    with pytest.raises(V2Error) as refused:
        resources(*GROUP, OTHER, *GROUP, kind=kind)
    assert (refused.value.reason, refused.value.place) == ("several-patients", "PID")


def test_the_same_person_named_again_is_one_person() -> None:
    found = resources(*GROUP, PID, "OBR|2|P3|F3|PANEL^Panel^L", "OBX|1|NM|2951-2^Na^LN||112|mmol/L|||||F")
    assert len(found["Patient"]) == 1
    assert len(found["Observation"]) == 2
