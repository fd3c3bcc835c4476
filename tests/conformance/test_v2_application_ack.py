"""Enhanced mode's application acknowledgement: what became of a message, told to a sender who asks by MSH-16.

Source of what is expected: HL7 v2.8.2 chapter 2, section 2.9.3 (enhanced acknowledgement), MSH-15 and MSH-16 with
table 0155 (AL always, NE never, ER on error, SU on success), MSA-1 with table 0008, ERR-4 with table 0516.
"""

from __future__ import annotations

import time

import pytest
from django.utils import timezone

from ingestion import pipeline
from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.frames import frame
from ingestion.mllp.application import MOST_WAITING, Applications
from ingestion.models import IngestJob
from tests.factories import LIMITS
from tests.unit.mllp_sender import MEASURED, Sender, code_of, door, field, message

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
BROKEN = (MEASURED[0], (*MEASURED[1][:2], "OBX|1|NM|2823-3^Potassium^LN||not a number|mmol/L|||||F"))
NOT_MAPPED = ("QBP^Q11^QBP_Q11", ("QPD|Q11^Ask",))


def work() -> None:
    for job_id in pipeline.due(timezone.now()):
        pipeline.run(job_id, limits=LIMITS, clock=timezone.now, wake=False)


def test_a_sender_is_told_when_the_record_has_the_message() -> None:
    with door() as server:
        sender = Sender(server.port)
        accepted = sender.send(message(MEASURED, control="C7", accept="AL", application="AL"))
        assert code_of(accepted) == "CA"

        work()
        told = sender.reply()

    assert (code_of(told), field(told, "MSA", 2)) == ("AA", "C7")
    assert (field(told, "MSH", 14), field(told, "MSH", 15)) == ("NE", "NE")  # MSH-1 is the separator itself
    assert field(told, "MSH", 9) != field(accepted, "MSH", 9)
    assert "ERR" not in told


def test_what_waits_for_a_person_is_told_as_a_warning() -> None:
    with door() as server:
        sender = Sender(server.port)
        sender.send(message(MEASURED, processing="T", accept="AL", application="AL"))
        work()
        told = sender.reply()

    assert code_of(told) == "AA"
    assert (field(told, "ERR", 4), field(told, "ERR", 5)) == ("W", "waits-for-a-person^^L")


def test_what_could_not_be_taken_in_is_told_as_an_error() -> None:
    with door() as server:
        sender = Sender(server.port)
        sender.send(message(NOT_MAPPED, accept="AL", application="ER"))
        work()
        told = sender.reply()

    assert code_of(told) == "AE"
    assert (field(told, "ERR", 4), field(told, "ERR", 5)) == ("E", "not-all-taken-in^^L")


@pytest.mark.parametrize(
    ("wanted", "kind", "is_told"),
    [("AL", MEASURED, True), ("SU", MEASURED, True), ("ER", MEASURED, False), ("NE", MEASURED, False),
     ("", MEASURED, False), ("SU", NOT_MAPPED, False), ("ER", NOT_MAPPED, True)],
)  # fmt: skip
def test_only_what_the_sender_asks_for_is_told(
    wanted: str, kind: tuple[str, tuple[str, ...]], *, is_told: bool
) -> None:
    with door() as server:
        sender = Sender(server.port)
        sender.send(message(kind, control="C1", accept="AL", application=wanted))
        work()
        time.sleep(0.3)  # longer than two looks at the ledger
        following = sender.send(message(MEASURED, control="C2", order="2", accept="AL", application="NE"))

    assert (field(following, "MSA", 2), code_of(following)) == (
        ("C1", "A" + "EA"[kind is MEASURED]) if is_told else ("C2", "CA")
    )


def test_the_application_acknowledgement_comes_alone_where_no_acceptance_is_wanted() -> None:
    with door() as server:
        sender = Sender(server.port)
        sender.socket.sendall(frame(message(MEASURED, control="C9", accept="NE", application="AL")))
        limit = time.monotonic() + 10
        while not IngestJob.objects.exists():
            assert time.monotonic() < limit
            time.sleep(0.02)
        work()
        told = sender.reply()

    assert (code_of(told), field(told, "MSA", 2)) == ("AA", "C9")


def test_a_sender_that_has_gone_loses_only_the_telling() -> None:
    with door() as server:
        sender = Sender(server.port)
        sender.send(message(MEASURED, accept="AL", application="AL"))
        sender.close()
    work()

    assert IngestJob.objects.get().state == "done"


def test_no_more_than_a_bound_is_remembered() -> None:
    waiting, asked = Applications(), parse_message(message(MEASURED, accept="AL", application="AL"))

    for number in range(MOST_WAITING + 5):
        waiting.expect(number, asked)

    assert len(waiting) == MOST_WAITING
