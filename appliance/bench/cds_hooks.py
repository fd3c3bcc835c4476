"""CDS Hooks at 50 calls a second over HTTP, beside 10,000 patients: ES384 tokens, replay check, audit and cards on.

Calls come on a clock, each of a different patient in turn, whether or not earlier ones are answered; a latency is from
the moment a call was due. Client and service share the machine. The baseline is a handler in the same server that
checks the token's signature and returns no cards: what any service that trusts its callers pays.

Usage: python -m appliance.bench.cds_hooks [SECONDS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import quantiles
from threading import local
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.bench.row import Row, print_rows
from appliance.config import ROOT, config, use_settings_module
from appliance.egress import listens
from appliance.processes.throwaway import throwaway_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

PATIENTS: Final = 10_000
LONG: Final = 4  # of them with more than 2,000 resources, called in a run of their own
RATE: Final = 50  # calls a second
LONG_RATE: Final = 10
SECONDS: Final = 12.0
USERS: Final = 500
ISSUER: Final = "https://bench.internal/"
SERVER: Final = "https://bench.internal/fhir"
WARM_UP: Final = 30  # calls not counted; the first of a process reads and compiles the tables
_THREADS: Final = 32
_DRAFTS: Final = ("Ibuprofen 400 mg tablet", "Warfarin 3 mg tablet", "Amoxicillin 500 mg capsule", "Unknownol 1 mg")

Call = tuple[str, bytes, dict[str, str]]  # path, body, headers


def run(seconds: float = SECONDS) -> list[Row]:
    """Load the record, then measure the bare handler, ordinary patients, and patients with long records."""
    key = ec.generate_private_key(ec.SECP384R1())
    with throwaway_environment(lambda _line: None) as environment:
        ports = [free_port(), free_port()]
        base = f"http://127.0.0.1:{ports[0]}"
        environment = {
            **environment,
            "APPLIANCE_DOOR": "machines",
            "APPLIANCE_MACHINES_URL": base,
            "APPLIANCE_KNOWN_AUTHORITIES": SERVER,
        }
        register(Path(environment["APPLIANCE_VAR"]) / "cds_clients.json", key)
        for database in ("default", "audit"):
            _python(environment, "manage.py", "migrate", "--verbosity", "0", "--database", database)
        _python(environment, "-m", "appliance.bench.cds_hooks", "--load")
        with serving(environment, "appliance.bench.cds_hooks:bare", ports[1]):
            bare = measure(ports[1], signed_calls(key, base, crowd(), int(RATE * seconds / 3)), RATE)
        with serving(environment, "appliance.wsgi:application", ports[0]):
            usual = measure(ports[0], signed_calls(key, base, crowd(), int(RATE * seconds)), RATE)
            long = measure(ports[0], signed_calls(key, base, long_ones(), int(LONG_RATE * seconds)), LONG_RATE)
    return [
        *_rows(", short records", usual, bare, f"{RATE}/s, {PATIENTS:,} patients loaded, 30 rows each", "<= 50 ms"),
        *_rows(", long records", long, bare, f"{LONG_RATE}/s, patients of more than 2,000 rows", ""),
    ]


def _rows(kind: str, spent: list[float], bare: list[float], about: str, target: str) -> Iterator[Row]:
    cuts, base = quantiles(spent, n=100), quantiles(bare, n=100)
    note = f"{len(spent)} calls, {about}; ES384, replay check, audit, cards; baseline: signature checked only, no cards"
    for label, place in (("p50", 49), ("p95", 94), ("p99", 98)):
        yield Row(
            f"CDS Hooks{kind} {label}",
            round(cuts[place], 1),
            "ms",
            round(base[place], 1),
            round(cuts[place] / base[place], 2),
            target if label == "p99" else "",
            note,
        )


def crowd() -> Iterator[tuple[str, str]]:
    """Yield (patient, user) of the many, spread over the whole record."""
    number = 0
    while True:
        number = (number + 6151) % (PATIENTS - LONG)
        yield f"crowd-{number:08d}", f"team-{number % USERS}"


def long_ones() -> Iterator[tuple[str, str]]:
    """Yield (patient, user) of those with long records, in turn."""
    while True:
        for number in range(LONG):
            yield f"asked-{number}", "team-0"


def signed_calls(key: ec.EllipticCurvePrivateKey, base: str, who: Iterator[tuple[str, str]], count: int) -> list[Call]:
    """Return signed calls: half patient-view, the rest ordering and discharge."""
    made = []
    for turn in range(count + WARM_UP):
        patient, user = next(who)
        hook = ("patient-view", "order-sign", "patient-view", "order-select", "patient-view", "encounter-discharge")[
            turn % 6
        ]
        path, now = f"/cds-services/{hook}", int(time.time())
        claims = {"iss": ISSUER, "aud": base + path, "iat": now, "exp": now + 600, "jti": str(uuid.uuid4())}
        token = jwt.encode(claims, key, algorithm="ES384", headers={"kid": "bench"})
        context: dict[str, Any] = {"userId": f"Practitioner/{user}", "patientId": patient, "encounterId": "e1"}
        if hook.startswith("order"):
            drug = {"text": _DRAFTS[turn % len(_DRAFTS)]}
            draft = {
                "resourceType": "MedicationRequest",
                "id": "d",
                "status": "draft",
                "medicationCodeableConcept": drug,
            }
            context |= {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]}}
            context |= {"selections": ["MedicationRequest/d"]} if hook == "order-select" else {}
        body = {"hook": hook, "hookInstance": str(uuid.uuid4()), "fhirServer": SERVER, "context": context}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        made.append((path, json.dumps(body).encode(), headers))
    return made


def measure(port: int, calls: Sequence[Call], rate: float) -> list[float]:
    """Send the calls on a clock; returns the milliseconds of each after the warm-up.

    Raises:
        RuntimeError: a call was not answered with 200.
    """
    held = local()

    def send(call: Call, due: float) -> float:
        time.sleep(max(0.0, due - time.perf_counter()))
        path, body, headers = call
        # The server lets a connection go that was idle for two seconds.
        if time.perf_counter() - getattr(held, "used", 0.0) > 1:
            held.connection = HTTPConnection("127.0.0.1", port, timeout=30)
        held.connection.request("POST", path, body, headers)
        reply = held.connection.getresponse()
        content, held.used = reply.read(), time.perf_counter()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {content[:200]!r}")
        return (time.perf_counter() - due) * 1000

    for call in calls[:WARM_UP]:
        send(call, time.perf_counter())
    begun = time.perf_counter() + 0.5
    with ThreadPoolExecutor(_THREADS) as pool:
        spent: Iterable[float] = pool.map(send, calls[WARM_UP:], (begun + turn / rate for turn in range(len(calls))))
        return list(spent)


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer as a WSGI application that checks the signature of the token and does nothing else."""
    from clinical.cds_hooks.clients import clients

    file = config().cds_clients or config().var / "cds_clients.json"
    key = clients(file)[ISSUER].keys["bench"]
    token = environ["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    jwt.decode(token, key.key, algorithms=["ES384"], options={"verify_aud": False})
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "12")])
    return [b'{"cards":[]}']


