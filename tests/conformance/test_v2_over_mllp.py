"""Public HL7 v2 messages through a real socket become records of the patient they name.

Source of what is expected: HL7 v2.8.2 chapter 2 (acknowledgements, MSH-11, MSH-15); HL7 Version 2 to FHIR guide.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from clinical.identity.services import find
from clinical.models import FactRow, ResourceVersion
from ingestion import pipeline
from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.frames import frame
from ingestion.domain.v2.to_fhir.patient import patient_identifiers, sender_of
from ingestion.models import IngestJob, UnassignedItem
from tests.factories import LIMITS
from tests.unit.mllp_sender import MEASURED, Sender, code_of, door, field, message

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Message

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "hl7v2"
FILES = sorted(SAMPLES.glob("*.hl7"))

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
public = pytest.mark.skipif(not FILES, reason="public HL7 v2 samples are not beside the checkout")


def sent(*raws: bytes) -> list[str]:
    """Send messages over one socket, answer by answer, and work their jobs through."""
    with door() as server:
        sender = Sender(server.port)
        replies = []
        for raw in raws:
            if parse_message(raw).header.get(15) == "NE":
                sender.socket.sendall(frame(raw))
                replies.append("")
            else:
                replies.append(sender.send(raw))
        replies.append(sender.send(message(control="last")))
    for job_id in pipeline.due(timezone.now()):
        pipeline.run(job_id, limits=LIMITS, clock=timezone.now, wake=False)
    return replies[:-1]


def named(read: Message) -> set[object]:
    pid = read.first("PID")
    assert pid is not None
    numbers = patient_identifiers(pid, sender_of(read))
    pairs = [(one["system"], one["value"]) for one in numbers if one.get("system")]
    return {found.id for pair in pairs if (found := find(*pair)) is not None}


@public
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_sample_is_acknowledged_and_becomes_the_record_of_whom_it_names(path: Path) -> None:
    raw = path.read_bytes()
    read = parse_message(raw)

    [reply] = sent(raw)

    if read.header.get(15) != "NE":
        assert code_of(reply) in ("AA", "CA")
        assert field(reply, "MSA", 2) == read.control_id
    job = IngestJob.objects.order_by("pk").first()
    assert job is not None
    assert job.state == "done"
    assert job.quarantined == 0
    if read.processing_id != "P":
        assert job.unassigned == job.received > 0
        assert set(UnassignedItem.objects.values_list("reason", flat=True)) == {"not-production"}
        return
    assert job.stored == job.received - job.unassigned > 0
    waits = {"merge-names-unknown-patient"} if read.type[1] == "A40" else set()
    assert set(UnassignedItem.objects.values_list("reason", flat=True)) == waits
    versions = ResourceVersion.objects.filter(feed=job.feed, patient__isnull=False)
    owners = set(
        versions.exclude(original_sha256=IngestJob.objects.latest("pk").original_id).values_list(
            "patient_id", flat=True
        )
    )
    assert len(owners) == 1
    assert owners >= named(read)


@public
def test_all_samples_in_one_stream_and_again_have_one_effect() -> None:
    raws = [path.read_bytes() for path in FILES]
    sent(*raws)
    counts = [model.objects.count() for model in (ResourceVersion, FactRow)]
    held_back = UnassignedItem.objects.filter(resolved_at=None).count()

    replies = sent(*raws)

    assert {code_of(one) for one in replies if one} <= {"AA", "CA"}
    assert [model.objects.count() for model in (ResourceVersion, FactRow)] == counts
    assert UnassignedItem.objects.filter(resolved_at=None).count() == held_back


def test_a_type_that_is_not_mapped_is_accepted_kept_and_reported() -> None:
    [reply] = sent(message(("QBP^Q11^QBP_Q11", ("QPD|Q11^Ask",))))

    assert code_of(reply) == "AA"
    job = IngestJob.objects.order_by("pk")[0]
    assert [(item.reason, item.detail) for item in job.quarantine.all()] == [("message-type-not-mapped", "QBP^Q11")]


def test_a_result_is_a_visible_fact_within_a_second() -> None:
    """The way from the socket to the committed fact, without the queue's part, over forty results."""
    took = []
    with door() as server:
        sender = Sender(server.port)
        sender.send(message(MEASURED, control="warm", order="warm"))
        for number in range(40):
            begun = time.perf_counter()
            assert code_of(sender.send(message(MEASURED, control=f"c{number}", order=f"o{number}"))) == "AA"
            for job_id in pipeline.due(timezone.now()):
                pipeline.run(job_id, limits=LIMITS, clock=timezone.now, wake=False)
            took.append(time.perf_counter() - begun)
    assert FactRow.objects.filter(kind="observation").count() == 41
    assert sorted(took)[37] < 1.0
