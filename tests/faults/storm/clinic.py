"""The whole appliance under one folder of a test's own: every process real, to be killed and started again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.config import ROOT, Config
from appliance.processes import catalogue
from appliance.processes.supervisor import Supervisor
from tests.faults.storm.cluster import Cluster
from tests.faults.storm.disk import Disk

if TYPE_CHECKING:
    from appliance.processes.spec import ProcessSpec

TOKEN = "a token of the machine client, long enough"
SECRET = "a secret of the subscription"
EHR = "http://ehr.local/r4"
HEADER = "X-Secret"
DOORS = ("web", "machines", "mllp")
LEASE_S, SWEEP_S = 3.0, 1.0


class Clinic:
    """Starts everything; as a context manager it leaves nothing behind. One thread starts and kills."""

    def __init__(self, folder: Path, *, postgres: bool, disk_bytes: int = 1 << 30) -> None:
        self.folder = folder
        self.disk = Disk(folder / "disk", disk_bytes)
        self.said: list[str] = []
        self._cluster = Cluster(self.disk.path / "postgres") if postgres else None
        ports = {name: _free_port() for name in ("port", "machine_port", "mllp_port", "vectors")}
        self.mllp_port, self.machine_port, self.port = ports["mllp_port"], ports["machine_port"], ports["port"]
        var = self.disk.path / "var"
        self.environment = {
            "APPLIANCE_VAR": str(var),
            "APPLIANCE_PROFILE": "embedded",
            "APPLIANCE_KNOWN_AUTHORITIES": "",
            "APPLIANCE_DATABASE_URL": self._cluster.url("record") if self._cluster else "",
            "APPLIANCE_AUDIT_DATABASE_URL": self._cluster.url("audit") if self._cluster else "",
            "APPLIANCE_REDIS_URL": f"redis+socket://{var}/redis.sock",
            "APPLIANCE_VECTOR_URL": f"http://127.0.0.1:{ports['vectors']}",
            "APPLIANCE_VLLM_URL": "http://127.0.0.1:9",
            "APPLIANCE_INGEST_LEASE_S": str(LEASE_S),
            "APPLIANCE_SWEEP_S": str(SWEEP_S),
            "APPLIANCE_HOST": "127.0.0.1",
            "APPLIANCE_PORT": str(self.port),
            "APPLIANCE_MACHINE_PORT": str(self.machine_port),
            "APPLIANCE_MLLP_PORT": str(self.mllp_port),
            "DJANGO_SETTINGS_MODULE": "tests.faults.storm.box_settings",
        }
        self.settings = Config(
            var=var,
            redis_url=self.environment["APPLIANCE_REDIS_URL"],
            vector_url=self.environment["APPLIANCE_VECTOR_URL"],
            host="127.0.0.1",
            port=self.port,
            machine_port=self.machine_port,
            mllp_port=self.mllp_port,
        )
        self.supervisor = Supervisor(folder / "log", self.said.append, restarts=10**6, pause_s=0.0)

    def __enter__(self) -> Clinic:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.supervisor.stop()
        self.disk.remove()

    def _start(self) -> None:
        var = self.settings.var
        var.mkdir(mode=0o700)
        clients = [{"name": "storm", "token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "server": EHR}]
        (var / "fhir_clients.json").write_text(json.dumps(clients))
        (self.folder / "secret").write_text(SECRET)
        if self._cluster:
            self._run(self._cluster.spec)
            self._cluster.create_databases()
        self._run(catalogue.redis(self.settings))
        self._run(catalogue.vectors(self.settings))
        for database in ("default", "audit"):
            self.manage("migrate", "--verbosity", "0", "--database", database)
        self.manage(
            "subscription", "add", "storm", "--kind", "r4", "--header", HEADER, "--server", EHR,
            "--secret-file", str(self.folder / "secret"),
        )  # fmt: skip
        specs = [catalogue.worker(), *(getattr(catalogue, name)(self.settings) for name in DOORS)]
        for spec in specs:
            self.supervisor.start(self._here(spec))
        for spec in specs:
            self.supervisor.wait_ready(spec.name)

    def program(self, *arguments: str) -> list[str]:
        """Return the command line of a program of the product."""
        return [sys.executable, *arguments]

    def manage(self, *arguments: str) -> str:
        """Run a command of the product to its end and return what it prints."""
        command = self.program("manage.py", *arguments)
        return subprocess.run(
            command, cwd=ROOT, env=self.child_environment(), check=True, capture_output=True, text=True
        ).stdout

    def child_environment(self) -> dict[str, str]:
        """Return the environment of its processes."""
        return {**catalogue.child_environment(), **self.environment}

    def kill(self, name: str, chance: random.Random) -> None:
        """SIGKILL a process with all it has started, or now and then only one of those."""
        leader = self.supervisor.pids()[name]
        children = _children(leader)
        if children and chance.random() < 0.25:
            _send(chance.choice(children), signal.SIGKILL)
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)

    def hang(self, name: str) -> int:
        """Stop a process without ending it; returns its id."""
        leader = self.supervisor.pids()[name]
        _send(leader, signal.SIGSTOP)
        return leader

    def go_on(self, pid: int) -> None:
        """Let a stopped process go on; it may have been killed meanwhile."""
        _send(pid, signal.SIGCONT)

    def flush_redis(self) -> None:
        """Let the queue forget everything; it may be away just now."""
        path = str(self.settings.var / "redis.sock")
        subprocess.run(["redis-cli", "-s", path, "flushall"], check=False, capture_output=True, timeout=10)

    def pids(self) -> list[int]:
        """Return every process of the box."""
        leaders = list(self.supervisor.pids().values())
        return leaders + [child for leader in leaders for child in _children(leader)]

    def log_ends(self) -> str:
        """Return the end of every log, for a failure's message."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            for log in sorted((self.folder / "log").glob("*.log"))
        )

    def _here(self, spec: ProcessSpec) -> ProcessSpec:
        return replace(spec, environment={**spec.environment, **self.environment})

    def _run(self, spec: ProcessSpec) -> None:
        self.supervisor.start(spec if spec.name == "postgres" else self._here(spec))
        self.supervisor.wait_ready(spec.name)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(one) for one in (task / "children").read_text().split()]
    return found


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
