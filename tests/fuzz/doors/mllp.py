"""HL7 v2 over MLLP: what comes off the wire is acknowledged, mapped, and every few of them worked through."""

from __future__ import annotations

import socket
from concurrent.futures import Future
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from ingestion import pipeline
from ingestion.domain.items import ParseContext, ResourceItem
from ingestion.domain.v2.frames import Deframer, frame
from ingestion.domain.v2.message import V2Error, parse_message
from ingestion.mllp import connection as mllp
from ingestion.models import IngestJob
from ingestion.originals import open_original
from ingestion.parsers.registry import parse_bytes
from ingestion.receive import Arrival, receive_many
from tests.factories import LIMITS, noon
from tests.fuzz.alter import altered_bytes, altered_text
from tests.fuzz.doors.v2_messages import BODIES, TOKENS, grammar, header_end, message
from tests.fuzz.public import one_of
from tests.fuzz.watch import SLOWEST_S, FaultError

if TYPE_CHECKING:
    import pytest

_CODES: Final = {"AA", "AE", "AR", "CA", "CE", "CR"}
_REPLY_BYTES: Final = 1 << 20
WORKED_THROUGH: Final = 4  # of so many accepted messages one goes through the whole pipeline


class _Writer:
    """Stands for the writer's thread: keeps each arrival at once."""

    def submit(self, arrival: Arrival) -> Future[int]:
        kept: Future[int] = Future()
        kept.set_result(receive_many([arrival], now=noon())[0])
        return kept


class _NoDatabase:
    """Stands for the connection that a sender's thread closes at its end; here it is the test's own."""

    @staticmethod
    def close() -> None:
        return


class Mllp:
    """The door."""

    name = "mllp"
    stages = ("header read", "accepted", "mapped")
    slowest_s = SLOWEST_S

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mllp, "database", _NoDatabase)
        self._rules = mllp.Rules(production_only=False)
        self._accepted = 0

    def altered(self, chance: Random) -> bytes:
        kind, lines = chance.choice(BODIES)
        raw = one_of("hl7v2/*.hl7", chance) or message(kind, lines, end=chance.choice(("\r", "\r", "\r\n", "\n")))
        what = chance.random()
        if what < 0.65:
            return frame(altered_text(raw, chance, TOKENS, from_=header_end(raw)))
        if what < 0.85:
            return frame(altered_bytes(raw, chance, from_=header_end(raw)))
        if what < 0.9:
            return frame(raw) + frame(altered_text(raw, chance, TOKENS, from_=header_end(raw)))
        if what < 0.95:
            return altered_text(frame(raw), chance, (b"P|2.5.1", b"C1", b"ADT", b"ORU", b"\x0b", b"\x1c\r", b"\x1c"))
        return frame(
            altered_text(raw, chance, (b"MSH", b"|^~\\&", b"C1", b"|P|", b"2.5.1", b"^A01", b"ADT_A01", b"ORU"))
        )

    def grammar(self) -> st.SearchStrategy[bytes]:
        return grammar().map(frame)

    def send(self, sample: bytes) -> int:
        last = IngestJob.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        passed = max((_checked(reply) for reply in self._exchanged(sample)), default=0)
        for job in IngestJob.objects.filter(pk__gt=last).select_related("original").order_by("pk"):
            self._accepted += 1
            if self._accepted % WORKED_THROUGH == 0:
                passed = max(passed, _worked_through(job))
            else:
                passed = max(passed, _mapped(open_original(job.original).read()))
        return passed

    def _exchanged(self, sample: bytes) -> list[bytes]:
        """Send on a socket of its own and hang up; returns the acknowledgements."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _REPLY_BYTES)
            ours.settimeout(5)
            ours.sendall(sample)
            ours.shutdown(socket.SHUT_WR)
            writer: Any = _Writer()
            mllp.Connection(theirs, writer, self._rules, clock=noon, number=1).serve()
            said = b""
            while data := ours.recv(_REPLY_BYTES):
                said += data
        return Deframer().feed(said)


def _checked(reply: bytes) -> int:
    """Return the stages that an acknowledgement shows as passed.

    Raises:
        FaultError: it is not one.
    """
    try:
        message = parse_message(reply)
    except V2Error:
        raise FaultError("acknowledgement") from None
    found = message.first("MSA")
    if found is None or found.get(1) not in _CODES:
        raise FaultError("acknowledgement")
    if found.get(1)[1] == "A":
        return 2
    fault = message.first("ERR")
    if fault is None:
        raise FaultError("refusal without a reason")
    return 1 if found.get(2) else 0


def _worked_through(job: IngestJob) -> int:
    done = pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
    if done.received != done.stored + done.unchanged + done.superseded + done.unassigned + done.quarantined:
        raise FaultError("counts")
    return 3 if done.stored + done.unchanged + done.superseded else 2


def _mapped(raw: bytes) -> int:
    """Return the stages passed when the message is mapped, by the parser that the pipeline uses."""
    return 3 if any(isinstance(one, ResourceItem) for one in parse_bytes(raw, ParseContext())) else 2
