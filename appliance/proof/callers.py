"""What browsers, programs and the EHR do in a run, each over its own door."""

from __future__ import annotations

import json
import re
import socket
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import jwt

from appliance.egress import on_site_client
from ingestion.domain.v2.frames import Deframer, frame

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import Client, Response

    from appliance.config import Config

QUESTIONS: Final = ("What is the latest potassium?", "Why was apixaban stopped?")
_USER, _PRACTITIONER = "demo-clinician", "Practitioner/demo"
_ISSUER, _SERVER, _KEY = "urn:clinical-appliance:demo-cds-client", "http://127.0.0.1/fhir", "demo-1"
_ANSWER_S: Final = 120.0
_WORKER_S: Final = 60.0
_PATIENT: Final = re.compile(r'href="(/patients/[0-9a-f-]{36}/)"')
_EVENTS: Final = re.compile(r"/questions/[0-9a-f-]{36}/events")
_FORM_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class RefusedError(Exception):
    """A door did not do what it was asked; the message is a status or code, nothing of what was said."""


@dataclass(frozen=True, slots=True)
class Callers:
    """The callers of one run: where the doors are, and the password and tokens that open them."""

    settings: Config
    secrets: dict[str, str]

    def bundle(self, file: Path) -> str:
        """Send a FHIR Bundle."""
        headers = {"Authorization": f"Bearer {self.secrets['fhir']}", "Content-Type": "application/fhir+json"}
        with self._machines() as client:
            return f"status {_good(client.post('/fhir', content=file.read_bytes(), headers=headers)).status_code}"

    def message(self, control: str) -> str:
        """Send a laboratory result as HL7 v2 and read its acknowledgement."""
        with socket.create_connection((self.settings.host, self.settings.mllp_port), timeout=30) as sender:
            sender.sendall(frame(_result(control)))
            frames, replies = Deframer(), list[bytes]()
            while not replies:
                if not (data := sender.recv(65536)):
                    raise RefusedError("the connection ended")
                replies = frames.feed(data)
        if b"MSA|AA" not in replies[0]:
            raise RefusedError("not accepted")
        return "AA"

    def taken_in(self) -> str:
        """Wait until the worker has taken in all that was sent."""
        limit = time.monotonic() + _WORKER_S
        with self._machines(self.secrets["operator"]) as client:
            while True:
                jobs: dict[str, int] = _good(client.get("/api/ingest/status")).json()["jobs"]
                if not sum(count for state, count in jobs.items() if state != "done"):
                    return f"{jobs.get('done', 0)} jobs done"
                if time.monotonic() > limit:
                    raise RefusedError("jobs wait for the worker")
                time.sleep(0.2)

    def api_question(self, words: str, question: str) -> str:
        """Find a patient and ask about her over the API."""
        with self._machines(self.secrets["clinician"]) as client:
            found = _good(client.post("/api/patients/search", json={"words": words})).json()["patients"]
            if not found:
                raise RefusedError("no such patient")
            taken = _good(client.post(f"/api/patients/{found[0]['id']}/questions", json={"question": question})).json()
            answer = _good(client.get(taken["answer"], timeout=_ANSWER_S)).json()
        return _told(answer)

    def page_question(self, question: str) -> str:
        """Log in as a person, open the first patient, ask, and read the answer's events to their end."""
        with on_site_client(f"http://{self.settings.host}:{self.settings.port}", timeout_s=_ANSWER_S) as client:
            form = {"username": _USER, "password": self.secrets["password"], "next": "/"}
            _post(client, "/login", "/login", form)
            patients = _PATIENT.findall(_good(client.get("/")).text)
            if not patients:
                raise RefusedError("no patient on the page")
            place = _post(client, patients[0], f"{patients[0]}questions", {"question": question})
            found = _EVENTS.search(_good(client.get(place)).text)
            if found is None:
                raise RefusedError("no place for the answer")
            events = _good(client.get(found[0])).text.count("event:")
        return f"{events} events"

    def hook(self, patient: str) -> str:
        """Call the decision support service that belongs to opening a chart."""
        path = "/cds-services/patient-view"
        body = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "fhirServer": _SERVER,
            "context": {"userId": _PRACTITIONER, "patientId": patient},
        }
        with self._machines(self._signed("/cds-services")) as client:
            services = len(_good(client.get("/cds-services")).json()["services"])
        with self._machines(self._signed(path)) as client:
            cards = len(_good(client.post(path, json=body)).json()["cards"])
        return f"{services} services, {cards} cards"

    def _signed(self, path: str) -> str:
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "aud": f"{self.settings.machines_base}{path}",
            "iat": now,
            "exp": now + 120,
            "jti": str(uuid.uuid4()),
        }
        key = (self.settings.var / "cds_demo_client.pem").read_bytes()
        return jwt.encode(claims, key, algorithm="ES384", headers={"kid": _KEY})

    def _machines(self, bearer: str = "") -> Client:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return on_site_client(self.settings.machines_base, timeout_s=60.0, headers=headers)


def _post(client: Client, page: str, path: str, fields: dict[str, str]) -> str:
    """Fetch a page for its form's token, post the fields, and return where that leads."""
    found = _FORM_TOKEN.search(_good(client.get(page)).text)
    if found is None:
        raise RefusedError("no form on the page")
    headers = {"Referer": str(client.base_url)}
    reply = client.post(path, data={**fields, "csrfmiddlewaretoken": found[1]}, headers=headers)
    if not reply.is_redirect:
        raise RefusedError(f"status {reply.status_code}")
    return reply.headers["Location"]


def _good(reply: Response) -> Response:
    if not reply.is_success:
        raise RefusedError(f"status {reply.status_code}")
    return reply


def _told(answer: dict[str, Any]) -> str:
    shown = sum(one["shown"] for one in answer["sentences"])
    drafted = "a model drafted" if answer.get("model") else "no model"
    return f"{answer['status']}, {shown} of {len(answer['sentences'])} sentences shown, {drafted}"


def _result(control: str) -> bytes:
    lines = (
        f"MSH|^~\\&|LAB|PROOF|BOX|SITE|20260301120000+0000||ORU^R01^ORU_R01|{control}|P|2.5.1",
        "PID|1||1^^^PROOF^MR||EXAMPLE^ANNA||19610402|F",
        f"OBR|1|A{control}|B{control}|24326-1^Electrolytes^LN|||20260301080000",
        "OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L^^UCUM|3.5-5.1||||F|||20260301080000",
    )
    return "\r".join(lines).encode() + b"\r"


def decoded(text: str) -> dict[str, Any]:
    """Return the JSON object a command printed, from its first brace on."""
    found: dict[str, Any] = json.loads(text[text.index("{") :])
    return found
