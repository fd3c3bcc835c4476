"""Each resource that a feed deletes or marks as entered in error leaves a receipt of references and counts."""

from __future__ import annotations

import pytest

from clinical.models import DeletionReceipt
from tests.erasing import erased, held
from tests.factories import bundle, note, observation, patient, take_in
from tests.unit.test_patient_deleted import deletion

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def test_a_deletion_leaves_a_receipt_with_counts_before_and_after() -> None:
    take_in(bundle(patient(), note("Allergic to penicillin.")))

    take_in(deletion("DocumentReference", "note-1"))

    receipt = DeletionReceipt.objects.get()
    assert (receipt.kind, receipt.resource, receipt.reason) == ("resource", "DocumentReference/note-1", "deleted")
    assert (receipt.patient_id, receipt.user_id) == (held("amina").id, "feed:files")
    assert receipt.before["passages"] == 1
    assert receipt.after == {"facts": 0, "passages": 0}
    assert receipt.finished_at == receipt.begun_at


def test_an_entry_in_error_leaves_one_too_and_a_correction_does_not() -> None:
    take_in(bundle(patient(), note("Allergic to penicillin."), observation()))

    take_in(observation(value=4.6, status="corrected"))
    assert DeletionReceipt.objects.count() == 0

    take_in(note("Allergic to penicillin.", status="entered-in-error"))
    receipt = DeletionReceipt.objects.get()
    assert (receipt.reason, receipt.before["passages"], receipt.after["passages"]) == ("entered-in-error", 1, 0)


def test_the_receipts_of_an_erased_patient_name_his_opaque_id_only() -> None:
    take_in(bundle(patient(), note("Allergic to penicillin.")))
    take_in(deletion("DocumentReference", "note-1"))
    amina = held("amina").id

    erased("amina")

    assert DeletionReceipt.objects.filter(patient_id=amina).count() == 2
    assert set(DeletionReceipt.objects.values_list("resource", flat=True)) == {""}
