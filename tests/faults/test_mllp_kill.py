"""SIGKILL of the HL7 v2 door in the middle of streams of messages: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from appliance.config import ROOT, environment
from ingestion.domain.v2.frames import Deframer, frame
from tests.unit.mllp_sender import MEASURED, code_of, field, message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENDERS, KILLS, BETWEEN = 4, 3, 20
_WORK = """
from appliance.config import use_settings_module
use_settings_module()
import django
django.setup()
from django.utils import timezone
from ingestion import pipeline
while ids := pipeline.due(timezone.now()):
    for one in ids:
        pipeline.run(one, limits=(1 << 20, 1 << 20), clock=timezone.now, wake=False)
"""

pytestmark = pytest.mark.timeout(120)


class Door:
    """The real process over a record of its own, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.folder = folder
        self.environment = {
            **environment(),
            "APPLIANCE_VAR": str(folder),
            "APPLIANCE_PROFILE": "embedded",
            "APPLIANCE_DATABASE_URL": "",
            "APPLIANCE_AUDIT_DATABASE_URL": "",
            "APPLIANCE_REDIS_URL": f"redis+socket://{folder}/no-redis.sock",
            "APPLIANCE_EMBEDDER_DIR": str(folder / "no-embedder"),
            "APPLIANCE_MLLP_PORT": str(self.port),
        }
        for database in ("default", "audit"):
            self.python("manage.py", "migrate", "--verbosity", "0", "--database", database)
        self.process: subprocess.Popen[bytes] | None = None

    def python(self, *arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True)

    def start(self) -> None:
        log = (self.folder / "door.log").open("ab")
        command = [sys.executable, "manage.py", "mllp"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        log.close()

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.folder / "record.sqlite3", timeout=10)) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Door]:
    served = Door(tmp_path)
    served.start()
    try:
        yield served
    finally:
        served.kill()


def stream(port: int, number: int, until: list[float], accepted: dict[str, tuple[str, str]]) -> None:
    """Send one message after the other, each again until it is accepted, over a new connection where one broke."""
    count, sock, frames = 0, None, Deframer()
    while time.monotonic() < until[0]:
        control = f"s{number}-{count}"
        raw = message(MEASURED, control=control, order=control, number=str(1000 + number), value=str(count % 9 + 1))
        try:
            if sock is None:
                sock, frames = socket.create_connection(("127.0.0.1", port), timeout=5), Deframer()
            sock.sendall(frame(raw))
            while not (found := frames.feed(data := sock.recv(4096))):
                if not data:
                    raise ConnectionError
        except OSError:
            if sock is not None:
                sock.close()
            sock = None
            time.sleep(0.05)
            continue
        reply = found[0].decode()
        accepted[control] = (code_of(reply), field(reply, "MSA", 2))
        count += 1
        time.sleep(0.02)
    if sock is not None:
        sock.close()


def wait_for_more(accepted: dict[str, tuple[str, str]]) -> None:
    before, limit = len(accepted), time.monotonic() + 20
    while len(accepted) < before + BETWEEN:
        assert time.monotonic() < limit, "the door does not accept"
        time.sleep(0.01)


def test_no_acknowledged_message_is_lost_and_none_is_doubled(killed: Door) -> None:
    accepted: dict[str, tuple[str, str]] = {}
    until = [time.monotonic() + 60]
    threads = [
        threading.Thread(target=stream, args=(killed.port, number, until, accepted)) for number in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    chance = random.Random(4)  # noqa: S311 - no secret
    kills_at = []
    for _ in range(KILLS):
        wait_for_more(accepted)
        time.sleep(chance.random() * 0.2)
        killed.kill()
        kills_at.append(len(accepted))
        killed.start()
    wait_for_more(accepted)
    until[0] = 0
    for thread in threads:
        thread.join(20)
    assert all(answer == ("AA", control) for control, answer in accepted.items())
    assert len(accepted) > kills_at[-1] > kills_at[0] > 0  # each kill came amid messages

    [(jobs, originals)] = killed.rows("SELECT count(*), count(DISTINCT original_id) FROM ingestion_ingestjob")
    assert jobs >= originals >= len(accepted)  # what was kept and not answered any more was sent again
    killed.kill()
    killed.python("-c", _WORK)

    open_jobs = killed.rows("SELECT count(*) FROM ingestion_ingestjob WHERE state != 'done'")
    assert open_jobs == [(0,)]
    [counts] = killed.rows(
        "SELECT sum(received), sum(stored + unchanged + superseded + unassigned + quarantined), sum(quarantined), "
        "sum(unassigned) FROM ingestion_ingestjob"
    )
    assert counts[0] == counts[1]
    assert counts[2:] == (0, 0)
    results = "resource_type = 'Observation'"
    [(versions, ids)] = killed.rows(
        f"SELECT count(*), count(DISTINCT logical_id) FROM clinical_resourceversion WHERE {results}"  # noqa: S608
    )
    assert versions == ids  # one version of each result, however often it was sent
    assert ids >= len(accepted)
    assert ids <= len(accepted) + SENDERS * (KILLS + 1)  # besides those, only what was kept and not answered


def test_when_asked_to_stop_it_answers_what_it_has_read_and_ends(killed: Door) -> None:
    accepted: dict[str, tuple[str, str]] = {}
    until = [time.monotonic() + 60]
    thread = threading.Thread(target=stream, args=(killed.port, 1, until, accepted))
    thread.start()
    wait_for_more(accepted)
    assert killed.process is not None

    killed.process.terminate()

    assert killed.process.wait(20) == 0
    until[0] = 0
    thread.join(20)
    [(jobs,)] = killed.rows("SELECT count(*) FROM ingestion_ingestjob")
    assert jobs == len(accepted)
