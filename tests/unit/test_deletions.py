"""Deletions: of the server that sent them, and not undone by a repeat of what was deleted."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.models import PassageRow, ResourceVersion
from tests.factories import bundle, note, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

SERVER = "https://ehr.internal/fhir"


def deletion(url: str, full_url: str = "") -> dict[str, Any]:
    entry = {"request": {"method": "DELETE", "url": url}} | ({"fullUrl": full_url} if full_url else {})
    return {"resourceType": "Bundle", "type": "history" if full_url else "transaction", "entry": [entry]}


def from_server(*resources: dict[str, Any]) -> dict[str, Any]:
    made = bundle(*resources)
    for entry in made["entry"]:
        one = entry["resource"]
        entry["fullUrl"] = f"{SERVER}/{one['resourceType']}/{one['id']}"
    return made


@pytest.mark.parametrize(
    ("url", "full_url"),
    [
        ("DocumentReference/note-1", f"{SERVER}/DocumentReference/note-1"),
        (f"{SERVER}/DocumentReference/note-1", ""),
    ],
)
def test_a_deletion_reaches_the_resource_of_its_own_server(url: str, full_url: str) -> None:
    take_in(from_server(patient(), note("Apixaban was stopped.")))

    assert take_in(deletion(url, full_url)).stored == 1
    assert not PassageRow.objects.exists()


def test_a_deletion_of_one_server_leaves_anothers_resource() -> None:
    take_in(from_server(patient(), note("Apixaban was stopped.")))

    assert take_in(deletion("DocumentReference/note-1")).unassigned == 1
    assert PassageRow.objects.exists()


def test_the_file_sent_again_does_not_bring_back_what_was_deleted() -> None:
    content = bundle(patient(), note("Apixaban was stopped."))
    take_in(content)
    take_in(deletion("DocumentReference/note-1"))

    assert take_in(content).unchanged == 2
    assert take_in(deletion("DocumentReference/note-1")).unchanged == 1
    assert not PassageRow.objects.exists()
    assert ResourceVersion.objects.get(resource_type="DocumentReference", is_current=True).deleted
