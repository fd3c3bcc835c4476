"""After a restore each receipt is repeated in its meaning: not every one of them deleted something."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from clinical.models import DeletionReceipt, FactRow, PassageRow, ResourceVersion
from ingestion.erasure.repeat import repeat
from tests.erasing import by, held
from tests.factories import NOON, bundle, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def receipt(resource: str, reason: str) -> DeletionReceipt:
    return DeletionReceipt(
        id=uuid4(),
        kind=DeletionReceipt.Kind.RESOURCE,
        patient_id=held("amina").id,
        resource=resource,
        reason=reason,
        user_id="feed:files",
        begun_at=NOON + timedelta(hours=1),
    )


def in_effect() -> set[str]:
    rows = ResourceVersion.objects.filter(is_current=True, deleted=False)
    return {row.reference for row in rows.defer("content")}


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        ("deleted", {"Patient/amina", "Observation/k1"}),
        ("replaced", {"Patient/amina", "Observation/k1"}),
        ("label-added", {"Patient/amina", "Observation/k1"}),
        ("label-removed", {"Patient/amina", "Observation/k1", "DocumentReference/note-1"}),
    ],
)
def test_what_left_the_answers_leaves_them_again_and_what_came_back_stays(reason: str, left: set[str]) -> None:
    take_in(bundle(patient(), observation(), note("She takes apixaban.")))

    done = repeat(receipt("DocumentReference/note-1", reason), by=by())

    assert done.finished_at is not None
    assert in_effect() == left


def test_a_withdrawn_consent_takes_the_record_out_again() -> None:
    take_in(bundle(patient(), observation(), note("She takes apixaban.")))

    repeat(receipt("Consent/c1", "consent-withdrawn"), by=by())

    assert in_effect() == {"Patient/amina"}
    assert not PassageRow.objects.exists()
    assert not FactRow.objects.exclude(version__resource_type="Patient").exists()
