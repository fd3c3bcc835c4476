"""The HL7 v2 door: what is acknowledged is on disk, and what is refused says why.

Source of the expected codes: HL7 v2.8.2 chapter 2, 2.9 (processing rules), tables 0008, 0155 and 0357; MLLP release 1.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError

from ingestion.domain.v2.frames import END, START, frame
from ingestion.mllp.connection import Rules
from ingestion.models import IngestJob, Original
from ingestion.originals import INLINE_BYTES, open_original
from tests.unit.mllp_sender import ADMITTED, MEASURED, Sender, code_of, door, field, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.mllp.server import Server

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])
DEMO = Rules(production_only=False)


@pytest.fixture
def served() -> Iterator[Server]:
    with door() as server:
        yield server


def kept() -> list[bytes]:
    return [open_original(job.original).read() for job in IngestJob.objects.select_related("original").order_by("pk")]


def test_an_accepted_message_is_on_disk_with_its_job_before_the_acknowledgement(served: Server) -> None:
    sender = Sender(served.port)

    reply = sender.send(message(control="ABC-7"))

    assert (code_of(reply), field(reply, "MSA", 2)) == ("AA", "ABC-7")
    assert kept() == [message(control="ABC-7").rstrip(b"\x1c")]
    [job] = IngestJob.objects.all()
    assert (job.state, job.feed) == ("received", "mllp:WEST")
    assert job.original.sealed is not None


def test_frames_arrive_split_glued_and_with_any_line_end(served: Server) -> None:
    sender = Sender(served.port)
    one, two = message(control="one"), message(control="two").replace(b"\r", b"\r\n")
    three = message(control="three").replace(b"\r", b"\n")
    for byte in frame(one):
        sender.socket.sendall(bytes([byte]))
    assert field(sender.reply(), "MSA", 2) == "one"

    sender.socket.sendall(frame(two) + b"\r\n" + frame(three))

    assert [field(sender.reply(), "MSA", 2) for _ in range(2)] == ["two", "three"]
    assert kept() == [one, two, three]


@pytest.mark.parametrize(
    ("raw", "code", "reason", "place"),
    [
        (b"HELLO\r", "AR", "no-header", "MSH"),
        (message(version="3.0"), "AR", "unsupported-version", "MSH^1^12"),
        (message(version=""), "AR", "unsupported-version", "MSH^1^12"),
        (message(charset="KLINGON"), "AR", "unknown-charset", "MSH^1^18"),
        (message(control=""), "AR", "missing-field", "MSH^1^10"),
        (message(("", ADMITTED[1])), "AR", "missing-field", "MSH^1^9"),
        (message(number=""), "AE", "missing-field", "PID^1^3"),
        (message((ADMITTED[0], ("EVN|A01", "PV1|1|I"))), "AE", "missing-segment", "PID"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason_and_kept_nowhere(
    served: Server, raw: bytes, code: str, reason: str, place: str
) -> None:
    reply = Sender(served.port).send(raw)

    assert code_of(reply) == code
    assert field(reply, "ERR", 5).split("^")[0] == reason
    assert field(reply, "ERR", 2) == place
    assert not IngestJob.objects.exists()


@pytest.mark.parametrize(
    ("accept", "raw", "code"),
    [
        ("AL", message(accept="AL", application="NE"), "CA"),
        ("SU", message(accept="SU"), "CA"),
        ("AL", message(accept="AL", version="9"), "CR"),
        ("ER", message(accept="ER", number=""), "CE"),
    ],
)
def test_enhanced_mode_is_answered_with_commit_codes(served: Server, accept: str, raw: bytes, code: str) -> None:
    assert code_of(Sender(served.port).send(raw)) == code, accept


def test_a_sender_that_wants_no_acknowledgement_gets_none_and_is_kept(served: Server) -> None:
    sender = Sender(served.port)
    sender.socket.sendall(frame(message(control="quiet", accept="NE", application="NE")))

    assert field(sender.send(message(control="asked")), "MSA", 2) == "asked"
    assert len(kept()) == 2


def test_the_same_message_again_is_acknowledged_alike(served: Server) -> None:
    replies = [Sender(served.port).send(message(MEASURED, control="again")) for _ in range(3)]

    assert {(code_of(one), field(one, "MSA", 2)) for one in replies} == {("AA", "again")}
    assert (IngestJob.objects.count(), Original.objects.count()) == (3, 1)


def test_what_the_disk_refuses_is_asked_for_again_and_never_accepted(
    served: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> list[int]:
        raise OperationalError("database or disk is full")

    sender = Sender(served.port)
    with monkeypatch.context() as broken:
        broken.setattr("ingestion.mllp.writer.receive_many", full)
        reply = sender.send(message(control="later"))

    assert (code_of(reply), field(reply, "MSA", 2), field(reply, "ERR", 5)) == ("AE", "later", "not-stored^^L")
    assert not IngestJob.objects.exists()
    assert code_of(sender.send(message(control="later"))) == "AA"


def test_a_large_message_is_kept_outside_the_row(served: Server) -> None:
    raw = message((ADMITTED[0], (*ADMITTED[1], "NTE|1||" + "word " * (INLINE_BYTES // 4))))

    assert code_of(Sender(served.port).send(raw)) == "AA"

    assert Original.objects.get().sealed is None
    assert kept() == [raw]


def test_a_message_that_does_not_end_is_told_so_and_let_go() -> None:
    with door(Rules(production_only=False, message_s=0.5)) as server:
        sender = Sender(server.port)
        sender.socket.sendall(START + message(control="half"))
        begun = time.monotonic()

        reply = sender.reply()

        assert (code_of(reply), field(reply, "MSA", 2)) == ("AE", "half")
        assert sender.reply() == ""
        assert 0.4 < time.monotonic() - begun < 5
    assert not IngestJob.objects.exists()


def test_drops_one_byte_at_a_time_do_not_hold_the_door_open() -> None:
    with door(Rules(production_only=False, message_s=0.8)) as server:
        sender = Sender(server.port)
        sender.socket.sendall(START)
        begun = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011 - reset or broken pipe, as the system has it
            while time.monotonic() - begun < 8:
                sender.socket.sendall(b"M")
                time.sleep(0.05)
        assert time.monotonic() - begun < 6


def test_a_message_over_the_limit_is_refused_and_the_connection_ends() -> None:
    with door(Rules(production_only=False, message_bytes=20_000)) as server:
        sender = Sender(server.port)
        sender.socket.sendall(START + message(control="huge") + b"NTE|1||" + b"x" * 40_000 + END + b"\r")

        reply = sender.reply()

        assert (code_of(reply), field(reply, "MSA", 2)) == ("AR", "huge")
        assert sender.reply() == ""


def test_a_silent_connection_is_let_go_and_frees_its_place() -> None:
    with door(Rules(production_only=False, idle_s=0.3), most_connections=1) as server:
        first = Sender(server.port)
        assert code_of(first.send(message())) == "AA"
        assert Sender(server.port).reply() == ""  # the only place is taken

        assert first.reply() == ""
        limit = time.monotonic() + 5
        while time.monotonic() < limit:
            sender = Sender(server.port)
            try:
                if code_of(sender.send(message(control="next"))) == "AA":
                    return
            except OSError:
                time.sleep(0.05)
        pytest.fail("the place was not given back")


def test_a_message_not_of_production_is_refused_on_a_site() -> None:
    with door(Rules(production_only=True)) as server:
        sender = Sender(server.port)

        reply = sender.send(message(processing="T"))

        assert (code_of(reply), field(reply, "ERR", 3).split("^")[0]) == ("AR", "202")
        assert code_of(sender.send(message(processing="P"))) == "AA"
    assert len(kept()) == 1


def test_stopping_answers_what_was_read() -> None:
    with door() as server:
        senders = [Sender(server.port) for _ in range(8)]
        for number, sender in enumerate(senders):
            assert code_of(sender.send(message(control=f"s{number}"))) == "AA"
        server.stop()
        assert all(sender.reply() == "" for sender in senders)
    assert IngestJob.objects.count() == 8
