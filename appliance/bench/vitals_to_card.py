"""From a vital-signs message to the NEWS2 that the ward's page shows, through the real doors, queue, worker and page.

The clock starts before the message's first byte is sent and stops when the rows that an open page waits for have come
with the report of this message's values. Nothing else runs; client and services share the machine.

Usage: python -m appliance.bench.vitals_to_card [MESSAGES]
"""

from __future__ import annotations

import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from appliance.bench import web_memory as web
from appliance.bench.row import Row, print_rows
from appliance.bench.whole_clinic import Sender, can_run, whole_clinic
from appliance.egress import on_site_client

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

MESSAGES: Final = 60
WARM_UP: Final = 5
TARGET: Final = "<= 120 ms"
_PATIENCE_S: Final = 30.0
_APART_S: Final = 0.3  # so that each message finds the appliance idle
_STATE: Final = re.compile(r"since=([0-9a-f]*)")
_RATE: Final = (60, 110)
# NEWS2's seven parameters: LOINC, name, value, unit.
_REST: Final = (
    ("9279-1", "Respiratory rate", "18", "/min"),
    ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "97", "%"),
    ("8480-6", "Systolic blood pressure", "124", "mm[Hg]"),
    ("8310-5", "Body temperature", "36.8", "Cel"),
)
_SAID: Final = (("Oxygen therapy", "Room air"), ("ACVPU level of consciousness", "Alert"))


def run(messages: int = MESSAGES) -> list[Row]:
    """Measure by HL7 v2 and by FHIR; the baseline is the page asked when nothing has come. [] without a Redis here."""
    if not can_run():
        return []
    with whole_clinic() as clinic, on_site_client(clinic.people, timeout_s=30) as page, clinic.fhir() as door:
        web.log_in(page)
        sender = Sender(clinic.mllp_port)
        ward = _Ward(page)
        by_v2 = ward.times(messages, lambda number: sender.send(_message(number)))
        by_fhir = ward.times(messages, lambda number: _post(door, number))
        asked = ward.times_asked(messages)
        sender.close()
    note = f"{messages} sets of seven, one every {_APART_S} s; baseline: the page asked while nothing is new"
    rows = []
    for door_name, spent in (("ORU by MLLP", by_v2), ("Observation by POST /fhir", by_fhir)):
        for label, value, base in (
            ("p50", median(spent), median(asked)),
            ("p95", quantiles(spent, n=20)[-1], quantiles(asked, n=20)[-1]),
        ):
            name = f"vitals to card, {door_name}, {label}"
            rows.append(Row(name, round(value, 1), "ms", round(base, 2), round(value / base, 2), TARGET, note))
    return rows


class _Ward:
    """The ward's page in one clinician's session."""

    def __init__(self, page: httpx.Client) -> None:
        self._page = page
        self._state = _state_of(page.get("/ward/").raise_for_status().text)
        self._turn = 0
        self._pool = ThreadPoolExecutor(1)

    def times(self, messages: int, send: Callable[[int], None]) -> list[float]:
        """Return the milliseconds of each message, after some that are not counted."""
        spent = []
        for number in range(messages + WARM_UP):
            self._turn += 1
            waiting = self._pool.submit(self._wait_for, f"Heart rate {_pulse(self._turn)} /min")
            time.sleep(_APART_S)
            begun = time.perf_counter()
            send(self._turn)
            spent.append((waiting.result() - begun) * 1000)
            if number < WARM_UP:
                spent.clear()
        return spent

    def times_asked(self, times: int) -> list[float]:
        """Return the milliseconds of looks that find nothing new."""
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            self._look()
            spent.append((time.perf_counter() - begun) * 1000)
        return spent

    def _wait_for(self, words: str) -> float:
        """Return when the rows with these words and a total were there, by `time.perf_counter`."""
        limit = time.monotonic() + _PATIENCE_S
        while words not in (shown := self._look(wait=True)) or "NEWS2 " not in shown:
            if time.monotonic() > limit:
                raise TimeoutError("the ward's page never showed the message")
        return time.perf_counter()

    def _look(self, *, wait: bool = False) -> str:
        asked = {"since": self._state} | ({"wait": "1"} if wait else {})
        reply = self._page.get("/ward/rows", params=asked).raise_for_status()
        if reply.status_code == 204:
            return ""
        self._state = _state_of(reply.text)
        return reply.text


def _state_of(text: str) -> str:
    found = _STATE.search(text)
    return found[1] if found else ""


def _pulse(number: int) -> int:
    """Return a heart rate that the message before did not have."""
    low, high = _RATE
    return low + number % (high - low)


def _message(number: int) -> bytes:
    """Return an ORU^R01 with one full set of vital signs, taken now."""
    now = datetime.now(UTC) - timedelta(seconds=1)
    at = now.strftime("%Y%m%d%H%M%S.%f")[:18] + "+0000"
    values = [*_REST, ("8867-4", "Heart rate", str(_pulse(number)), "/min")]
    lines = [
        f"MSH|^~\\&|MONITOR|BENCH|BOX|SITE|{at}||ORU^R01^ORU_R01|V{number}|P|2.5.1",
        "PID|1||77001^^^BENCH^MR||EXAMPLE^ANNA||19610402|F",
        f"OBR|1|V{number}|V{number}|85353-1^Vital signs panel^LN|||{at}",
        *(
            f"OBX|{row}|NM|{code}^{name}^LN||{value}|{unit}^^UCUM|||||F|||{at}"
            for row, (code, name, value, unit) in enumerate(values, start=1)
        ),
        *(
            f"OBX|{row}|ST|V{row}^{name}^L||{said}||||||F|||{at}"
            for row, (name, said) in enumerate(_SAID, start=len(values) + 1)
        ),
    ]
    return "\r".join(lines).encode() + b"\r"


def _post(door: httpx.Client, number: int) -> None:
    """Send one heart rate; the rest of the set is what the messages before left in the record."""
    at = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"pulse-{number}",
        "status": "final",
        "subject": {"identifier": {"system": "urn:hl7v2:authority:BENCH", "value": "77001"}},
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "Heart rate"},
        "effectiveDateTime": at,
        "valueQuantity": {
            "value": _pulse(number), "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min",
        },
    }  # fmt: skip
    reply = door.post("/fhir", content=json.dumps(resource).encode())
    if reply.status_code not in {200, 201}:
        raise RuntimeError(f"the FHIR door answered {reply.status_code}")


if __name__ == "__main__":
    print_rows(run(*map(int, sys.argv[1:2])))
