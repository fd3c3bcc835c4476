"""Public HL7 v2 messages become valid FHIR R4, and what the record holds of them is all there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingestion.domain.mapped import Mapped
from ingestion.domain.r4.check import check_resource
from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.to_fhir import map_message

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hl7v2"
FILES = sorted(SAMPLES.glob("*.hl7"))
ENCODE = msgspec.json.Encoder(decimal_format="number").encode

if not FILES:
    pytest.skip("public HL7 v2 samples are not beside the checkout", allow_module_level=True)


def mapped(path: Path) -> list[Mapped]:
    return map_message(parse_message(path.read_bytes()), zone=ZoneInfo("UTC"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_resource_is_valid_r4(path: Path) -> None:
    found = mapped(path)

    assert found
    for one in found:
        assert check_resource(ENCODE(one.resource)).resource_type == one.resource["resourceType"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_resource_names_the_patient_and_the_segment_it_came_from(path: Path) -> None:
    message = parse_message(path.read_bytes())
    found = mapped(path)
    [patient] = [one.resource for one in found if one.resource["resourceType"] == "Patient"]

    for one in found:
        name, _, number = one.place.rstrip("]").partition("[")
        assert message.segments[int(number) - 1].name == name
        if one.resource["resourceType"] not in ("Patient", "Appointment"):
            owner = next(one.resource[key] for key in ("subject", "patient", "beneficiary") if key in one.resource)
            assert owner == {"reference": f"Patient/{patient['id']}"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_segment_that_the_record_holds_is_left_out(path: Path) -> None:
    """AL1, DG1, PR1, NK1, RXA and IN1 one to one; each OBX is an observation, a line of one, or a document."""
    message = parse_message(path.read_bytes())
    kinds = Counter(one.resource["resourceType"] for one in mapped(path))
    segments = Counter(segment.name for segment in message.segments)

    if message.type[1] == "A40":
        assert kinds == {"Patient": 1}
        return
    for name, kind in (
        ("AL1", "AllergyIntolerance"),
        ("DG1", "Condition"),
        ("NK1", "RelatedPerson"),
        ("PR1", "Procedure"),
    ):
        assert kinds[kind] == segments[name]
    assert kinds["Immunization"] == segments["RXA"]
    assert kinds["MedicationRequest"] == segments["RXE"]
    if message.type[0] == "MDM":
        assert kinds["DocumentReference"] == 1
        return
    coded = [
        (segment.whole(3), segment.get(4))
        for segment in message.all("OBX")
        if segment.get(3) and segment.get(2) not in ("ED", "RP")
    ]
    assert kinds["Observation"] == len(coded)


def test_the_same_message_gives_the_same_resources() -> None:
    for path in FILES:
        assert mapped(path) == mapped(path)