def load() -> None:
    """Fill this process's record: users, patients with long records, and the many."""
    use_settings_module()
    import django

    django.setup()
    from django.contrib.auth.models import Group, User

    from appliance.bench.lookup_loader import Crowd, load_asked
    from clinical.models import CareTeamMember

    group = Group.objects.create(name="clinician")
    users = User.objects.bulk_create([User(username=f"team-{number}") for number in range(USERS)])
    group.user_set.set(users)
    for patient in load_asked(LONG, print):
        CareTeamMember.objects.get_or_create(patient_id=patient, user_id="team-0")
    Crowd().grow_to(PATIENTS - LONG, print)


def register(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the file of clients that may call."""
    public = jwt.get_algorithm_by_name("ES384").to_jwk(key.public_key(), as_dict=True)
    users = {f"Practitioner/team-{number}": f"team-{number}" for number in range(USERS)}
    row = {"issuer": ISSUER, "keys": [public | {"kid": "bench"}], "fhir_servers": {SERVER: SERVER}, "users": users}
    file.write_text(json.dumps([row]))


@contextmanager
def serving(environment: dict[str, str], application: str, port: int, threads: int = 16) -> Iterator[None]:
    """Run gunicorn over an application until the block ends."""
    command = [
        sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", "1",
        "--worker-class", "gthread", "--threads", str(threads), "--log-level", "error", "--no-control-socket",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        limit = time.monotonic() + 30
        while not listens(f"http://127.0.0.1:{port}"):
            if time.monotonic() > limit:
                raise TimeoutError("the service did not start")
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _python(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def free_port() -> int:
    """Return a port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    if "--load" in sys.argv:
        load()
    else:
        print_rows(run(*map(float, sys.argv[1:2])))
