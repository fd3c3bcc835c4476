"""What the sender has, against the record: by patient, by type, with the result kept and identifiers on request."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError

from clinical.identity.services import find_by_fhir_id
from clinical.models import AuditEvent
from ingestion.models import Reconciliation
from tests.factories import bundle, observation, patient, take_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
LIST = "patient,type,count\namina,Observation,3\namina,Condition,0\nomar,Observation,1\nghost,Observation,2\n"


@pytest.fixture(autouse=True)
def _record() -> None:
    take_in(bundle(patient(), patient("omar"), observation("a"), observation("b"), observation("c", subject="omar")))
    take_in(bundle(observation("b", value=9.9)))  # a new version is not a second resource


def run(tmp_path: Path, kind: str, text: str, *more: str) -> tuple[dict[str, Any], bool]:
    path, out = tmp_path / "list", io.StringIO()
    path.write_text(text)
    try:
        call_command("reconcile", f"--{kind}", str(path), "--json", *more, stdout=out)
    except CommandError:
        if not out.getvalue():
            raise
        return json.loads(out.getvalue()), False
    return json.loads(out.getvalue()), True


def test_each_patient_and_type_is_compared_and_nobody_is_named(tmp_path: Path) -> None:
    amina = find_by_fhir_id("amina")
    assert amina is not None

    found, complete = run(tmp_path, "csv", LIST)

    assert not complete
    assert (found["expected"], found["matched"], found["percent"], found["unknown_patients"]) == (6, 3, 50.0, 1)
    assert [(one["patient"], one["type"], one["missing"]) for one in found["differences"]] == [
        ("row 5", "Observation", 2),
        (str(amina.id), "Observation", 1),
    ]
    assert "ghost" not in json.dumps(found)
    kept = Reconciliation.objects.get()
    assert "ghost" not in json.dumps(kept.differences)
    assert (kept.source, kept.compared, kept.jobs_open) == ("csv", 4, 0)


def test_totals_by_type_agree_with_the_record(tmp_path: Path) -> None:
    found, complete = run(tmp_path, "counts", '{"Patient": 2, "Observation": 3}')

    assert complete
    assert (found["percent"], found["differences"]) == (100.0, [])


def test_what_the_sender_no_longer_has_is_extra(tmp_path: Path) -> None:
    manifest = {"output": [{"type": "Observation", "url": "x", "count": 2}]}

    found, complete = run(tmp_path, "manifest", json.dumps(manifest))

    assert complete
    assert [(one["type"], one["extra"]) for one in found["differences"]] == [("Observation", 1)]


def test_another_server_has_none_of_it(tmp_path: Path) -> None:
    found, complete = run(tmp_path, "counts", '{"Observation": 3}', "--server", "https://elsewhere.example/fhir/")

    assert not complete
    assert found["held"] == 0


def test_identifiers_are_the_privacy_officers_and_asking_is_on_the_trail(tmp_path: Path) -> None:
    for name in ("clinician", "privacy"):
        user = User.objects.create_user(username=f"demo-{name}")
        user.groups.add(Group.objects.get_or_create(name=name)[0])

    with pytest.raises(CommandError, match="refused"):
        run(tmp_path, "csv", LIST, "--identifiers", "--as", "demo-clinician")
    found, _ = run(tmp_path, "csv", LIST, "--identifiers", "--as", "demo-privacy")

    assert [one["identifier"] for one in found["differences"]] == ["ghost", "amina"]
    asked = AuditEvent.objects.filter(action="reconcile.identifiers").order_by("seq")
    rows = asked.values_list("outcome", "on_behalf_of")
    assert list(rows) == [("DENIED", "demo-clinician"), ("SUCCESS", "demo-privacy")]
    assert not Reconciliation.objects.filter(differences__icontains="ghost").exists()


def test_a_list_that_cannot_be_read_is_refused_and_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="three-columns-needed at row 2"):
        run(tmp_path, "csv", "patient,type,count\namina,Observation\n")
    assert not Reconciliation.objects.exists()
