"""Corrections, entries in error, deletions and merges reach record, vectors and saved answers within five seconds.

Counted from the acknowledgement, over real processes. A machine that is busy with something else is given three
tries; each change has to arrive in the end, and one of the three in time.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from ingestion.domain.v2 import parse_message
from ingestion.domain.v2.to_fhir import map_message
from tests.factories import note
from tests.faults.storm.clinic import Clinic
from tests.faults.storm.letters import Letter
from tests.faults.storm.senders import Http, Mllp
from tests.faults.storm.window import Window
from tests.unit.mllp_sender import message

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="apt-get install redis-server"),
    pytest.mark.timeout(300),
]
WITHIN_S: Final = 5.0
PATIENCE_S, TRIES = 60.0, 3
NOTED = (
    "MDM^T02^MDM_T02",
    (
        "EVN|T02|20260301",
        "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
        "TXA|1|PN^Progress note|TX|20260301110000||||||||D{order}|||||{status}",
        "OBX|1|TX|||{value}||||||F",
    ),
)
MERGED = (
    "ADT^A40^ADT_A39",
    ("EVN|A40|20260301", "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F", "MRG|{former}^^^WARD^MR"),
)
WHY = "Why was apixaban stopped?"
BLED = "Apixaban was stopped after a bleed."


class Ward:
    """A clinic that runs, senders at two doors, and a window into it."""

    def __init__(self, clinic: Clinic, window: Window) -> None:
        self.clinic, self.window = clinic, window
        self.mllp, self.fhir = Mllp(clinic), Http(clinic, "fhir")
        self.sent = 0

    def send(self, *kind: Any, **values: Any) -> bytes:
        """Send an HL7 v2 message; returns once it is acknowledged."""
        self.sent += 1
        raw = message(
            kind[0], control=f"F{self.sent}", sent=f"202603011{self.sent // 60}{self.sent % 60:02d}00+0000", **values
        )
        assert self.mllp.send(Letter(self.sent, "mllp", raw, 1))
        return raw

    def put(self, resource: dict[str, Any], method: str = "PUT") -> None:
        """Put a resource, or delete it; returns once it is acknowledged."""
        identity = f"{resource['resourceType']}/{resource['id']}"
        if not self.fhir.exchange(method, f"/fhir/{identity}", resource):  # the door has let an idle connection go
            assert self.fhir.exchange(method, f"/fhir/{identity}", resource)

    def until(self, holds: Callable[[], bool]) -> float:
        """Return the seconds until something holds."""
        begun = time.monotonic()
        while not holds():
            self.clinic.supervisor.look()
            assert time.monotonic() < begun + PATIENCE_S, self.clinic.log_ends()
            time.sleep(0.05)
        return time.monotonic() - begun

    def asked(self, kind: str, logical_id: str) -> tuple[str, list[str]]:
        """Wait until a document can be found, ask about it; returns the saved answer's question and its passages."""
        self.until(lambda: self._is_found(kind, logical_id))
        answer = self.window.ask(kind, logical_id, WHY)
        assert answer["citations"] > 0, answer
        return answer["question"], self.window.look(kind, logical_id)["passages"]

    def _is_found(self, kind: str, logical_id: str) -> bool:
        seen = self.window.look(kind, logical_id)
        passages = seen.get("passages", [])
        return bool(passages) and set(passages) <= seen["points"].keys()


@pytest.fixture(scope="module")
def ward() -> Iterator[Ward]:
    folder = Path(tempfile.mkdtemp(prefix="storm-"))
    try:
        with Clinic(folder, postgres=False) as clinic, Window(clinic) as window:
            running = Ward(clinic, window)
            yield running
            running.mllp.close()
            running.fhir.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def document_of(raw: bytes) -> str:
    [found] = [
        one.resource["id"]
        for one in map_message(parse_message(raw), zone=ZoneInfo("UTC"))
        if one.resource["resourceType"] == "DocumentReference"
    ]
    return str(found)


def corrected(ward: Ward, number: int) -> float:
    resource = note(BLED, logical_id=f"c{number}", subject=f"c{number}")
    ward.put(resource)
    question, old = ward.asked("DocumentReference", resource["id"])
    ward.put(note("Apixaban was stopped before a tooth was drawn.", logical_id=f"c{number}", subject=f"c{number}"))

    def follows() -> bool:
        seen = ward.window.look("DocumentReference", resource["id"], question)
        new = set(seen["passages"])
        return (
            seen["number"] == 2
            and bool(seen["stale"])
            and not new & set(old)
            and new <= seen["points"].keys() - set(old)
        )

    return ward.until(follows)


def result_corrected(ward: Ward, number: int) -> float:
    raw = ward.send(NOTED, number=str(5000 + number), order=f"K{number}", value=BLED, status="AU")
    document = document_of(raw)
    question, old = ward.asked("DocumentReference", document)
    kind = ("MDM^T11^MDM_T01", NOTED[1][:3])
    ward.send(kind, number=str(5000 + number), order=f"K{number}", status="CA")
    return ward.until(lambda: is_gone(ward, document, question, old))


def entered_in_error(ward: Ward, number: int) -> float:
    resource = note(BLED, logical_id=f"e{number}", subject=f"e{number}")
    ward.put(resource)
    question, old = ward.asked("DocumentReference", resource["id"])
    ward.put(resource | {"status": "entered-in-error"})
    return ward.until(lambda: is_gone(ward, resource["id"], question, old))


def deleted(ward: Ward, number: int) -> float:
    resource = note(BLED, logical_id=f"d{number}", subject=f"d{number}")
    ward.put(resource)
    question, old = ward.asked("DocumentReference", resource["id"])
    ward.put(resource, "DELETE")
    return ward.until(lambda: is_gone(ward, resource["id"], question, old, is_deleted=True))


def merged(ward: Ward, number: int) -> float:
    survivor, former = str(6000 + 2 * number), str(6001 + 2 * number)
    kept = document_of(ward.send(NOTED, number=survivor, order=f"S{number}", value="She sleeps well.", status="AU"))
    moved = document_of(ward.send(NOTED, number=former, order=f"M{number}", value=BLED, status="AU"))
    question, old = ward.asked("DocumentReference", moved)
    ward.send(MERGED, number=survivor, former=former)

    def follows() -> bool:
        seen, owner = (
            ward.window.look("DocumentReference", moved, question),
            ward.window.look("DocumentReference", kept),
        )
        there = {seen["points"].get(one) for one in seen["passages"]}
        left = {one for one in old if seen["points"].get(one) not in (None, owner["patient"])}
        return (
            seen["patient"] == owner["patient"]
            and seen["stale"] == "merged"
            and there == {owner["patient"]}
            and not left
        )

    return ward.until(follows)


def is_gone(ward: Ward, logical_id: str, question: str, old: list[str], *, is_deleted: bool = False) -> bool:
    seen = ward.window.look("DocumentReference", logical_id, question)
    said = seen["deleted"] if is_deleted else seen["status"] == "entered-in-error"
    reason = "deleted" if is_deleted else "entered-in-error"
    return said and not seen["passages"] and not seen["points"].keys() & set(old) and seen["stale"] == reason


@pytest.mark.parametrize("change", [corrected, result_corrected, entered_in_error, deleted, merged])
def test_it_is_followed_within_five_seconds(ward: Ward, change: Callable[[Ward, int], float]) -> None:
    took = []
    for number in range(TRIES):
        took.append(change(ward, number))
        if took[-1] <= WITHIN_S:
            break

    print(f"{change.__name__}: {took[-1]:.2f} s")  # noqa: T201 - a figure of the report
    assert min(took) <= WITHIN_S, took
