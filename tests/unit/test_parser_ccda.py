"""A C-CDA file becomes items of one server, each with the section it came from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes
from tests.unit.test_ccda_document import HEAD, SECTION

MEDICINE = """<substanceAdministration moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.16"/>
<statusCode code="active"/><effectiveTime xsi:type="IVL_TS"><low value="20250101"/></effectiveTime>
<doseQuantity value="7.20" unit="mg"/><consumable><manufacturedProduct><manufacturedMaterial>
<code code="1" codeSystem="2.16.840.1.113883.6.88" displayName="Ramipril"/></manufacturedMaterial>
</manufacturedProduct></consumable></substanceAdministration>"""


def xml(*entries: str, code: str = "10160-0") -> str:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return HEAD.format(body=SECTION.format(code=code, text="Ramipril 7.20 mg", entries=inside))


def items(raw: str | bytes, **context: Any) -> list[Item]:
    return list(parse_bytes(raw.encode() if isinstance(raw, str) else raw, ParseContext(**context), "file"))


def test_each_resource_names_the_server_and_its_section() -> None:
    patient, note, medicine = items(xml(MEDICINE), patient_reference="Patient/somebody-else")

    assert isinstance(patient, ResourceItem) and isinstance(note, ResourceItem) and isinstance(medicine, ResourceItem)
    assert {one.server for one in (patient, note, medicine)} == {"urn:ccda"}
    assert [one.resource_type for one in (patient, note)] == ["Patient", "DocumentReference"]
    assert medicine.position == "section[1] 10160-0"
    assert b'"value":7.20' in medicine.content
    assert json.loads(medicine.content)["subject"]["reference"] == f"Patient/{patient.resource_id}"


@pytest.mark.parametrize("prefix", ["\ufeff", "\n  ", "<!-- made by hand -->"])
def test_it_is_known_by_its_root_element(prefix: str) -> None:
    raw = prefix + xml(MEDICINE).removeprefix('<?xml version="1.0"?>').lstrip()

    assert len(items(raw)) == 3


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (xml(MEDICINE)[:-40], "not-xml"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><ClinicalDocument xmlns="urn:hl7-org:v3"/>', "document-type-declared"),
        ('<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "missing-element"),
        (xml().replace('version="1.0"', 'version="1.0" encoding="klingon"'), "mapping-failed"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_a_reason(raw: str, reason: str) -> None:
    [item] = items(raw)

    assert isinstance(item, RejectedItem)
    assert item.reason == reason


def test_times_without_a_zone_are_in_that_of_the_sender() -> None:
    raw = xml(MEDICINE).replace('"20250101"', '"20250101083000"')

    assert b"2025-01-01T08:30:00+01:00" in b"".join(
        item.content for item in items(raw, zone="Europe/Berlin") if isinstance(item, ResourceItem)
    )


def found(entry: str, kind: str, code: str) -> dict[str, Any]:
    [one] = [i for i in items(xml(entry, code=code)) if isinstance(i, ResourceItem) and i.resource_type == kind]
    resource: dict[str, Any] = json.loads(one.content)
    return resource


CODE = '<code code="1" codeSystem="2.16.840.1.113883.6.96" displayName="{}"/>'


def test_a_plan_is_a_request_and_not_something_done() -> None:
    plan = f"""<procedure moodCode="INT"><templateId root="2.16.840.1.113883.10.20.22.4.41"/>{CODE.format("Cast")}
    <statusCode code="active"/><effectiveTime value="20260501"/></procedure>"""

    request = found(plan, "ServiceRequest", "18776-5")

    assert (request["intent"], request["status"]) == ("plan", "active")
    assert request["occurrenceDateTime"] == "2026-05-01"
    assert not [
        i for i in items(xml(plan, code="18776-5")) if isinstance(i, ResourceItem) and i.resource_type == "Procedure"
    ]


def test_a_goal_keeps_what_is_measured_and_hoped_for() -> None:
    goal = f"""<observation moodCode="GOL"><templateId root="2.16.840.1.113883.10.20.22.4.121"/>{CODE.format("Weight")}
    <statusCode code="active"/><value xsi:type="PQ" value="70" unit="kg"/></observation>"""

    target = found(goal, "Goal", "61146-7")["target"]

    assert target[0]["detailQuantity"] == {
        "value": 70,
        "unit": "kg",
        "system": "http://unitsofmeasure.org",
        "code": "kg",
    }


def test_a_visit_is_an_encounter_with_its_reason() -> None:
    visit = f"""<encounter moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.49"/>
    <id root="1.2" extension="v"/>{CODE.format("Office visit")}<effectiveTime value="20260301"/>
    <entryRelationship><observation><templateId root="2.16.840.1.113883.10.20.22.4.19"/>
    <value xsi:type="CD" code="2" codeSystem="2.16.840.1.113883.6.96" displayName="Pneumonia"/></observation>
    </entryRelationship></encounter>"""

    encounter = found(visit, "Encounter", "46240-8")

    assert (encounter["status"], encounter["class"]["code"]) == ("finished", "UNK")
    assert encounter["reasonCode"][0]["text"] == "Pneumonia"


def test_an_aid_that_is_used_is_a_device_in_use() -> None:
    supply = f"""<supply moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.50"/>
    <statusCode code="completed"/><participant><participantRole>
    <templateId root="2.16.840.1.113883.10.20.22.4.37"/><id root="2.16.840.1.113883.3.3719" extension="(01)123"/>
    <playingDevice>{CODE.format("Wheelchair")}</playingDevice></participantRole></participant></supply>"""

    assert found(supply, "DeviceUseStatement", "46264-8")["device"]["display"] == "Wheelchair"
    assert found(supply, "Device", "46264-8")["type"]["text"] == "Wheelchair"


def test_an_entry_without_a_mapping_is_counted_and_its_words_stay_in_the_note() -> None:
    act = f'<act moodCode="EVN"><templateId root="2.16.840.1.113883.10.20.22.4.202"/>{CODE.format("Note")}</act>'
    note = found(act + "</entry><entry>" + MEDICINE, "DocumentReference", "10160-0")

    [counted] = note["extension"]
    said = [(part["url"], part.get("valueUnsignedInt", part.get("valueString"))) for part in counted["extension"]]
    assert said == [("mapped", 1), ("words-only", "section[1] 10160-0 2.16.840.1.113883.10.20.22.4.202")]
