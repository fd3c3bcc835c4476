"""The HL7 v2 door: messages acknowledged durably, against a door that answers and keeps nothing.

Both doors are processes of their own, spoken to over the same loopback sockets by the same senders, who wait for
each acknowledgement. Then: one sender alone, and the time from sending a result to its fact being there to read.
"""

from __future__ import annotations

import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from appliance.bench.row import Row, print_rows
from appliance.config import ROOT
from appliance.processes.catalogue import child_environment
from ingestion.domain.v2.frames import Deframer, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 32
SECONDS = 8.0
ALONE = 200
RESULTS = 40
_READY_S = 60.0
_WORK_S = 8.0
# What a worker does when messages wait, without the queue; prints jobs a second.
_WORK = f"""
from time import perf_counter
from appliance.config import use_settings_module
use_settings_module()
import django
django.setup()
from django.conf import settings
from django.utils import timezone
from ingestion import pipeline
from ingestion.models import IngestJob
from ingestion.together import run_together
begun = perf_counter()
while perf_counter() - begun < {_WORK_S} and (ids := pipeline.due(timezone.now())):
    for one in run_together(ids, limits=settings.INGESTION_LIMITS, clock=timezone.now):
        pipeline.run(one, limits=settings.INGESTION_LIMITS, clock=timezone.now, wake=False)
print(IngestJob.objects.filter(state="done").count() / (perf_counter() - begun))
"""


