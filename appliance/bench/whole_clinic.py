"""Every process of the embedded profile over a throwaway record, for what is measured from door to page."""

from __future__ import annotations

import shutil
import socket
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.bench import web_memory
from appliance.bench.cds_hooks import free_port
from appliance.config import config
from appliance.egress import on_site_client
from appliance.processes import catalogue
from appliance.processes.supervisor import Supervisor
from appliance.processes.throwaway import throwaway_environment
from ingestion.domain.v2.frames import Deframer, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

CLINICIAN: Final = "demo-clinician"
_USERS: Final = """
from appliance.config import use_settings_module
use_settings_module()
import django
django.setup()
import sys
from appliance.processes.demo_users import ensure_demo_users
ensure_demo_users(sys.argv[1])
"""


@dataclass(frozen=True, slots=True)
class WholeClinic:
    """Where its doors are, and the environment of a process that wants to look at its record."""

    environment: dict[str, str]
    people: str
    machines: str
    mllp_port: int
    fhir_token: str

    def fhir(self) -> httpx.Client:
        """Return a client that may send to the FHIR door."""
        headers = {"Authorization": f"Bearer {self.fhir_token}", "Content-Type": "application/fhir+json"}
        return on_site_client(self.machines, timeout_s=60.0, headers=headers)


class Sender:
    """One connection to the HL7 v2 door."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = Deframer()

    def send(self, raw: bytes) -> None:
        """Send one message; returns when it is acknowledged.

        Raises:
            RuntimeError: it was not accepted.
        """
        self._socket.sendall(frame(raw))
        while not (found := self._frames.feed(self._socket.recv(65536))):
            pass
        if b"MSA|AA" not in found[0]:
            raise RuntimeError("the door did not accept a message")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def can_run() -> bool:
    """Return whether the queue's server is installed here."""
    return shutil.which("redis-server") is not None


@contextmanager
def whole_clinic() -> Iterator[WholeClinic]:
    """Start queue, vector service, worker and the three doors; stop them all and remove the record afterwards."""
    with throwaway_environment(lambda _line: None) as given:
        var = Path(given["APPLIANCE_VAR"])
        ports = {name: free_port() for name in ("people", "machines", "mllp")}
        settings = config().model_copy(
            update={
                "var": var,
                "host": "127.0.0.1",
                "mllp_host": "",
                "redis_url": f"redis+socket://{var}/redis.sock",
                "port": ports["people"],
                "machine_port": ports["machines"],
                "mllp_port": ports["mllp"],
            }
        )
        environment = {
            **given,
            "APPLIANCE_HOST": "127.0.0.1",
            "APPLIANCE_MLLP_HOST": "",
            "APPLIANCE_REDIS_URL": settings.redis_url,
            "APPLIANCE_PORT": str(ports["people"]),
            "APPLIANCE_MACHINE_PORT": str(ports["machines"]),
            "APPLIANCE_MLLP_PORT": str(ports["mllp"]),
            "APPLIANCE_DEFAULT_CARE_TEAM": CLINICIAN,
            "APPLIANCE_DRAFTING": "false",
        }
        for database in ("default", "audit"):
            web_memory.python(environment, "manage.py", "migrate", "--verbosity", "0", "--database", database)
        web_memory.python(environment, "-c", _USERS, web_memory.PASSWORD)
        token = web_memory.python(environment, "manage.py", "fhir_client", "--name", "bench").strip()
        specs = (
            catalogue.redis(settings),
            catalogue.worker(),
            catalogue.mllp(settings),
            catalogue.machines(settings),
            catalogue.web(settings),
        )
        with Supervisor(var / "log", lambda _line: None) as supervisor:
            for spec in specs:
                door = {key: value for key, value in spec.environment.items() if key == "APPLIANCE_DOOR"}
                supervisor.start(replace(spec, environment={**environment, **door}))
                supervisor.wait_ready(spec.name)
            yield WholeClinic(
                environment,
                f"http://127.0.0.1:{ports['people']}",
                f"http://127.0.0.1:{ports['machines']}",
                ports["mllp"],
                token,
            )
