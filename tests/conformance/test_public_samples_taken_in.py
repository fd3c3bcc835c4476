"""Every Bundle and resource of the public samples goes into the record; a second run changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import ROOT
from clinical.models import ResourceVersion
from ingestion.domain.items import ParseContext
from ingestion.files import Report, take_in_files
from tests.factories import noon

SAMPLES = ROOT.parent / "shared" / "data" / "fhir"
pytestmark = [
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public sample data is not beside this checkout"),
    pytest.mark.django_db(databases=["default", "audit"]),
]


def take_in(folder: Path) -> Report:
    return take_in_files(
        [folder],
        context=ParseContext(),
        limits=(16 << 20, 512 << 20),
        clock=noon,
        progress=lambda *_: None,
    )


@pytest.mark.parametrize("name", ["synthea", "us_core"])
def test_none_is_lost_and_the_second_run_says_unchanged(name: str) -> None:
    first = take_in(SAMPLES / name)
    held = ResourceVersion.objects.count()
    second = take_in(SAMPLES / name)

    assert first.received > 0
    assert (first.quarantined, first.unassigned, first.superseded) == ([], 0, 0)
    assert first.received == first.stored + first.unchanged
    assert (second.received, second.unchanged) == (first.received, first.received)
    assert ResourceVersion.objects.count() == held


def test_references_between_resources_of_a_bundle_are_resolved() -> None:
    from clinical.record.selectors import content_of

    take_in(SAMPLES / "synthea")

    for version in ResourceVersion.objects.filter(resource_type="Observation")[:50]:
        assert b"urn:uuid:" not in content_of(version)
