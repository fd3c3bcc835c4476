"""What tells systemd that a loop turns: only when a unit asks, not too often, and never in a loop's way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from appliance.config import environment
from appliance.processes.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TURNING = """
import time
from appliance.processes.watchdog import Watchdog
turned = Watchdog()
while True:
    turned()
    time.sleep(0.01)
"""


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(0.2)
        yield listening


def unit(systemd: socket.socket, *, watchdog_s: float) -> dict[str, str]:
    return {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": str(int(watchdog_s * 1e6))}


def heard(systemd: socket.socket) -> list[bytes]:
    """Return what has come until nothing comes any more."""
    found = []
    try:
        while True:
            found.append(systemd.recv(64))
    except TimeoutError:
        return found


def test_a_turning_loop_is_told_four_times_in_each_span(systemd: socket.socket) -> None:
    now = 0.0
    turned = Watchdog(unit(systemd, watchdog_s=60), clock=lambda: now)
    for now in range(60):  # noqa: B007 - the clock reads it
        turned()
    assert heard(systemd) == [b"WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "given", [{}, {"NOTIFY_SOCKET": "/run/x"}, {"WATCHDOG_USEC": "1000"}, {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "?"}]
)
def test_where_no_unit_asks_nothing_is_due(given: dict[str, str]) -> None:
    turned = Watchdog(given)
    turned()
    assert turned.every_s == 0.0


def test_a_systemd_that_is_away_stops_no_loop(tmp_path: Path) -> None:
    turned = Watchdog({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000"})
    assert turned.every_s > 0
    turned()


def test_a_process_that_stands_still_is_not_heard_and_is_again_when_it_goes_on(systemd: socket.socket) -> None:
    # Stopped as a whole, a process can say nothing from any thread either.
    child = subprocess.Popen([sys.executable, "-c", TURNING], env={**environment(), **unit(systemd, watchdog_s=0.2)})
    try:
        systemd.settimeout(20)
        assert systemd.recv(64) == b"WATCHDOG=1"
        child.send_signal(signal.SIGSTOP)
        systemd.settimeout(0.3)
        time.sleep(0.1)
        heard(systemd)
        assert heard(systemd) == []
        child.send_signal(signal.SIGCONT)
        assert systemd.recv(64) == b"WATCHDOG=1"
    finally:
        child.kill()
        child.wait(10)


def _door(folder: Path) -> list[str]:
    return [
        "gunicorn", "wsgiref.simple_server:demo_app", "--worker-class", "appliance.processes.watched_door.Worker",
        "--bind", f"unix:{folder}/door", "--threads", "2", "--no-control-socket", "--log-level", "warning",
    ]  # fmt: skip


def _vectors(folder: Path) -> list[str]:
    return ["appliance.processes.watched_vectors", "--data", str(folder / "data"), "--listen", f"unix:{folder}/vectors"]


@pytest.mark.parametrize("serving", [_door, _vectors], ids=["a door", "the vector service"])
def test_what_serves_tells_from_its_own_loop(
    serving: Callable[[Path], list[str]], systemd: socket.socket, tmp_path: Path
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", *serving(tmp_path)],
        env={**environment(), **unit(systemd, watchdog_s=0.4), "APPLIANCE_VAR": str(tmp_path)},
    )
    try:
        systemd.settimeout(30)
        told = [systemd.recv(256) for _ in range(4)]
    finally:
        child.terminate()
        child.wait(20)
    assert told.count(b"WATCHDOG=1") >= 3


def _kept(systemd: socket.socket, *, answers: str, starts_s: float) -> tuple[list[bytes], int]:
    """Return what a parent of one second's sleep tells, and its status."""
    program = f"""
import sys
from pathlib import Path
from appliance.processes.watched_model import keep
asked = iter({answers})
status = keep([sys.executable, "-c", "import time; time.sleep(2); raise SystemExit(7)"], {{}},
              lambda: next(asked, False), starts_s={starts_s}, every_s=0.05)
raise SystemExit(status)
"""
    child = subprocess.run(
        [sys.executable, "-c", program],
        env={**environment(), **unit(systemd, watchdog_s=0.04)},
        timeout=60,
        check=False,
    )
    return heard(systemd), child.returncode


def test_a_model_server_is_told_of_while_it_starts_and_while_it_answers_and_ends_as_it_ended(
    systemd: socket.socket,
) -> None:
    starting, status = _kept(systemd, answers="[]", starts_s=60)
    answering, _ = _kept(systemd, answers="[True] * 1000", starts_s=0)
    silent, _ = _kept(systemd, answers="[]", starts_s=0)
    gone_silent, _ = _kept(systemd, answers="[True, True]", starts_s=60)

    assert status == 7
    assert len(starting) > 2
    assert len(answering) > 2
    assert silent == []
    assert len(gone_silent) == 2


def test_a_model_server_ends_with_its_parent(tmp_path: Path) -> None:
    program = f"""
import sys
from appliance.processes.watched_model import keep
child = "import os, pathlib, time; pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid())); time.sleep(60)"
raise SystemExit(keep([sys.executable, "-c", child], {{}}, lambda: False, starts_s=60, every_s=0.05))
"""
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment())
    written = tmp_path / "pid"
    deadline = time.monotonic() + 30
    while not (written.exists() and written.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.terminate()
    assert parent.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text()), 0)
