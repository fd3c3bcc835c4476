"""A small original may stand in its own row: encrypted, bound to its digest, and gone with the row."""

from __future__ import annotations

import io

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.identity.services import find
from clinical.models import DeletionReceipt
from clinical.ports import backends
from ingestion import pipeline
from ingestion.erasure.services import erase
from ingestion.models import IngestJob, Original
from ingestion.originals import keep, objects_of, open_original
from ingestion.receive import Arrival, name_of, receive_many
from tests.erasing import by, held
from tests.factories import LIMITS, NOON, noon, patient, take_in
from tests.unit.mllp_sender import ADMITTED, MEASURED, message

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def arrived(*raws: bytes) -> list[IngestJob]:
    ids = receive_many([Arrival(raw, "message.hl7", "mllp:WEST") for raw in raws], now=NOON)
    return [IngestJob.objects.select_related("original").get(pk=one) for one in ids]


def test_messages_written_together_are_one_transaction_and_come_out_as_they_went_in() -> None:
    raws = [message(control=f"c{number}") for number in range(20)]
    with CaptureQueriesContext(connection) as captured:
        jobs = arrived(*raws)

    assert [open_original(job.original).read() for job in jobs] == raws
    assert {name_of(job) for job in jobs} == {"message.hl7"}
    writes = [one for one in captured.captured_queries if one["sql"].startswith("INSERT")]
    assert len(writes) <= 4  # originals, jobs, the feed, and the site's key on first use


def test_the_same_bytes_are_kept_once_whichever_way_they_come() -> None:
    raw = message()
    kept = keep(io.BytesIO(raw), now=NOON)

    [first, second] = arrived(raw, raw)

    assert (first.original_id, second.original_id) == (kept.sha256, kept.sha256)
    assert keep(io.BytesIO(message(control="other")), now=NOON).sealed is None
    assert Original.objects.count() == 2


def test_the_row_holds_no_clear_text_and_does_not_open_under_another_digest() -> None:
    [one, two] = arrived(message(MEASURED, control="one"), message(MEASURED, control="two"))
    assert one.original.sealed is not None
    assert b"EXAMPLE" not in bytes(one.original.sealed)

    one.original.sealed = two.original.sealed
    with pytest.raises(InvalidTag):
        open_original(one.original)


def test_nothing_lies_in_the_store_and_the_row_takes_the_bytes_with_it() -> None:
    [job] = arrived(message())

    assert objects_of(job.original) == []
    assert backends().originals.held == {}  # type: ignore[attr-defined]


def test_erasing_a_patient_takes_his_messages_and_leaves_those_of_others() -> None:
    mine, theirs = arrived(message(MEASURED), message(ADMITTED, number="2002", control="other"))
    for job in (mine, theirs):
        pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    take_in(patient("somebody"))
    whom = find("urn:hl7v2:authority:WARD", "1001")
    assert whom is not None

    receipt = erase(whom, reason="request", by=by())

    assert receipt.kind == DeletionReceipt.Kind.PATIENT
    assert receipt.before["originals"] == 1
    assert not Original.objects.filter(sha256=mine.original_id).exists()
    mine.refresh_from_db()
    assert mine.error == "original-erased"
    assert open_original(theirs.original).read() == message(ADMITTED, number="2002", control="other")
    assert held("somebody").versions.count() == 1
