"""The EHR, at its own place in the network: `python -m tests.clinic.ehr WHAT CA`, what it needs on standard input."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import sys
import time
import uuid
from typing import Any, Final

import httpx
import jwt

from ingestion.domain.v2.frames import Deframer, frame
from tests.clinic.lan import NAME

SERVER: Final = "https://ehr.clinic.internal/r4"
AUTHORITY: Final = "2.16.840.1.113883.19.5"
ISSUER: Final = "https://ehr.clinic.internal/"
USER: Final = "Practitioner/adams"
MLLP: Final = 2575
_NUMBER: Final = "MRN-4711"
_NOTE: Final = (
    "Ward note, 2 March 2026. Apixaban was stopped on 2 March 2026 because of a gastrointestinal bleed. "
    "Haemoglobin fell from 11.2 to 8.4 g/dL. She denies chest pain."
)


def bundle() -> dict[str, Any]:
    """One patient: a measured potassium, a medication that was stopped, and the note that says why."""
    subject = {"reference": "Patient/berg"}
    resources = [
        {
            "resourceType": "Patient", "id": "berg", "gender": "female", "birthDate": "1948-05-17",
            "identifier": [{"system": f"urn:oid:{AUTHORITY}", "value": _NUMBER}],
            "name": [{"family": "Bergmann", "given": ["Clara"]}],
        },
        _potassium("k1", "2026-03-01T08:00:00+00:00", 4.4),
        {
            "resourceType": "MedicationRequest", "id": "apixaban", "status": "stopped", "intent": "order",
            "medicationCodeableConcept": {"text": "Apixaban 5 mg tablet"}, "subject": subject,
            "authoredOn": "2026-01-10",
        },
        {
            "resourceType": "DocumentReference", "id": "note", "status": "current", "subject": subject,
            "date": "2026-03-02T15:00:00Z", "type": {"text": "Ward note"},
            "content": [{"attachment": {
                "contentType": "text/plain; charset=utf-8", "data": base64.b64encode(_NOTE.encode()).decode(),
            }}],
        },
    ]  # fmt: skip
    entries = [
        {
            "fullUrl": f"{SERVER}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _potassium(logical_id: str, at: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": logical_id, "status": "final", "subject": {"reference": "Patient/berg"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}]},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }  # fmt: skip


def message() -> bytes:
    """A newer potassium as an HL7 v2.5.1 result message about the same patient."""
    lines = (
        "MSH|^~\\&|LAB|WEST|BOX|SITE|20260303120000+0000||ORU^R01^ORU_R01|CT0001|P|2.5.1",
        f"PID|1||{_NUMBER}^^^CLINIC&{AUTHORITY}&ISO^MR||Bergmann^Clara||19480517|F",
        "OBR|1|P77|F77|2823-3^Potassium^LN|||20260303113000+0000|||||||||||||||20260303115500+0000|||F",
        "OBX|1|NM|2823-3^Potassium^LN||5.9|mmol/L^mmol/L^UCUM|3.5-5.1|H|||F|||20260303113000+0000",
    )
    return "\r".join(lines).encode() + b"\r"


def _context(authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def send_bundle(authority: str, given: dict[str, Any]) -> dict[str, Any]:
    """Post the Bundle to the FHIR door."""
    headers = {"Authorization": f"Bearer {given['token']}", "Content-Type": "application/fhir+json"}
    with httpx.Client(verify=_context(authority), timeout=60, trust_env=False) as client:
        reply = client.post(f"https://{NAME}/fhir", content=json.dumps(bundle()), headers=headers)
    return {"status": reply.status_code, "body": reply.json()}


def send_message(authority: str, _given: dict[str, Any]) -> dict[str, Any]:
    """Send the message by MLLP over TLS and return the acknowledgement."""
    frames = Deframer()
    with socket.create_connection((NAME, MLLP), timeout=30) as plain:
        plain.settimeout(30)
        with _context(authority).wrap_socket(plain, server_hostname=NAME) as door:
            door.sendall(frame(message()))
            held: list[bytes] = []
            while not held:
                got = door.recv(65536)
                if not got:
                    break
                held += [bytes(one) for one in frames.feed(got)]
            return {"tls": door.version(), "acknowledgement": held[0].decode() if held else ""}


def hook(authority: str, given: dict[str, Any]) -> dict[str, Any]:
    """Call patient-view with a signed token of this EHR's own key."""
    url = f"https://{NAME}/cds-services"
    with httpx.Client(verify=_context(authority), timeout=30, trust_env=False) as client:
        found = client.get(url, headers=_bearer(url, given["key"]))
        service = next(one["id"] for one in found.json()["services"] if one["hook"] == "patient-view")
        call = {
            "hook": "patient-view", "hookInstance": str(uuid.uuid4()), "fhirServer": SERVER,
            "context": {"userId": USER, "patientId": "berg"},
        }  # fmt: skip
        began = time.monotonic()
        reply = client.post(f"{url}/{service}", json=call, headers=_bearer(f"{url}/{service}", given["key"]))
        seconds = time.monotonic() - began
        forged = client.post(f"{url}/{service}", json=call, headers={"Authorization": "Bearer a.b.c"})
    return {
        "status": reply.status_code, "body": reply.json(), "seconds": seconds, "without_token": forged.status_code,
    }  # fmt: skip


def _bearer(url: str, key: str) -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": url, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
    return {"Authorization": "Bearer " + jwt.encode(claims, key, algorithm="ES384", headers={"kid": "ehr-1"})}


if __name__ == "__main__":
    what = {"bundle": send_bundle, "message": send_message, "hook": hook}[sys.argv[1]]
    json.dump(what(sys.argv[2], json.load(sys.stdin)), sys.stdout)
