"""Two writers who meet the same new patient register one person."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from clinical.identity import services
from clinical.models import Patient

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def test_a_patient_registered_meanwhile_is_not_registered_again_without_identifiers() -> None:
    services.patient_of_reference("https://ehr.internal", "amina")

    with pytest.raises(IntegrityError), transaction.atomic():
        services._register([("fhir:https://ehr.internal", "amina")])  # what the second of two writers does

    assert Patient.objects.count() == 1
    assert not Patient.objects.filter(identifiers=None).exists()


def test_a_patient_who_names_the_same_identifier_twice_is_registered() -> None:
    mrn = {"system": "urn:mrn", "value": "1"}
    resource = {"resourceType": "Patient", "id": "amina", "identifier": [mrn, mrn]}

    assert services.patient_of_resource(resource, "", lambda _: None).identifiers.count() == 2
