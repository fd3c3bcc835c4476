"""Every field of the public HL7 v2 samples that the record's resource types can hold arrives, component by component.

`v2_fields.json` lists the fields of each mapped segment: the components that arrive word for word, and the fields that
do not, each with its reason (no element of R4 holds it; another field of the same message speaks before it; it is
translated into a code). A populated field that stands in neither list fails. Source: HL7 Version 2 to FHIR guide
(https://github.com/HL7/v2-to-fhir), segment maps.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.to_fhir import map_message
from ingestion.domain.v2.to_fhir.mapping import MERGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.v2.message import Segment

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hl7v2"
FILES = sorted(SAMPLES.glob("*.hl7"))
FIELDS: dict[str, dict[str, dict[str, Any]]] = json.loads(Path(__file__).with_name("v2_fields.json").read_text())[
    "segments"
]
ENCODE = msgspec.json.Encoder(decimal_format="number").encode
SHORTEST = 3  # a shorter value stands in any resource by chance

if not FILES:
    pytest.skip("public HL7 v2 samples are not beside the checkout", allow_module_level=True)


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif value is not None:
        yield str(value)


def arrived(value: str, words: str) -> bool:
    """Return whether a value stands in the resources: as it is, or as the date or time it means."""
    if value in words:
        return True
    if re.fullmatch(r"\d{8}\S*", value):
        return f"{value[:4]}-{value[4:6]}-{value[6:8]}" in words
    return bool(re.fullmatch(r"\d{4}(\d\d)?", value)) and f"{value[:2]}:{value[2:4]}" in words


def values(segment: Segment) -> Iterator[tuple[int, int, str]]:
    """Yield field, component and value of everything a segment holds."""
    for field in range(1, len(segment.fields)):
        for repetition in segment.repetitions(field):
            for component in range(1, repetition.count(segment.delimiters[1]) + 2):
                if value := segment.part(repetition, component):
                    yield field, component, value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_record_can_hold_arrives(path: Path) -> None:
    message = parse_message(path.read_bytes())
    if message.type[1] in MERGES:
        pytest.skip("a merge holds who is whom, and nothing else of it is taken in")
    resources = json.loads(ENCODE([one.resource for one in map_message(message, zone=ZoneInfo("UTC"))]))
    words = "\n".join(leaves(resources))
    looked_at = 0
    lost = []
    for segment in message.segments:
        known = FIELDS.get(segment.name)
        if known is None or message.type[0] in known.get("except", {}):
            continue
        for field, component, value in values(segment):
            if component not in known["held"].get(str(field), ()) or len(value) < SHORTEST:
                continue
            looked_at += 1
            if not arrived(value, words):
                lost.append(f"{segment.name}-{field}.{component}")

    assert lost == []
    assert looked_at > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_field_that_stands_in_a_mapped_segment_is_listed(path: Path) -> None:
    message = parse_message(path.read_bytes())
    unlisted = {
        f"{segment.name}-{field}"
        for segment in message.segments
        if segment.name in FIELDS and message.type[1] not in MERGES
        for field, _component, _value in values(segment)
        if str(field) not in FIELDS[segment.name]["held"] and str(field) not in FIELDS[segment.name]["not_held"]
    }

    assert unlisted == set()


def test_most_fields_are_held_and_each_of_the_others_has_its_reason() -> None:
    held = sum(len(one["held"]) for one in FIELDS.values())
    reasons = [reason for one in FIELDS.values() for reason in one["not_held"].values()]

    assert all(len(reason) > SHORTEST for reason in reasons)
    assert held > 4 * len(reasons)
