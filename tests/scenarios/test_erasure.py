"""Erasing a patient: nothing of him is left anywhere, and nothing of anybody else has moved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection, transaction

from clinical.answering import services
from clinical.keys import SITE_KEY_ID, KeyDestroyedError, cipher_of
from clinical.models import AuditEvent, DataKey, DeletionReceipt, IndexChange, Patient, ResourceVersion
from clinical.ports import backends
from clinical.record.erase import begin, counts_of
from clinical.record.index_check import compare
from clinical.record.merging import merge
from ingestion import pipeline
from ingestion.models import IngestJob, Original, UnassignedItem
from ingestion.originals import open_original
from ingestion.receive import name_of
from ingestion.selectors import held_back
from tests.erasing import command, erased, held, officer, rows_of
from tests.factories import LIMITS, NOON, bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

AMINAS_NOTE = "She takes apixaban for atrial fibrillation."


def two_patients() -> None:
    take_in(bundle(patient("amina"), observation("k1", value=4.1), note(AMINAS_NOTE)), name="amina.json")
    take_in(
        bundle(
            patient("bruno", gender="male"),
            observation("k2", subject="bruno", value=5.2),
            note("He takes warfarin.", logical_id="note-2", subject="bruno"),
        ),
        name="bruno.json",
    )


def ask(logical_id: str) -> None:
    question = services.ask(clinician(), held(logical_id).id, "What is the latest potassium?", clock=noon)
    list(services.events(question.id, clinician(), clock=noon))


def everything_stored() -> bytes:
    """All bytes that can be read here with the keys that are left: tables and kept files."""
    found = b""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names come from the database itself
            for row in cursor.fetchall():
                found += b" ".join(bytes(c) if isinstance(c, (bytes, memoryview)) else str(c).encode() for c in row)
    for original in Original.objects.exclude(size=0):
        with open_original(original) as file:
            found += file.read()
    return found


def test_nothing_of_the_erased_patient_is_left_and_the_receipt_counts_it() -> None:
    two_patients()
    ask("amina")
    amina = held("amina")
    before = counts_of(amina.id)
    assert {name for name, count in before.items() if count} >= {
        *("keys", "identifiers", "search_terms", "care_team", "versions", "facts", "passages", "vectors"),
        *("index_vectors", "questions", "answers", "citations"),
    }

    receipt = erased("amina")

    assert receipt.before == before | {"originals": 1, "held_items": 0}
    assert set(receipt.after.values()) == {0}
    assert receipt.after.keys() == receipt.before.keys()
    assert receipt.finished_at == NOON
    assert not Patient.objects.filter(id=amina.id).exists()
    assert not ResourceVersion.objects.filter(patient_id=amina.id).exists()
    assert amina.id not in {tenant for _, tenant in backends().index.passage_ids()}
    assert compare().equal
    key = DataKey.objects.get(id=amina.data_key_id)
    assert key.destroyed_at is not None and bytes(key.wrapped) == b""


def test_what_others_have_is_the_same_to_the_byte() -> None:
    two_patients()
    ask("bruno")
    before = rows_of(held("bruno"))
    kept = dict(Original.objects.filter(jobs__cursor=3).values_list("sha256", "wrapped_key"))

    erased("amina")

    assert rows_of(held("bruno")) == before
    assert Original.objects.exclude(size=0).get().sha256 in kept


def test_no_byte_that_can_still_be_read_names_the_patient() -> None:
    take_in(
        bundle(patient("amina-q7", name=[{"family": "Quetzal", "given": ["Amina"]}]), observation(subject="amina-q7"))
    )
    take_in(note("Apixaban was stopped.", subject="amina-q7"))
    assert b"amina-q7" in everything_stored()

    erased("amina-q7")

    left = everything_stored().lower()
    assert b"amina-q7" not in left
    assert b"quetzal" not in left


def test_the_trail_keeps_the_opaque_id_alone_and_survives() -> None:
    two_patients()
    amina = held("amina")

    receipt = erased("amina")

    rows = AuditEvent.objects.filter(patient_id=str(amina.id), action="patient.erase").order_by("seq")
    assert [row.outcome for row in rows] == ["STARTED", "SUCCESS"]
    assert receipt.audit_id == rows[1].id
    assert {row.on_behalf_of for row in rows} == {"demo-privacy"}
    assert "consent" not in str([row.detail for row in rows])


def test_only_the_privacy_role_erases_and_a_denial_is_on_the_trail() -> None:
    two_patients()
    clinician()

    with pytest.raises(CommandError, match="no-privacy-role"):
        command("--patient", "amina", "--reason", "request", "--as", "demo-clinician")

    denial = AuditEvent.objects.get(action="patient.erase")
    assert (denial.outcome, denial.patient_id) == ("DENIED", str(held("amina").id))
    assert DeletionReceipt.objects.count() == 0


@pytest.mark.parametrize("reason", ["<script>", "x" * 65, "wish of Example", "wish of amina", "born 1961-04-02"])
def test_a_reason_is_short_words_that_name_nobody(reason: str) -> None:
    two_patients()
    officer()

    with pytest.raises(CommandError, match="--reason refused"):
        command("--patient", "amina", "--reason", reason, "--as", "demo-privacy")
    assert held("amina").data_key.destroyed_at is None


def test_the_command_shows_the_receipt_now_and_later() -> None:
    two_patients()
    officer()
    amina = held("amina").id

    shown = json.loads(command("--patient", "amina", "--reason", "request", "--as", "demo-privacy", "--json"))

    assert (shown["patient"], shown["complete"], shown["reason"]) == (str(amina), True, "request")
    assert json.loads(command("--receipts", "--json")) == [shown]
    assert str(amina) in command("--receipts")
    assert json.loads(command("--patient", str(amina), "--reason", "again", "--as", "demo-privacy", "--json")) == shown
    with pytest.raises(CommandError, match="no patient"):
        command("--patient", "amina", "--reason", "again", "--as", "demo-privacy")


def test_a_key_destroyed_by_another_process_ends_every_read_here() -> None:
    two_patients()
    amina = Patient.objects.get(id=held("amina").id)
    cipher_of(amina)  # unwrapped and remembered by this process

    begin(amina, reason="request", user_id="demo-privacy", now=NOON)  # forgets them here; so once more, by hand
    DataKey.objects.filter(id=amina.data_key_id).update(destroyed_at=None)
    cipher_of(amina)
    DataKey.objects.filter(id=amina.data_key_id).update(destroyed_at=NOON)  # as another process does it

    with pytest.raises(KeyDestroyedError):
        cipher_of(amina)


def test_a_file_sent_again_is_a_new_record_and_a_sweep_brings_nobody_back() -> None:
    two_patients()
    jobs = list(IngestJob.objects.values_list("pk", flat=True))

    erased("amina")

    assert pipeline.due(NOON) == []
    for job in jobs:
        with pytest.raises(pipeline.NotDueError):
            pipeline.run(job, limits=LIMITS, clock=noon)
    assert Patient.objects.count() == 1
    erased_job = IngestJob.objects.get(error="original-erased")
    assert (erased_job.received, erased_job.stored, name_of(erased_job)) == (3, 3, "(erased)")
    assert take_in(bundle(patient("amina"))).stored == 1  # from outside: somebody sent it


def test_what_waits_unassigned_about_the_patient_goes_with_its_file() -> None:
    mrn = [{"system": "urn:oid:2.999.1", "value": "778-A1"}]
    take_in(bundle(patient("amina", identifier=mrn), observation()))
    other: dict[str, Any] = {"gender": "male", "birthDate": "1999-09-09", "name": [{"family": "Other"}]}
    take_in(patient("a2", identifier=mrn, **other), name="conflict.json")
    take_in(b'{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"id": "778-A1"', name="cut.json")
    take_in(b"---\npatient: nobody\n---\nA note about somebody else.\n", name="stranger.md")
    assert held_back() == (2, 1)

    receipt = erased("amina")

    assert receipt.before["held_items"] == 2
    assert held_back() == (1, 0)
    assert UnassignedItem.objects.get().reason == "patient-unknown"
    assert b"778-A1" not in everything_stored()


def test_nothing_is_taken_in_for_a_patient_while_he_is_being_erased() -> None:
    two_patients()
    begin(held("amina"), reason="request", user_id="demo-privacy", now=NOON)

    job = take_in(bundle(observation("late"), observation("k9", subject="bruno")))

    assert (job.stored, job.unassigned) == (1, 1)
    assert UnassignedItem.objects.get().reason == "patient-being-erased"
    erased("amina")
    assert held_back() == (0, 0)
    assert Patient.objects.count() == 1


def test_the_index_changes_of_an_erased_patient_do_no_harm_when_a_worker_applies_them_later() -> None:
    two_patients()
    begin(held("amina"), reason="request", user_id="demo-privacy", now=NOON)
    assert IndexChange.objects.filter(operation="delete").exists()

    take_in(bundle(patient("carla")))  # brings the index up to date as a worker does

    assert compare().equal
    assert erased("amina").finished_at


def test_a_patient_who_was_merged_goes_with_the_one_he_was_merged_into() -> None:
    two_patients()
    amina, bruno = held("amina"), held("bruno")
    with transaction.atomic():
        merge(amina, bruno, by="test", now=NOON)
    officer()

    command("--patient", str(bruno.id), "--reason", "request", "--as", "demo-privacy")

    assert DeletionReceipt.objects.get().patient_id == amina.id
    assert not Patient.objects.exists()
    assert not DataKey.objects.filter(patient=None).exclude(id=SITE_KEY_ID).exclude(wrapped=b"").exists()
    assert list(backends().index.passage_ids()) == []
