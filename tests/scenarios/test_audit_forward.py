"""The trail reaches the site's syslog collector whole and in order, with codes only, and nobody else."""

from __future__ import annotations

import re
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from appliance.processes.audit_forward import Collector, Forwarder
from clinical.audit import trail
from clinical.models import AuditEvent
from tests.factories import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
MESSAGE = re.compile(
    r"<(?P<pri>\d+)>1 (?P<at>\S+Z) box appliance - (?P<action>\S+) \[trail@32473 seq=\"(?P<seq>\d+)\" (?P<rest>.*)\]"
)


class Listening:
    """A collector on loopback that keeps what it is sent."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.named = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.received = b""
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                while data := line.recv(65536):
                    self.received += data

    def messages(self) -> list[str]:
        """Take the frames apart once the listener has ended."""
        self.close()
        found, rest = [], self.received
        while rest:
            length, _, rest = rest.partition(b" ")
            found.append(rest[: int(length)].decode())
            rest = rest[int(length) :]
        return found

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def collector() -> Iterator[Listening]:
    listening = Listening()
    yield listening
    if listening._socket.fileno() != -1:
        listening.close()


def write(count: int, **more: str) -> None:
    for number in range(count):
        entry = trail.Entry(f"record.read{number}", "SUCCESS", "demo-clinician", detail={"reason": "x"}, **more)
        trail.append(entry, now=NOON)


def test_every_row_is_sent_once_and_in_order(collector: Listening, tmp_path: Path) -> None:
    write(3)
    box = Forwarder([Collector(collector.named)], tmp_path / "state.json", host="box")
    assert box.once() == {collector.named: 3}
    write(2)
    again = Forwarder([Collector(collector.named)], tmp_path / "state.json", host="box")
    assert again.once() == {collector.named: 2}
    assert again.once() == {collector.named: 0}

    told = [MESSAGE.fullmatch(one) for one in collector.messages()]
    assert [one and int(one["seq"]) for one in told] == list(
        AuditEvent.objects.order_by("seq").values_list("seq", flat=True)
    )
    assert {one and one["pri"] for one in told} == {"110"}  # log audit, informational


def test_a_trail_that_was_restored_is_sent_from_its_beginning(collector: Listening, tmp_path: Path) -> None:
    write(3)
    box = Forwarder([Collector(collector.named)], tmp_path / "state.json", host="box")
    box.once()
    assert box.once() == {collector.named: 0}
    AuditEvent.objects.all().delete()  # what was there is gone; the numbers are given again
    write(2, purpose="TREAT")
    again = Forwarder([Collector(collector.named)], tmp_path / "state.json", host="box")
    assert again.once() == {collector.named: 2}
    assert len(collector.messages()) == 5


def test_a_refusal_is_a_warning_and_no_detail_is_told(collector: Listening, tmp_path: Path) -> None:
    trail.append(
        trail.Entry("record.read", "DENIED", 'dr "x"]\n', patient_id="p-1", detail={"reason": "not-in-care-team"}),
        now=NOON,
    )
    Forwarder([Collector(collector.named)], tmp_path / "state.json", host="box").once()

    (said,) = collector.messages()
    assert said.startswith("<108>1 ")
    assert r'user="dr \"x\"\]"' in said
    assert "not-in-care-team" not in said
    assert "\n" not in said


def test_what_a_collector_missed_is_sent_when_it_is_back(tmp_path: Path) -> None:
    write(2)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"127.0.0.1:{closed.getsockname()[1]}"
    standing = Listening()
    box = Forwarder([Collector(gone), Collector(standing.named)], tmp_path / "state.json", host="box")
    with pytest.raises(OSError, match="refused"):
        box.once()
    assert (box.sent(Collector(gone)), box.sent(Collector(standing.named))) == (0, AuditEvent.objects.count())
    assert len(standing.messages()) == 2


@pytest.mark.parametrize("address", ["8.8.8.8:6514", "logs.example.com:6514", "127.0.0.1:https"])
def test_an_address_off_the_site_is_refused(address: str) -> None:
    with pytest.raises(CommandError):
        call_command("audit_forward", "--to", address, "--once")


def test_the_command_sends_what_is_due(
    collector: Listening, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(1)
    call_command("audit_forward", "--to", collector.named, "--state", str(tmp_path / "s.json"), "--once")
    assert capsys.readouterr().out.strip() == f"{collector.named}: 1 rows"
