"""A machine client of the FHIR door for tests, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from ingestion.webhook.clients import token_digest
from tests.factories import clinician

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpResponse

BASE = "https://clinic.internal"
TOKEN = "token-of-the-ehr"
FHIR = "application/fhir+json"
SERVER = "https://ehr.internal/r4"


class FhirDoor:
    """The door as a client sees it. `file` is the registration it reads."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.client = Client(raise_request_exception=False)
        self.register({"name": "ehr", "token_sha256": token_digest(TOKEN)})

    def register(self, *rows: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(rows))

    def request(
        self, method: str, path: str, body: Any = None, *, bearer: str = TOKEN, kind: str = FHIR, **headers: str
    ) -> HttpResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if bearer:
            given["Authorization"] = f"Bearer {bearer}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, path, content, content_type=kind, headers=given)  # type: ignore[return-value]

    def post(self, body: Any, path: str = "/fhir", **more: str) -> HttpResponse:
        return self.request("POST", path, body, **more)

    def put(self, body: dict[str, Any], path: str = "", **more: str) -> HttpResponse:
        return self.request("PUT", path or f"/fhir/{body['resourceType']}/{body['id']}", body, **more)


@pytest.fixture(name="door")
def fhir_door(settings: Any, tmp_path: Path) -> FhirDoor:
    """The machines' door with one client whose resources are those of files that name no server."""
    from appliance import settings as own

    settings.ROOT_URLCONF = "appliance.machine_urls"
    settings.MIDDLEWARE = own._MACHINES
    settings.CLINICAL_MACHINES_URL = BASE
    settings.INGESTION_FHIR_CLIENTS = tmp_path / "fhir_clients.json"
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]
    clinician()
    return FhirDoor(settings.INGESTION_FHIR_CLIENTS)


def issues(response: HttpResponse) -> list[tuple[str, str, str]]:
    """Return (issue type, our reason, first expression) of a reply that must be an OperationOutcome."""
    body = json.loads(response.content)
    assert body["resourceType"] == "OperationOutcome", body
    return [(one["code"], one["details"]["text"], one.get("expression", [""])[0]) for one in body["issue"]]


def transaction(*resources: dict[str, Any], kind: str = "transaction") -> dict[str, Any]:
    """A Bundle that puts each resource under its own id."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def statuses(response: HttpResponse) -> list[str]:
    """Return the status of each entry of a response Bundle, as the code alone."""
    return [entry["response"]["status"].split()[0] for entry in json.loads(response.content)["entry"]]
