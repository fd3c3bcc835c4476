"""Only identifiers of the authorities a site has listed say whose record something is."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.identity.authorities import is_known
from clinical.identity.services import (
    UnassignedError,
    find,
    find_by_fhir_id,
    find_by_known_id,
    patient_of_reference,
    patient_of_resource,
)
from clinical.models import Patient, PatientIdentifier

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

MRN, OTHER = "urn:oid:2.999.1", "urn:oid:2.999.2"
EHR, ELSEWHERE = "https://ehr.internal/fhir", "https://elsewhere.internal/fhir"


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({MRN, EHR})


def person(logical_id: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    identifiers = [{"system": system, "value": value} for system, value in pairs]
    return {"resourceType": "Patient", "id": logical_id, "identifier": identifiers}


def of_resource(resource: dict[str, Any], server: str = "") -> Patient:
    return patient_of_resource(resource, server, lambda _: None)


@pytest.mark.parametrize(
    ("listed", "authority", "known"),
    [
        (None, OTHER, True),
        (None, "fhir:", True),
        (frozenset(), MRN, False),
        (frozenset(), "fhir:", False),
        ({MRN}, MRN, True),
        ({MRN}, OTHER, False),
        ({MRN}, f"{MRN}/", False),
        ({EHR}, f"fhir:{EHR}", True),
        ({f"{EHR}/"}, f"fhir:{EHR}", True),
        ({EHR}, f"fhir:{ELSEWHERE}", False),
        ({EHR}, "fhir:", False),
        ({"uploads"}, "fhir:", True),
        ({"uploads"}, f"fhir:{EHR}", False),
        ({"uploads"}, "uploads", False),
    ],
)
def test_an_authority_is_known_when_it_is_listed(
    settings: Any, listed: set[str] | None, authority: str, *, known: bool
) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = listed if listed is None else frozenset(listed)

    assert is_known(authority) is known


@pytest.mark.parametrize("server", ["", ELSEWHERE])
def test_a_patient_of_unknown_authorities_only_is_not_registered(server: str) -> None:
    with pytest.raises(UnassignedError, match="unknown-authority"):
        of_resource(person("p1", (OTHER, "7")), server)

    assert not Patient.objects.exists()


def test_an_unknown_identifier_beside_a_known_one_is_neither_looked_up_nor_remembered() -> None:
    found = of_resource(person("p1", (MRN, "7"), (OTHER, "7")), ELSEWHERE)

    assert set(PatientIdentifier.objects.values_list("authority", flat=True)) == {MRN}
    assert find(OTHER, "7") is None
    assert of_resource(person("p2", (MRN, "8"), (OTHER, "7")), ELSEWHERE) != found


def test_two_records_that_share_a_known_identifier_are_one_patient() -> None:
    first = of_resource(person("p1", (MRN, "7")), EHR)

    assert of_resource(person("9", (MRN, "7"), (OTHER, "1")), ELSEWHERE) == first
    assert patient_of_reference(EHR, "p1") == first


def test_a_reference_on_a_known_server_registers_and_on_another_does_not() -> None:
    assert patient_of_reference(EHR, "p1") == patient_of_reference(EHR, "p1")

    for server in ("", ELSEWHERE):
        with pytest.raises(UnassignedError, match="unknown-authority"):
            patient_of_reference(server, "p1")
    assert Patient.objects.count() == 1


def test_what_was_remembered_of_an_authority_counts_no_more_once_it_is_off_the_list(settings: Any) -> None:
    of_resource(person("p1", (MRN, "7")), EHR)
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({OTHER})

    assert find(MRN, "7") is None
    assert find_by_known_id("p1") is None
    assert find_by_fhir_id("p1") is None


def test_an_identifier_cannot_pose_as_a_servers_own_id() -> None:
    ours = patient_of_reference(EHR, "p1")

    assert of_resource(person("x", (f"fhir:{EHR}", "p1"), (MRN, "7")), ELSEWHERE) != ours
