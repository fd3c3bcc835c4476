"""CDS Hooks at 50 calls a second while fifty clinicians' answers stream and an ingest runs, on the same machine.

The model is a server of this benchmark's own that writes a word every 50 ms for seven seconds, so that drafts stream as
from a real one without taking the cores; the gate reads what it writes. Each clinician asks, reads the stream to its
end, waits ten seconds and asks again; the model takes eight drafts at once, the other answers are facts and quotes. The
ingest is one folder of Bulk Data, worked through by the command. Client and services share the machine.

On PostgreSQL (two empty databases that APPLIANCE_DATABASE_URL and APPLIANCE_AUDIT_DATABASE_URL name):
tests/with_postgres.sh python -m appliance.bench.cds_hooks_busy --given-databases

Usage: python -m appliance.bench.cds_hooks_busy [--given-databases] [SECONDS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.bench import cds_hooks as hooks
from appliance.bench import web_memory as web
from appliance.bench.row import Row, print_rows
from appliance.config import ROOT, config
from appliance.egress import on_site_client
from appliance.processes.throwaway import throwaway_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLINICIANS: Final = 50
SECONDS: Final = 20.0
PEOPLE: Final = 3_000  # patients of the ingest, with ten results each
_TEXT: Final = "The record says that the tablets were stopped before the operation because of bleeding ."
_ALL_ASK: Final = "all ask"
_PAUSE_S: Final = 0.05
_DRAFT_WORDS: Final = 140
_THINKS_S: Final = 10.0


def run(seconds: float = SECONDS, *, databases: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
    """Measure the hooks alone, then beside streams and an ingest; the figures are p50, p95 and p99.

    Args:
        seconds: of each of the two measurements.
        databases: environment variables that name two empty databases; without them two SQLite files are made.

    Raises:
        RuntimeError: a call or the ingest failed, or a database given is not empty.
    """
    key = ec.generate_private_key(ec.SECP384R1())
    with throwaway_environment(lambda _line: None) as given:
        ports = {name: hooks.free_port() for name in ("machines", "people", "model")}
        base = f"http://127.0.0.1:{ports['machines']}"
        environment = {
            **given,
            **databases,
            "APPLIANCE_MACHINES_URL": base,
            "APPLIANCE_VLLM_URL": f"http://127.0.0.1:{ports['model']}",
            "APPLIANCE_KNOWN_AUTHORITIES": "",
        }
        var = Path(environment["APPLIANCE_VAR"])
        hooks.register(var / "cds_clients.json", key)
        patient = _fill(environment)
        _write_bulk(var / "bulk")
        calls = hooks.signed_calls(key, base, hooks.crowd(), int(hooks.RATE * seconds))
        more = hooks.signed_calls(key, base, hooks.crowd(), int(hooks.RATE * seconds))
        machines = {**environment, "APPLIANCE_DOOR": "machines"}
        with hooks.serving(machines, "appliance.wsgi:application", ports["machines"]):
            alone = hooks.measure(ports["machines"], calls, hooks.RATE)
            with _busy(environment, ports, patient, var / "bulk") as count:
                beside = hooks.measure(ports["machines"], more, hooks.RATE)
                answers, resources = count()
    note = (
        f"{len(beside)} calls at {hooks.RATE}/s, {hooks.PATIENTS:,} patients; meanwhile {answers} answers ended and "
        f"the ingest took in {resources:,} resources; baseline: the same calls alone"
    )
    where = " on PostgreSQL" if databases else ""
    cuts, base_cuts = quantiles(beside, n=100), quantiles(alone, n=100)
    return [
        Row(
            f"CDS Hooks{where} while {CLINICIANS} clinicians ask and an ingest runs, {label}",
            round(cuts[place], 1),
            "ms",
            round(base_cuts[place], 1),
            round(cuts[place] / base_cuts[place], 2),
            "<= 150 ms" if label == "p99" else "",
            note,
        )
        for label, place in (("p50", 49), ("p95", 94), ("p99", 98))
    ]


def given_databases() -> dict[str, str]:
    """Return the environment variables of the databases given.

    Raises:
        RuntimeError: one is not given, or holds tables already.
    """
    ours = config()
    found = {"APPLIANCE_DATABASE_URL": ours.database_url, "APPLIANCE_AUDIT_DATABASE_URL": ours.audit_database_url}
    for name, url in found.items():
        if not url:
            raise RuntimeError(f"{name} names no database")
        with psycopg.connect(url) as one:
            row = one.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if row is None or row[0]:
            raise RuntimeError(f"the database that {name} names is not empty")
    return found


def _fill(environment: dict[str, str]) -> str:
    for database in ("default", "audit"):
        web.python(environment, "manage.py", "migrate", "--verbosity", "0", "--database", database)
    web.python(environment, "-m", "appliance.bench.cds_hooks", "--load")
    web.python(environment, "manage.py", "load_demo")
    return web.python(environment, "-c", web.SETUP, web.PASSWORD).strip().splitlines()[-1]


def _write_bulk(folder: Path) -> None:
    folder.mkdir()
    with (folder / "Patient.ndjson").open("w") as people, (folder / "Observation.ndjson").open("w") as results:
        for number in range(PEOPLE):
            name = [{"family": f"Bulk{number}", "given": ["Bo"]}]
            person = {"resourceType": "Patient", "id": f"bulk-{number}", "name": name, "birthDate": "1960-01-01"}
            people.write(json.dumps(person) + "\n")
            for day in range(10):
                results.write(json.dumps(_result(number, day)) + "\n")


def _result(number: int, day: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"bulk-{number}-{day}",
        "status": "final",
        "subject": {"reference": f"Patient/bulk-{number}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium"},
        "effectiveDateTime": f"2026-01-{day + 1:02}",
        "valueQuantity": {"value": 4.1, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }


@contextmanager
def _busy(environment: dict[str, str], ports: dict[str, int], patient: str, bulk: Path) -> Iterator[Any]:
    """Run model, people's door, clinicians and ingest; yields what counts answers ended and resources taken in."""
    own = [sys.executable, "-m", "appliance.bench.cds_hooks_busy"]
    model = subprocess.Popen([*own, "--model", str(ports["model"])], cwd=ROOT)
    with hooks.serving(environment, "appliance.wsgi:application", ports["people"], threads=128):
        people = subprocess.Popen(
            [*own, "--clinicians", str(ports["people"]), patient], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        if people.stdout is None or people.stdout.readline().strip() != _ALL_ASK:
            raise RuntimeError("a clinician could not ask")
        ingest = subprocess.Popen(
            [sys.executable, "manage.py", "ingest", str(bulk), "--json"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(5)

        def count() -> tuple[int, int]:
            if ingest.poll() not in {None, 0}:
                raise RuntimeError("the ingest ended with an error")
            people.terminate()
            answers = int(people.communicate(timeout=90)[0])
            code = (
                "from clinical.models import ResourceVersion as V; "
                "print(V.objects.filter(logical_id__startswith='bulk-').count())"
            )
            counted = web.python(environment, "manage.py", "shell", "-v", "0", "-c", code)
            return answers, int(counted.split()[-1])

        try:
            yield count
        finally:
            for child in (people, ingest, model):
                child.terminate()
                child.wait(30)


def clinicians(port: int, patient: str) -> None:
    """Ask in fifty threads until terminated; prints when each has had an answer, and how many ended after that."""
    import signal
    import threading

    ended: list[int] = []
    begun: set[int] = set()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    questions = cycle(web.questions())

    def ask(number: int) -> None:
        with on_site_client(f"http://127.0.0.1:{port}", timeout_s=60) as client:
            web.log_in(client)
            while not stop.is_set():
                web.ask(client, patient, next(questions))
                ended.append(1)
                begun.add(number)
                stop.wait(_THINKS_S)

    with ThreadPoolExecutor(CLINICIANS) as pool:
        running = [pool.submit(ask, number) for number in range(CLINICIANS)]
        while len(begun) < CLINICIANS and not any(one.done() for one in running):
            stop.wait(0.1)
        ended.clear()
        print(_ALL_ASK if len(begun) == CLINICIANS else "", flush=True)
        stop.wait()
        for one in running:
            if one.done() and one.exception() and not isinstance(one.exception(), httpx.HTTPError):
                raise RuntimeError("a clinician could not ask") from one.exception()
    print(len(ended))


class _Model(BaseHTTPRequestHandler):
    """Streams words at a steady pace, as vLLM's server does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Name the served model."""
        self._reply(json.dumps({"data": [{"id": "demo"}]}).encode())

    def do_POST(self) -> None:
        """Stream one completion."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for _, word in zip(range(_DRAFT_WORDS), cycle(_TEXT.split()), strict=False):
                self._say({"delta": {"content": f"{word} "}, "finish_reason": None})
                time.sleep(_PAUSE_S)
            self._say({"delta": {}, "finish_reason": "stop"})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            return  # the reader has gone

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def _say(self, choice: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n")
        self.wfile.flush()

    def _reply(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    if "--model" in sys.argv:
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), _Model).serve_forever()
    elif "--clinicians" in sys.argv:
        clinicians(int(sys.argv[2]), sys.argv[3])
    else:
        given = sys.argv[1:2] == ["--given-databases"]
        print_rows(run(*map(float, sys.argv[1 + given :][:1]), databases=given_databases() if given else {}))
