"""A document that was handed in can be found, cited by page and opened; what a machine read of it is no fact."""

from __future__ import annotations

import base64
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from clinical.access.services import grant_access
from clinical.models import FactRow, PassageRow, Patient, ResourceVersion
from clinical.record.selectors import all_passages_of
from tests.documents import pdf, scan
from tests.factories import NOON, bundle, clinician, patient, take_in

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
ONE = ["Potassium was 4.1 mmol/L on Monday."]
TWO = ["Ramipril was stopped on Tuesday because of cough."]


def opened(client: Client, words: str) -> str:
    """Return the page that a citation of these words opens."""
    user = clinician()
    held = Patient.objects.get()
    grant = grant_access(user, held.id, action="chart.view", now=NOON)
    passage = next(one for one in all_passages_of(grant) if words in one.text)
    start = passage.span.start + passage.text.index(words)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    kind, _, logical_id = passage.span.resource.partition("/")
    where = reverse("source", args=[held.id, kind, logical_id, passage.span.version])
    asked = urlencode({"part": "text", "start": start, "end": start + len(words)})
    return str(client.get(f"{where}?{asked}").content.decode())


def test_the_cited_words_are_marked_on_their_page(client: Client) -> None:
    take_in(bundle(patient()))
    job = take_in(pdf(ONE, TWO), patient="amina", name="Letter.pdf")

    page = opened(client, "Ramipril was stopped")

    assert (job.stored, job.quarantined) == (1, 0)
    assert "The cited words stand on page 2." in page
    assert page.count('id="cited"') == 1
    assert ">Ramipril was stopped</mark>" in page
    assert "Potassium was 4.1" in page
    assert "OCR" not in page


def test_a_passage_says_its_page_wherever_it_is_shown() -> None:
    take_in(bundle(patient()))
    take_in(pdf(ONE, TWO), patient="amina", name="Letter.pdf")

    grant = grant_access(clinician(), Patient.objects.get().id, action="chart.view", now=NOON)

    assert {one.title for one in all_passages_of(grant)} <= {
        "Letter, page 1", "Letter, page 2", "Letter, pages 1 and 2",
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract-ocr is not installed")
def test_what_was_read_from_a_picture_says_so_and_is_no_fact(client: Client) -> None:
    take_in(bundle(patient()))
    take_in(scan(ONE), patient="amina", name="Scan.pdf")

    page = opened(client, "4.1 mmol/L")

    assert "page 1, read by OCR" in page
    assert "may have misread" in page
    assert set(FactRow.objects.values_list("version__resource_type", flat=True)) <= {"Patient", "DocumentReference"}
    assert not FactRow.objects.filter(kind__icontains="observation").exists()


def test_the_same_file_again_changes_nothing_and_nobody_named_waits_for_a_person() -> None:
    take_in(bundle(patient()))
    first, again = (take_in(pdf(ONE), patient="amina") for _ in range(2))
    alone = take_in(pdf(TWO))

    assert (first.stored, again.unchanged, alone.unassigned) == (1, 1, 1)
    assert ResourceVersion.objects.filter(resource_type="DocumentReference").count() == 1
    assert PassageRow.objects.count() == 1


def test_a_job_is_held_while_its_document_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion.models import IngestJob
    from ingestion.parsers.extraction import run

    leases: list[Any] = []
    real = run._run

    def slow(file: Any, kind: str, tesseract: str, languages: str, still_working: Any) -> Any:
        IngestJob.objects.filter(state="running").update(lease_until=None)
        still_working()
        leases.extend(IngestJob.objects.filter(state="running").values_list("lease_until", flat=True))
        return real(file, kind, tesseract, languages, still_working)

    monkeypatch.setattr(run, "_run", slow)
    take_in(bundle(patient()))
    job = take_in(pdf(ONE, TWO, ONE), patient="amina")

    assert job.stored == 1
    assert leases and all(lease > NOON for lease in leases)


def test_a_document_sent_as_a_message_is_read_page_by_page(client: Client) -> None:
    body = base64.b64encode(pdf(ONE, TWO)).decode()
    message = (
        "MSH|^~\\&|DOC|H|EHR|H|20260301120000||MDM^T02|1|P|2.5\rPID|1||7^^^H^MR||Test^Tess||19610402|F\r"
        "TXA|1|DS|TX|20260301110000||||||||D1|||||LA\rOBX|1|ED|18842-5^Summary^LN||^AP^PDF^Base64^" + body + "||||||F\r"
    )
    take_in(message.encode())

    assert "The cited words stand on page 2." in opened(client, "Ramipril was stopped")


def test_long_documents_show_the_cited_page_and_those_beside_it(client: Client) -> None:
    take_in(bundle(patient()))
    filler = [f"Line {number} of the ward round with nothing new to be said of it." for number in range(30)]
    take_in(pdf(*[filler] * 24, TWO, filler, filler), patient="amina", name="Long.pdf")

    page = opened(client, "Ramipril was stopped")

    assert "page 25" in page
    assert page.count("<pre") == 3
    assert "24 further pages not shown here." in page
