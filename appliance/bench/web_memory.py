"""Resident memory of the web process after a hundred questions asked over HTTP, and what an answer takes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Final

from appliance.bench.row import Row, print_rows
from appliance.config import ROOT
from appliance.egress import listens, on_site_client
from appliance.processes.throwaway import throwaway_environment

if TYPE_CHECKING:
    import httpx

QUESTIONS: Final = 100
PASSWORD: Final = "bench-password-only"  # noqa: S105 - of a user who exists during the measurement only
SETUP: Final = """
from appliance.config import use_settings_module
use_settings_module()
import django
django.setup()
import sys
from django.contrib.auth.models import User
from appliance.processes.demo_users import ensure_demo_users
ensure_demo_users(sys.argv[1])
from clinical.identity.services import find_by_fhir_id
print(find_by_fhir_id("amina-yusuf").id)
"""


def run() -> list[Row]:
    """Ask questions of the gold set's first patient without the model; return memory and times."""
    with throwaway_environment(lambda _line: None) as environment:
        environment = {**environment, "APPLIANCE_DRAFTING": "false"}
        for database in ("default", "audit"):
            python(environment, "manage.py", "migrate", "--verbosity", "0", "--database", database)
        python(environment, "manage.py", "load_demo")
        patient = python(environment, "-c", SETUP, PASSWORD).strip().splitlines()[-1]
        port = _free_port()
        web = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "appliance.wsgi:application", "--bind", f"127.0.0.1:{port}",
                "--workers", "1", "--worker-class", "gthread", "--threads", "128", "--log-level", "error",
                "--no-control-socket",
            ],
            env=environment,
            cwd=ROOT,
        )  # fmt: skip
        try:
            with on_site_client(f"http://127.0.0.1:{port}", timeout_s=60) as client:
                log_in(client)
                before = _resident(web.pid)
                times = [ask(client, patient, text) for text in islice(cycle(questions()), QUESTIONS)]
            after = _resident(web.pid)
        finally:
            web.terminate()
            web.wait(30)
    return [
        Row(
            "web process resident after 100 questions", after, "MB", before, after / before, "< 350 MB",
            "baseline: before the first question",
        ),
        Row("answer without the model, median", median(times), "ms", note="POST to the last event"),
        Row("answer without the model, p95", quantiles(times, n=20)[-1], "ms", note="POST to the last event"),
    ]  # fmt: skip


def questions() -> list[str]:
    """Return the gold set's questions about its first patient."""
    lines = (ROOT / "tests" / "gold" / "gold.jsonl").read_text().splitlines()
    return [case["question"] for case in map(json.loads, lines) if case["patient"] == "amina-yusuf"]


def log_in(client: httpx.Client) -> None:
    """Log in as the demo's clinician once the door answers."""
    limit = monotonic() + 30
    while not listens(str(client.base_url)):
        if monotonic() > limit:
            raise TimeoutError("the web process did not start")
        sleep(0.2)
    page = client.get("/login")
    form = {"username": "demo-clinician", "password": PASSWORD, "csrfmiddlewaretoken": _token(page.text)}
    if client.post("/login", data=form).status_code != 302:
        raise RuntimeError("log-in was refused")


def ask(client: httpx.Client, patient: str, text: str) -> float:
    """Ask and read the stream to its end; returns milliseconds."""
    token = _token(client.get(f"/patients/{patient}/").text)
    begun = perf_counter()
    answer = client.post(f"/patients/{patient}/questions", data={"question": text, "csrfmiddlewaretoken": token})
    stream = client.get(f"{answer.headers['location']}events")
    stream.raise_for_status()
    return (perf_counter() - begun) * 1000


def _token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("the page has no form")
    return found[1]


def _resident(parent: int) -> float:
    """Return the resident memory in MB of the one worker of a gunicorn."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    status = Path(f"/proc/{children[0]}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def python(environment: dict[str, str], *arguments: str) -> str:
    """Run a program of the product to its end and return what it printed."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    print_rows(run())
