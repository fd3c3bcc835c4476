"""A job's file is read in the site's time zone and languages, and a patient is found by the opaque id of audit rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management.base import CommandError

from clinical.management.commands.ask import patient_named
from clinical.models import Patient
from ingestion.models import IngestJob
from ingestion.receive import context_of
from tests.erasing import held
from tests.factories import LIMITS, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def test_what_the_site_says_reaches_the_parsers(settings: Any) -> None:
    take_in(patient())
    settings.TIME_ZONE, settings.INGESTION_OCR_LANGUAGES = "Europe/Berlin", "deu+eng"

    context = context_of(IngestJob.objects.get(), LIMITS)

    assert (context.zone, context.ocr_languages) == ("Europe/Berlin", "deu+eng")


def test_the_opaque_id_names_a_patient_on_the_command_line() -> None:
    take_in(patient())
    amina = held("amina")

    assert patient_named(str(amina.id)) == amina
    assert patient_named("amina") == amina
    with pytest.raises(CommandError, match="no patient"):
        patient_named("00000000-0000-4000-8000-000000000000")
    assert Patient.objects.count() == 1
