"""A patient is recognised by his ids and identifiers where they can mean him, and by name and birth date together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clinical.domain.traces import Traces, traces_of
from tests.factories import observation, patient

SERVER = "https://ehr.internal/fhir"


def traces(*resources: dict[str, Any], server: str = "") -> Traces:
    return traces_of((server, one["resourceType"], one["id"], "0" * 64, one) for one in resources)


AMINA = traces(
    patient("p1", identifier=[{"system": "urn:mrn", "value": "77"}, {"system": "urn:mrn", "value": "MRN-00412"}]),
    observation("k1", subject="p1"),
)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"subject": {"reference": "Patient/p1"}}',
        b'{"subject": {"reference": "Patient\\/p1/_history/2"}}',
        b'{"reference":"urn:uuid:p1"}',
        b'{"resourceType": "Patient", "id" : "p1", ',
        b'"identifier": [{"value": "77"',
        b"---\npatient: p1\n---\nSeen today.\n",
        b"---\npatient: 'Patient/p1'\r\n---\r\n",
        b"---\nidentifier: urn:mrn|77\n---\n",
        b"PID|1||77^^^HOSP^MR||EXAMPLE^P1\r",
        b"her number MRN-00412 was read out",
        b"Seen: P1 Example, born 1961-04-02, well.",
    ],
)
def test_she_is_recognised_in_bytes_of_any_format(raw: bytes) -> None:
    assert AMINA.are_named_in(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"subject": {"reference": "Patient/p11"}}',
        b'{"subject": {"reference": "Patient/p1.2"}}',
        b'{"value": 77, "dose": "77 mg"}',
        b"room p1, bed 77",
        b"MRN-004120",
        b"Example, P1, was seen",  # the name without the birth date is somebody else's as well
        b"born 1961-04-02",
        b"",
    ],
)
def test_and_not_where_a_short_token_means_something_else(raw: bytes) -> None:
    assert not AMINA.are_named_in(raw)


def test_nobody_is_recognised_by_nothing() -> None:
    assert not Traces().are_named_in(b"Patient/ and anything else")


def test_an_id_means_the_patient_of_its_own_server_only() -> None:
    found = traces(patient("p1"), server=SERVER)

    assert found.are_of(observation("x", subject="p1"), SERVER, found.ids)
    assert not found.are_of(observation("x", subject="p1"), "https://elsewhere.internal", found.ids)
    absolute = observation("x") | {"subject": {"reference": f"{SERVER}/Patient/p1"}}
    assert found.are_of(absolute, "https://elsewhere.internal", found.ids)


@pytest.mark.parametrize(
    ("resource", "left"),
    [
        (
            {"member": [{"entity": {"reference": "Patient/p1"}}, {"entity": {"reference": "Patient/p2"}}]},
            {"member": [{"entity": {"reference": "Patient/p2"}}]},
        ),
        ({"member": [{"entity": {"reference": "Patient/p1"}}]}, None),
        ({"for": {"reference": "Patient/p1"}, "description": "call her"}, None),
        ({"name": "Ward 3", "note": []}, {"name": "Ward 3", "note": []}),
    ],
)
def test_what_belongs_to_nobody_loses_what_refers_to_her(resource: dict[str, Any], left: dict[str, Any] | None) -> None:
    assert AMINA.without(resource, "") == left


@pytest.mark.parametrize(
    ("name", "hinted"),
    [
        ("example-p1.json", True),
        ("p1.json", True),
        ("MRN-00412_letter.txt", True),
        ("Observation.ndjson", False),
        ("p12.json", False),
    ],
)
def test_the_name_of_a_file_may_name_her(name: str, *, hinted: bool) -> None:
    assert AMINA.are_hinted_at_in(name) is hinted


def test_traces_of_a_provisional_patient_come_from_what_refers_to_her() -> None:
    found = traces(observation("k1", subject="p1"))

    assert found.ids == {("", "p1")}
    assert found.are_named_in(json.dumps(observation("k2", subject="p1")).encode())
