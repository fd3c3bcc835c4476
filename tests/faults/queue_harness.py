"""A real Redis, a real Celery worker and a SQLite record of their own, to be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.config import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable

_RECEIVE = """
import sys, json
from appliance.config import use_settings_module
use_settings_module()
import django
django.setup()
from pathlib import Path
from django.utils import timezone
from ingestion.domain.items import ParseContext
from ingestion.receive import receive
for path in map(Path, sys.argv[1:]):
    with path.open("rb") as file:
        receive(file, name=path.name, feed="files", context=ParseContext(), now=timezone.now())
"""


class Box:
    """The processes of one test, under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.environment = {
            **environment(),
            "APPLIANCE_VAR": str(folder),
            "APPLIANCE_DATABASE_URL": "",
            "APPLIANCE_AUDIT_DATABASE_URL": "",
            "APPLIANCE_REDIS_URL": f"redis+socket://{self.socket}",
            "APPLIANCE_INGEST_LEASE_S": "2",
            "APPLIANCE_SWEEP_S": "1",
            "APPLIANCE_EMBEDDER_DIR": str(folder / "no-embedder"),
        }
        self.running: list[subprocess.Popen[bytes]] = []
        for database in ("default", "audit"):
            self.python("manage.py", "migrate", "--verbosity", "0", "--database", database)

    def python(self, *arguments: str) -> None:
        """Run a program of the product to its end."""
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a process in a group of its own, so that it can be killed whole."""
        with (self.folder / "processes.log").open("ab") as log:
            child = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.running.append(child)
        return child

    def start_redis(self) -> subprocess.Popen[bytes]:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder)]
        child = self.start("redis-server", *options)
        self.wait(lambda: self.socket.exists(), 10)
        return child

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start(
            sys.executable, "-m", "celery", "--app", "appliance.celery", "worker", "--concurrency", "1",
            "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
        )  # fmt: skip

    def flush_redis(self) -> None:
        subprocess.run(["redis-cli", "-s", str(self.socket), "flushall"], check=True, capture_output=True)

    def receive(self, files: list[Path]) -> None:
        subprocess.run([sys.executable, "-c", _RECEIVE, *map(str, files)], cwd=ROOT, env=self.environment, check=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the record as another process would."""
        connection = sqlite3.connect(self.folder / "record.sqlite3", timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """SIGKILL the whole group: what an out-of-memory kill of the unit or a power cut does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)

    def stop(self) -> None:
        for child in self.running:
            self.kill(child)

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds.

        Raises:
            AssertionError: it did not within the time.
        """
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                log = (self.folder / "processes.log").read_text()[-2000:]
                raise AssertionError(f"not within {seconds} s; the log ends:\n{log}")
            time.sleep(0.05)


def bundle_file(folder: Path, number: int, observations: int) -> Path:
    """Write a Bundle of one patient with many observations."""
    subject = f"patient-{number}"
    entries: list[dict[str, Any]] = [{"resource": {"resourceType": "Patient", "id": subject}}]
    entries += [
        {
            "resource": {
                "resourceType": "Observation",
                "id": f"{subject}-{one}",
                "status": "final",
                "code": {"text": "Heart rate"},
                "subject": {"reference": f"Patient/{subject}"},
                "effectiveDateTime": "2026-01-05",
                "valueQuantity": {"value": 60 + one % 40, "unit": "/min"},
            }
        }
        for one in range(observations)
    ]
    path = folder / f"bundle-{number}.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return path
