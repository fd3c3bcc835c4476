"""The operator's page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from clinical.domain.access import Role
from ingestion.models import IngestJob, QuarantinedItem
from tests.web.conftest import make_user

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_user(Role.OPERATOR), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_finished_job_shows_counts_that_add_up(operator: Client, clinic: Clinic) -> None:
    page = operator.get(reverse("ingest")).content.decode()
    job = IngestJob.objects.get()
    counts = [int(cell) for cell in re.findall(r'<td class="num right[^"]*">(?:<b>)?(\d+)', page)]  # fmt: skip

    assert counts[0] == job.pk
    assert counts[1] == job.received == sum(counts[2:7]) > 20
    assert "Done" in page
    assert "No job is open" in page


def test_the_page_asks_for_progress_every_two_seconds(operator: Client) -> None:
    page = operator.get(reverse("ingest")).content.decode()
    fragment = operator.get(reverse("ingest-progress")).content.decode()

    assert 'hx-trigger="every 2s"' in page
    assert "<html" not in fragment
    assert "Nothing has been received yet" in fragment


def test_nothing_is_sent_again_until_something_moves(operator: Client, clinic: Clinic) -> None:
    seen = re.search(r"seen=(\w+)", operator.get(reverse("ingest")).content.decode())
    assert seen
    url = reverse("ingest-progress")

    assert operator.get(url, {"seen": seen[1]}).status_code == 204
    IngestJob.objects.update(state=IngestJob.State.RUNNING)
    assert "1 job open" in operator.get(url, {"seen": seen[1]}).content.decode()


def test_quarantine_shows_reason_and_position(operator: Client, clinic: Clinic) -> None:
    QuarantinedItem.objects.create(
        job=IngestJob.objects.get(), ordinal=999, position="entry[12]", reason="truncated-json",
        detail="Observation.valueQuantity", created_at=timezone.now(),
    )  # fmt: skip
    page = operator.get(reverse("ingest-progress")).content.decode()

    for words in ("entry[12]", "truncated-json", "Observation.valueQuantity"):
        assert words in page


def test_no_patient_stands_on_the_page(operator: Client, clinic: Clinic) -> None:
    page = operator.get(reverse("ingest")).content.decode()

    for words in ("Brennan", "Orla", "clinic.json", "MRN-4410", "web-orla"):
        assert words not in page