def run() -> list[Row]:
    """Measure both doors, then latency alone, then the way to a visible fact."""
    with TemporaryDirectory(prefix="bench-mllp-") as folder:
        environment = _environment(Path(folder))
        for database in ("default", "audit"):
            _manage(environment, "migrate", "--verbosity", "0", "--database", database)
        port = int(environment["APPLIANCE_MLLP_PORT"])
        with _process(environment, "manage.py", "mllp", port=port):
            rate = _rate(port)
            alone = sorted(_times(port, ALONE))
        with _process(environment, "-m", "appliance.bench.mllp", str(port), port=port):
            bare = _rate(port)
        kept = _jobs(Path(folder))
        worked = _worked(environment)
        visible = sorted(_visible(environment, Path(folder), port))
    assert kept >= rate * SECONDS * 0.9, "what was acknowledged is not all there"  # noqa: S101 - a figure must be true
    rows = [
        Row(
            "MLLP messages acknowledged durably", rate, "messages/s", bare, rate / bare, ">= 500 messages/s",
            f"{CONNECTIONS} senders; ratio to a door that keeps nothing",
        ),
        Row("MLLP acknowledgement, one sender, median", alone[len(alone) // 2] * 1000, "ms"),
        Row("MLLP acknowledgement, one sender, p95", alone[int(len(alone) * 0.95)] * 1000, "ms"),
    ]  # fmt: skip
    rows.append(
        Row("v2 messages taken in by one worker", worked, "messages/s", note="five resources each; one process")
    )
    if visible:
        found = visible[int(len(visible) * 0.95)] * 1000
        rows.append(Row("v2 result to visible fact, p95", found, "ms", target="<= 1000", note="with queue and worker"))
    return rows


def _environment(folder: Path) -> dict[str, str]:
    return {
        **child_environment(),
        "APPLIANCE_VAR": str(folder),
        "APPLIANCE_PROFILE": "embedded",
        "APPLIANCE_DATABASE_URL": "",
        "APPLIANCE_AUDIT_DATABASE_URL": "",
        "APPLIANCE_REDIS_URL": f"redis+socket://{folder}/redis.sock",
        "APPLIANCE_EMBEDDER_DIR": str(folder / "no-embedder"),
        "APPLIANCE_MLLP_PORT": str(_free_port()),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)


@contextmanager
def _process(environment: dict[str, str], *arguments: str, port: int = 0) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        if port:
            _wait(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(port: int) -> None:
    limit = time.monotonic() + _READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)
        else:
            return


def _message(control: str) -> bytes:
    number = hash(control) % 5000
    lines = [
        f"MSH|^~\\&|LAB|BENCH|BOX|SITE|20260301120000+0000||ORU^R01^ORU_R01|{control}|P|2.5.1",
        f"PID|1||{number}^^^BENCH^MR||EXAMPLE^ANNA||19610402|F",
        f"OBR|1|A{control}|B{control}|24326-1^Electrolytes^LN|||20260301080000",
        "OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L^^UCUM|3.5-5.1||||F|||20260301080000",
        "OBX|2|NM|2951-2^Sodium^LN||139|mmol/L^^UCUM|135-145||||F|||20260301080000",
    ]
    return "\r".join(lines).encode() + b"\r"


def _exchange(sock: socket.socket, frames: Deframer, raw: bytes) -> bytes:
    sock.sendall(frame(raw))
    while True:
        if found := frames.feed(sock.recv(65536)):
            return found[0]


def _rate(port: int) -> float:
    """Return acknowledged messages a second over all senders."""
    counts = [0] * CONNECTIONS
    started = threading.Barrier(CONNECTIONS + 1)
    limit = [0.0]

    def send(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
            frames = Deframer()
            _exchange(sock, frames, _message(f"warm-{port}-{number}"))
            started.wait()
            while time.perf_counter() < limit[0]:
                reply = _exchange(sock, frames, _message(f"{number}-{counts[number]}"))
                if b"MSA|AA" not in reply:
                    raise RuntimeError("not accepted")
                counts[number] += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    limit[0] = time.perf_counter() + SECONDS
    started.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)


def _times(port: int, messages: int) -> list[float]:
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        frames = Deframer()
        for number in range(messages):
            begun = time.perf_counter()
            _exchange(sock, frames, _message(f"alone-{number}"))
            found.append(time.perf_counter() - begun)
    return found


def _worked(environment: dict[str, str]) -> float:
    """Return how many of the messages that wait one worker takes in a second."""
    command = [sys.executable, "-c", _WORK]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _jobs(folder: Path, where: str = "") -> int:
    connection = sqlite3.connect(folder / "record.sqlite3", timeout=30)
    try:
        return int(connection.execute(f"SELECT count(*) FROM ingestion_ingestjob {where}").fetchone()[0])  # noqa: S608
    finally:
        connection.close()


def _visible(environment: dict[str, str], folder: Path, port: int) -> list[float]:
    """Return seconds from sending a result to its job being done, one after the other; [] without a Redis here."""
    empty = folder / "empty"
    empty.mkdir()
    ours = {**environment, "APPLIANCE_VAR": str(empty), "APPLIANCE_REDIS_URL": f"redis+socket://{empty}/redis.sock"}
    try:
        redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", f"{empty}/redis.sock", "--save", "", "--dir", str(empty)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        return []
    worker = (
        "-m",
        "celery",
        "--app",
        "appliance.celery",
        "worker",
        "--concurrency",
        "1",
        "--loglevel",
        "ERROR",
    )
    try:
        for database in ("default", "audit"):
            _manage(ours, "migrate", "--verbosity", "0", "--database", database)
        with _process(ours, *worker), _process(ours, "manage.py", "mllp", port=port):
            _until_visible(empty, port, "warm")  # the worker is up after this one
            return [_until_visible(empty, port, f"seen-{number}") for number in range(RESULTS)]
    finally:
        redis.terminate()
        redis.wait(timeout=30)


def _until_visible(folder: Path, port: int, control: str) -> float:
    begun = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        _exchange(sock, Deframer(), _message(control))
    while _jobs(folder, "WHERE state != 'done'"):
        if time.perf_counter() - begun > _READY_S:
            raise RuntimeError("no worker took the message up")
        time.sleep(0.005)
    return time.perf_counter() - begun


class _Bare(socketserver.BaseRequestHandler):
    """Answers each frame and keeps nothing."""

    def handle(self) -> None:
        """Serve one connection."""
        frames = Deframer()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := self.request.recv(65536):
            for raw in frames.feed(data):
                control = raw.split(b"|", 10)[9]
                self.request.sendall(frame(b"MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AA|" + control + b"\r"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), _Bare) as bare_door:
            bare_door.serve_forever()
    print_rows(run())
