"""Files of unknown servers hold the same bytes, each meaning its own "Patient/x": neither counts for the other's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from clinical.identity.services import find
from clinical.models import Patient, ResourceVersion
from ingestion.erasure.services import erase
from ingestion.models import IngestJob, UnassignedItem
from tests.erasing import by
from tests.factories import bundle, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
MRN = "urn:oid:2.999.1"
RESULT = observation(subject="x")


def person(number: str, name: str) -> dict[str, Any]:
    return patient("x", identifier=[{"system": MRN, "value": number}], name=[{"family": name, "given": ["A"]}])


def whose(number: str) -> Patient:
    found = find(MRN, number)
    assert found is not None
    return found


@override_settings(CLINICAL_KNOWN_AUTHORITIES=frozenset({MRN}))
def test_what_another_has_already_is_held_for_a_person_and_not_called_unchanged() -> None:
    take_in(bundle(person("1", "First"), RESULT))
    first = whose("1")

    job = take_in(bundle(person("2", "Second") | {"id": "x"}, RESULT))

    assert job.unchanged == 0
    assert "belongs-to-another-patient" in set(UnassignedItem.objects.values_list("reason", flat=True))
    assert ResourceVersion.objects.get(resource_type="Observation").patient == first

    again = take_in(bundle(person("1", "First"), RESULT))
    assert (again.unchanged, again.stored) == (2, 0)


@override_settings(CLINICAL_KNOWN_AUTHORITIES=frozenset({MRN}))
def test_erasing_one_leaves_the_file_of_the_other() -> None:
    take_in(bundle(person("1", "First"), RESULT))
    take_in(bundle(person("2", "Second"), RESULT))
    [_of_first, of_second] = IngestJob.objects.order_by("pk").values_list("original_id", flat=True)
    assert UnassignedItem.objects.count() == 2

    erase(whose("1"), reason="asked for it", by=by())

    assert IngestJob.objects.order_by("pk").values_list("original_id", flat=True)[1] == of_second
    assert IngestJob.objects.order_by("pk").values_list("original_id", flat=True)[0] == "erased"
    assert UnassignedItem.objects.count() == 2
