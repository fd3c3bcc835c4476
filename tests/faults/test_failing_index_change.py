"""One change that cannot be applied does not hold up the others."""

from __future__ import annotations

import pytest

from clinical.models import IndexChange, PassageRow, ResourceVersion
from clinical.record.index_changes import AT_ONCE, apply_due, retry_failed
from tests.factories import NOON, bundle, note, patient, take_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def damaged() -> PassageRow:
    """Three notes, of which the first one's stored bytes were altered before it was indexed."""
    notes = [note(f"Review {number}: no change.", logical_id=f"n{number}") for number in range(3)]
    take_in(bundle(patient(), *notes), index=False)
    version = ResourceVersion.objects.get(logical_id="n0")
    ResourceVersion.objects.filter(pk=version.pk).update(content=b"x" * 40)
    return PassageRow.objects.get(version=version)


def drain() -> None:
    while apply_due(now=NOON):
        pass


def test_the_others_are_indexed(damaged: PassageRow) -> None:
    drain()

    assert PassageRow.objects.filter(indexed_at=None).get() == damaged


def test_what_failed_stays_counted_as_unapplied(damaged: PassageRow) -> None:
    drain()

    left = IndexChange.objects.get()
    assert (left.passage_id, left.failures) == (damaged.id, AT_ONCE)


def test_it_is_tried_again_and_goes_through_once_mended(damaged: PassageRow) -> None:
    drain()
    PassageRow.objects.filter(id=damaged.id).delete()  # a corrected version took its place

    assert retry_failed() == 1
    drain()

    assert not IndexChange.objects.exists()
