"""The FHIR door over HTTP: Bundles kept durably, and Bundles worked through before the reply.

A door process of its own over a throwaway record; the same bytes written and flushed to a file, one by one, stand
beside it as what the disk alone costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.bench.fhir_read import make_bundle
from appliance.bench.row import Row, print_rows
from appliance.config import ROOT, config
from appliance.egress import on_site_client
from appliance.processes import catalogue
from appliance.processes.supervisor import Supervisor
from appliance.processes.throwaway import throwaway_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

KEPT: Final = 120  # Bundles
WAITED_FOR: Final = 12
SENDERS: Final = 4
PORT: Final = 8019


class _Bundle(msgspec.Struct):
    entry: list[msgspec.Raw]


def run() -> list[Row]:
    """Measure resources a second, each way."""
    bundles = [make_bundle(number) for number in range(KEPT + WAITED_FOR + 1)]
    resources = len(msgspec.json.decode(bundles[0], type=_Bundle).entry)
    first, kept, waited_for = bundles[0], bundles[1 : KEPT + 1], bundles[KEPT + 1 :]
    with throwaway_environment(lambda _line: None) as environment, _door(environment) as client:
        _post(client, first, wait=True)  # builds the tables of R4 types
        begun = perf_counter()
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(lambda content: _post(client, content, wait=False), kept))
        accepted = len(kept) * resources / (perf_counter() - begun)
        begun = perf_counter()
        for content in waited_for:
            _post(client, content, wait=True)
        stored = len(waited_for) * resources / (perf_counter() - begun)
        disk = len(kept) * resources / _written(kept, Path(environment["APPLIANCE_VAR"]) / "disk")
    return [
        Row("FHIR Bundles accepted durably", accepted, "resources/s", disk, accepted / disk, ">= 3000/s",
            f"{SENDERS} senders; ratio to writing and flushing the same bytes"),
        Row("FHIR transactions answered entry by entry", stored, "resources/s", accepted, stored / accepted, "",
            "one sender, empty record; ratio to accepting only"),
    ]  # fmt: skip


@contextmanager
def _door(environment: dict[str, str]) -> Iterator[httpx.Client]:
    """Run a door of its own and yield a client that may send."""
    for database in ("default", "audit"):
        _manage(environment, "migrate", "--verbosity", "0", "--database", database)
    token = _manage(environment, "fhir_client", "--name", "bench").strip()
    var = Path(environment["APPLIANCE_VAR"])
    spec = catalogue.machines(config().model_copy(update={"var": var, "machine_port": PORT}))
    with Supervisor(var / "log-door", lambda _line: None) as supervisor:
        supervisor.start(replace(spec, environment={**spec.environment, **environment, "APPLIANCE_DOOR": "machines"}))
        supervisor.wait_ready(spec.name)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        with on_site_client(spec.address, timeout_s=60.0, headers=headers) as client:
            yield client


def _post(client: httpx.Client, content: bytes, *, wait: bool) -> None:
    reply = client.post("/fhir", content=content, headers={} if wait else {"Prefer": "respond-async"})
    if reply.status_code != (200 if wait else 202):
        raise RuntimeError(f"the door answered {reply.status_code}")


def _written(contents: list[bytes], folder: Path) -> float:
    """Return the seconds it takes to write and flush each to a file of its own."""
    folder.mkdir()
    begun = perf_counter()
    for number, content in enumerate(contents):
        with (folder / str(number)).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    return perf_counter() - begun


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print_rows(run())
