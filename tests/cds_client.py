"""A CDS client for tests: keys, registration, signed tokens, and calls of the machines' door in this process."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from django.utils import timezone

from tests.factories import clinician

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpResponse

BASE = "https://clinic.internal"
ISSUER = "https://ehr.internal/"
SERVER = "https://ehr.internal/r4"
USER = "Practitioner/dr-who"
JKU = "https://ehr.internal/jwks.json"
EC_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DISCOVERY = "/cds-services"


def public(key: Any, kid: str) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name("ES384" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS384")
    return algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid}


def registration(**changed: Any) -> dict[str, Any]:
    """One client of the file; patients of its server are those of files that name none."""
    return {
        "issuer": ISSUER,
        "keys": [public(EC_KEY, "ec-1"), public(RSA_KEY, "rsa-1")],
        "fhir_servers": {SERVER: ""},
        "users": {USER: "demo-clinician"},
        "jku": JKU,
        **changed,
    }


def claims(path: str, **changed: Any) -> dict[str, Any]:
    """Claims of a token for a path; a claim that is None is left out."""
    now = int(timezone.now().timestamp())
    whole = {
        "iss": ISSUER, "aud": BASE + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **changed,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def token(path: str, *, key: Any = EC_KEY, algorithm: str = "ES384", kid: str = "ec-1", **changed: Any) -> str:
    headers = {"kid": kid, **changed.pop("headers", {})}
    return jwt.encode(claims(path, **changed), key, algorithm=algorithm, headers=headers)


class Machines:
    """The machines' door as a client sees it. `clients_file` is the registration it reads."""

    def __init__(self, clients_file: Path) -> None:
        self.clients_file = clients_file
        self.client = Client(raise_request_exception=False)
        self.register(registration())

    def register(self, *rows: dict[str, Any]) -> None:
        self.clients_file.write_text(json.dumps(rows))

    def request(
        self, method: str, path: str, body: Any = None, *, bearer: str | None = None, **more: Any
    ) -> HttpResponse:
        """Call with a good token of its own unless another (or "" for none) is given."""
        given = token(path) if bearer is None else bearer
        headers = {"Authorization": f"Bearer {given}"} if given else {}
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content_type": "application/json", "headers": headers} | more
        return self.client.generic(method, path, content, **sent)  # type: ignore[return-value]  # the test client's own type

    def call(self, service: str, body: Any, **more: Any) -> HttpResponse:
        return self.request("POST", f"{DISCOVERY}/{service}", body, **more)

    def cards(self, service: str, body: Any) -> list[dict[str, Any]]:
        """Call and return the cards of a reply that must be 200."""
        reply = self.call(service, body)
        assert reply.status_code == 200, reply.content
        return list(json.loads(reply.content)["cards"])

    def feedback(self, service: str, *items: dict[str, Any], **more: Any) -> HttpResponse:
        return self.request("POST", f"{DISCOVERY}/{service}/feedback", {"feedback": list(items)}, **more)


@pytest.fixture
def machines(settings: Any, tmp_path: Path) -> Machines:
    """The machines' door with one registered client, whose user is on every care team."""
    from appliance import settings as own

    settings.ROOT_URLCONF = "appliance.machine_urls"
    settings.MIDDLEWARE = own._MACHINES
    settings.CLINICAL_MACHINES_URL = BASE
    settings.CLINICAL_PEOPLE_URL = "https://people.internal"
    settings.CLINICAL_CDS_CLIENTS = tmp_path / "clients.json"
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]
    clinician()
    return Machines(settings.CLINICAL_CDS_CLIENTS)


def hook(
    name: str = "patient-view", *, patient: str = "amina", context: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A hook call; an element that is None is left out."""
    whole = {
        "hook": name,
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": SERVER,
        "context": {"userId": USER, "patientId": patient} | (context or {}),
        **more,
    }
    return {key: value for key, value in whole.items() if value is not None}


def order(text: str = "Amoxicillin 500 mg capsule", *, logical_id: str = "draft-1", **more: Any) -> dict[str, Any]:
    """A draft MedicationRequest."""
    return {
        "resourceType": "MedicationRequest",
        "id": logical_id,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": text},
        "subject": {"reference": "Patient/amina"},
        **more,
    }


def sign(*orders: dict[str, Any], **more: Any) -> dict[str, Any]:
    drafts = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
    return hook("order-sign", context={"draftOrders": drafts}, **more)


def select(*orders: dict[str, Any], chosen: list[str], **more: Any) -> dict[str, Any]:
    drafts = {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]}
    return hook("order-select", context={"draftOrders": drafts, "selections": chosen}, **more)


def reason(reply: HttpResponse) -> str:
    """The reason code of a refusal."""
    code: str = json.loads(reply.content)["issue"][0]["details"]["coding"][0]["code"]
    return code


def element(reply: HttpResponse) -> str:
    """The element a refusal names."""
    path: str = json.loads(reply.content)["issue"][0]["expression"][0]
    return path


def ago(**span: float) -> str:
    """A FHIR dateTime so long ago."""
    return (timezone.now() - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")
