"""The record: versions, what follows from them, and the index that follows the record."""

from __future__ import annotations

import pytest
from django.db import connection

from clinical.models import FactRow, IndexChange, PassageRow, Patient, ResourceVersion
from clinical.ports import backends
from clinical.record.index_check import compare
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from tests.factories import bundle, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def counts(job: IngestJob) -> dict[str, int]:
    names = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
    found = {name: getattr(job, name) for name in names}
    assert found["received"] == sum(found.values()) - found["received"]
    return {name: number for name, number in found.items() if number}


def test_the_same_file_again_changes_nothing() -> None:
    content = bundle(patient(), observation(), note("Potassium was normal."))

    assert counts(take_in(content)) == {"received": 3, "stored": 3}
    assert counts(take_in(content)) == {"received": 3, "unchanged": 3}
    assert ResourceVersion.objects.count() == 3


def test_a_correction_replaces_and_a_late_older_version_is_kept_as_history() -> None:
    old = observation(value=4.1, meta={"versionId": "1", "lastUpdated": "2026-02-01T08:00:00Z"})
    new = observation(value=4.6, status="corrected", meta={"versionId": "2", "lastUpdated": "2026-02-01T10:00:00Z"})
    take_in(bundle(patient(), new))

    assert counts(take_in(old)) == {"received": 1, "superseded": 1}
    current = ResourceVersion.objects.get(resource_type="Observation", is_current=True)
    assert current.status == "corrected"
    assert FactRow.objects.filter(kind="observation").count() == 1


def test_two_versions_in_one_file_leave_the_newer_in_effect() -> None:
    old = observation(value=4.1, meta={"versionId": "1", "lastUpdated": "2026-02-01T08:00:00Z"})
    new = observation(value=4.6, meta={"versionId": "2", "lastUpdated": "2026-02-01T10:00:00Z"})

    assert counts(take_in(bundle(patient(), old, new))) == {"received": 3, "stored": 3}
    assert ResourceVersion.objects.get(resource_type="Observation", is_current=True).source_version == "2"


def test_a_replaced_note_leaves_the_index() -> None:
    take_in(bundle(patient(), note("She takes apixaban twice daily for atrial fibrillation.")))
    before = {one for one, _ in backends().index.passage_ids()}
    take_in(note("Apixaban was stopped on 3 February after a bleed."))
    after = {one for one, _ in backends().index.passage_ids()}

    assert before and after and not before & after
    assert compare().equal
    assert IndexChange.objects.count() == 0


def test_entered_in_error_leaves_the_index_and_keeps_the_history() -> None:
    take_in(bundle(patient(), note("Allergic to penicillin.")))
    take_in(note("Allergic to penicillin.", status="entered-in-error"))

    assert list(backends().index.passage_ids()) == []
    assert PassageRow.objects.count() == 0
    assert ResourceVersion.objects.filter(resource_type="DocumentReference").count() == 2


def test_patient_text_lies_in_no_column_in_clear() -> None:
    take_in(bundle(patient(name=[{"family": "Quetzalcoatlus"}]), note("Zaphodbeeblebrox was seen.")))

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names come from the database itself
            for row in cursor.fetchall():
                text = b" ".join(bytes(c) if isinstance(c, (bytes, memoryview)) else str(c).encode() for c in row)
                assert b"uetzalcoatlus" not in text.lower(), table
                assert b"zaphodbeeblebrox" not in text.lower(), table


def test_a_note_for_an_unknown_patient_waits_unassigned() -> None:
    job = take_in(b"---\npatient: nobody-here\ndate: 2026-02-01\n---\nSeen in clinic today, well.\n", name="n.md")

    assert counts(job) == {"received": 1, "unassigned": 1}
    assert UnassignedItem.objects.get().reason == "patient-unknown"
    assert Patient.objects.count() == 0


def test_the_same_identifier_with_another_name_and_birth_date_waits_unassigned() -> None:
    mrn = [{"system": "urn:oid:1.2.3", "value": "778"}]
    take_in(patient("amina", identifier=mrn))
    other = patient("bruno", identifier=mrn, birthDate="1999-09-09", gender="male", name=[{"family": "Other"}])

    assert counts(take_in(other)) == {"received": 1, "unassigned": 1}
    assert UnassignedItem.objects.get().reason == "conflicting-demographics"


def test_a_bad_entry_is_quarantined_with_reason_and_position_and_the_rest_goes_in() -> None:
    bad = observation("k2", effectiveDateTime="2026-02-31")
    job = take_in(bundle(patient(), bad, observation("k3")))

    assert counts(job) == {"received": 3, "stored": 2, "quarantined": 1}
    item = QuarantinedItem.objects.get()
    assert item.position == "entry[1]"
    assert "2026-02-31" not in item.reason + item.detail


def test_a_resource_never_moves_into_another_patients_record() -> None:
    take_in(bundle(patient("amina"), patient("bruno", gender="male"), note("Amina's note.", subject="amina")))

    assert counts(take_in(note("Bruno's note.", subject="bruno"))) == {"received": 1, "unassigned": 1}
    assert UnassignedItem.objects.get().reason == "belongs-to-another-patient"
    assert counts(take_in(bundle(observation("x", subject="amina"), observation("x", subject="bruno")))) == {
        "received": 2,
        "stored": 1,
        "unassigned": 1,
    }
