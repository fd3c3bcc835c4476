"""What came by the FHIR door goes when its patient is erased, and nothing of anybody else's does."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ingestion.models import Original
from ingestion.originals import open_original
from ingestion.webhook.clients import token_digest
from tests.erasing import erased
from tests.factories import note, observation, patient
from tests.fhir_door import SERVER, TOKEN, FhirDoor, fhir_door, transaction  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def _letter(name: str, binary: str) -> list[dict[str, Any]]:
    words = base64.b64encode(f"A letter about {name}.".encode()).decode()
    letter = note("", logical_id=f"letter-{name}", subject=name)
    letter["content"][0]["attachment"] = {"contentType": "text/plain", "url": f"Binary/{binary}"}
    return [letter, {"resourceType": "Binary", "id": binary, "contentType": "text/plain", "data": words}]


@pytest.mark.parametrize("server", ["", SERVER])
def test_a_shared_bundle_loses_her_entries_and_her_binary_and_keeps_his(door: FhirDoor, server: str) -> None:
    door.register({"name": "ehr", "token_sha256": token_digest(TOKEN), "server": server})
    his = patient("bruno", gender="male", birthDate="1950-05-05")
    content = transaction(
        patient(),
        his,
        observation(),
        observation("k2", subject="bruno"),
        *_letter("amina", "b1"),
        *_letter("bruno", "b2"),
    )
    assert door.post(content).status_code == 200

    erased("amina")

    (row,) = Original.objects.exclude(size=0)
    with open_original(row) as file:
        left = [entry.get("resource", {}).get("id") for entry in json.load(file)["entry"]]
    assert left == [None, "bruno", None, "k2", None, None, "letter-bruno", "b2"]
