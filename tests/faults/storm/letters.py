"""What is sent: synthetic messages for each door, each with what has to become of it."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from typing import Any, Final

DOORS: Final = ("mllp", "fhir", "subscription", "ingest")
_SHARES: Final = (0.55, 0.25, 0.12, 0.08)
APPLIED, UNASSIGNED, QUARANTINED = "applied", "unassigned", "quarantined"
PATIENTS: Final = 250
MOST_COPIES: Final = 10


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. `copies` is how often it is sent; `becomes` what it has to be afterwards.

    `identity` is "Type/id" of the resource a bare FHIR message holds, "" elsewhere.
    """

    number: int
    door: str
    content: bytes
    copies: int
    becomes: str = APPLIED
    identity: str = ""


def letters(deliveries: int, chance: random.Random) -> list[Letter]:
    """Return so many distinct messages that all their copies together are at least `deliveries`."""
    found: list[Letter] = []
    sent = 0
    while sent < deliveries:
        copies = MOST_COPIES if chance.random() < 0.04 else chance.choice((1, 1, 1, 2, 2, 3))
        found.append(_letter(len(found), chance.choices(DOORS, _SHARES)[0], copies, chance))
        sent += copies
    return found


def _letter(number: int, door: str, copies: int, chance: random.Random) -> Letter:
    if door == "mllp":
        return _message(number, copies, chance)
    patient, kind = f"p{chance.randrange(PATIENTS)}", chance.random()
    if door == "fhir" and kind < 0.02:  # names nobody: waits for a person
        resource = _observation(number, "", chance)
        return Letter(number, door, _json(resource), copies, UNASSIGNED, f"Observation/o{number}")
    if kind < 0.15:
        return Letter(
            number, door, _json(_note(number, patient, chance)), copies, APPLIED, f"DocumentReference/n{number}"
        )
    return Letter(number, door, _json(_observation(number, patient, chance)), copies, APPLIED, f"Observation/o{number}")


def _message(number: int, copies: int, chance: random.Random) -> Letter:
    kind, becomes = "ORU^R01^ORU_R01", APPLIED
    processing = "P"
    if chance.random() < 0.02:
        processing, becomes = "T", UNASSIGNED
    elif chance.random() < 0.02:
        kind, becomes = "MFN^M02^MFN_M02", QUARANTINED
    # Three of four results come once; of the others a correction follows, or overtakes, the final one.
    order, status = (number, "F") if number % 4 else (max(number - 1, 0), "C")
    value = f"{3 + chance.randrange(40) / 10:.1f}"
    moment = f"202603{1 + number % 27:02d}{number % 24:02d}{number % 60:02d}00+0000"
    lines = [
        f"MSH|^~\\&|LAB|STORM|BOX|SITE|{moment}||{kind}|S{number}|{processing}|2.5.1",
        f"PID|1||{order % PATIENTS}^^^STORM^MR||EXAMPLE^ANNA||19610402|F",
        f"OBR|1|A{order}|B{order}|24326-1^Electrolytes^LN|||20260301080000",
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^^UCUM|3.5-5.1||||{status}|||20260301080000",
    ]
    return Letter(number, "mllp", "\r".join(lines).encode() + b"\r", copies, becomes)


def _observation(number: int, patient: str, chance: random.Random) -> dict[str, Any]:
    subject = {"subject": {"reference": f"Patient/{patient}"}} if patient else {}
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
        **subject,
        "effectiveDateTime": "2026-02-01T08:00:00Z",
        "valueQuantity": {"value": 50 + chance.randrange(60), "unit": "/min"},
    }


def _note(number: int, patient: str, chance: random.Random) -> dict[str, Any]:
    words = " ".join(chance.choice(("cough", "fever", "rest", "walks", "eats", "sleeps")) for _ in range(30))
    data = base64.b64encode(f"Visit {number}. The patient {words}.".encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": f"n{number}",
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
        "date": "2026-02-01T08:00:00Z",
        "type": {"text": "Progress note"},
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def _json(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()
