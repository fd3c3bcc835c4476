"""Files a hospital engineer hands in by mistake: each is counted, named and survived."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from typing import TYPE_CHECKING

import pytest

from clinical.models import GuidelineEdition, ResourceVersion
from clinical.ports import Backends, backends
from ingestion.domain.items import ParseContext
from ingestion.files import Report, take_in_files
from ingestion.models import Original, QuarantinedItem, UnassignedItem
from ingestion.originals import FileChangedError, keep, open_original
from ingestion.selectors import held_back
from tests.backends import fake_backends
from tests.factories import LIMITS, NOON, bundle, noon, note, observation, patient, take_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

GUIDELINE = """---
kind: guideline
title: {title}
edition: "{edition}"
source: Ward
approver: Dr Example
expires: 2030-01-01
---
# Potassium

Replace potassium when it is below 3.0 mmol/L.
"""


def report(*paths: Path) -> Report:
    found = take_in_files(paths, context=ParseContext(), limits=LIMITS, clock=noon, progress=lambda *_: None)
    others = found.stored + found.unchanged + found.superseded + found.unassigned + len(found.quarantined)
    assert found.received == others
    return found


def test_what_cannot_be_read_is_counted_and_the_rest_goes_in(tmp_path: Path) -> None:
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "good.json").write_text('{"resourceType": "Patient", "id": "p1"}')

    found = report(tmp_path)

    assert (found.received, found.stored, found.unreadable) == (3, 1, 2)
    assert {(one["source"], one["reason"], one["detail"]) for one in found.quarantined} == {
        ("gone.json", "unreadable-file", "not-found"),
        ("pipe", "unreadable-file", "not-a-file"),
    }
    assert all(one["position"] for one in found.quarantined)


def test_a_file_that_goes_away_meanwhile_is_counted(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    for path in (first, second):
        path.write_text(json.dumps({"resourceType": "Patient", "id": path.stem}))

    found = take_in_files(
        [first, second],
        context=ParseContext(),
        limits=LIMITS,
        clock=noon,
        progress=lambda *_: second.unlink(),
    )

    assert (found.stored, found.unreadable) == (1, 1)


def test_linked_folders_are_walked_once_and_names_need_not_be_text(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "more").symlink_to(elsewhere)
    (elsewhere / "p1.json").write_text('{"resourceType": "Patient", "id": "p1"}')
    with open(os.fsencode(folder) + b"/\xff\xfe.json", "wb") as file:  # noqa: PTH123 - no Path has such a name
        file.write(b"{")

    found = report(folder)

    assert (found.received, found.stored) == (2, 1)
    assert "?" in found.quarantined[0]["source"]


class _Raced(io.BytesIO):
    """While these bytes are being kept, another process keeps the same ones."""

    others_turn = True

    def seek(self, offset: int, whence: int = 0) -> int:
        if self.others_turn:
            self.others_turn = False
            keep(io.BytesIO(self.getvalue()), now=NOON)
        return super().seek(offset, whence)


def test_two_processes_that_keep_the_same_bytes_leave_one_object_that_opens() -> None:
    row = keep(_Raced(b"a Bundle"), now=NOON)

    assert open_original(row).read() == b"a Bundle"
    assert Original.objects.count() == 1
    held: dict[str, bytes] = backends().originals.held  # type: ignore[attr-defined]  # the fake's own
    assert len(held) == 1


class _Growing(io.BytesIO):
    """A file that is still being copied: each time it is read from the start it is longer."""

    def seek(self, offset: int, whence: int = 0) -> int:
        super().seek(0, io.SEEK_END)
        self.write(b" and more")
        return super().seek(offset, whence)


def test_a_file_still_being_written_is_not_kept_under_a_wrong_digest() -> None:
    with pytest.raises(FileChangedError):
        keep(_Growing(b"half a Bundle"), now=NOON)

    assert not Original.objects.exists()


def test_the_same_words_as_another_edition_or_title_are_kept_beside_each_other(tmp_path: Path) -> None:
    for number, (title, edition) in enumerate([("Potassium", "1"), ("Potassium", "2"), ("Electrolytes", "1")]):
        (tmp_path / f"{number}.md").write_text(GUIDELINE.format(title=title, edition=edition))

    assert report(tmp_path).stored == 3
    assert report(tmp_path).unchanged == 3
    assert GuidelineEdition.objects.filter(is_current=True).count() == 3


def test_provenance_longer_than_its_column_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "long.md").write_text(GUIDELINE.format(title="T" * 300, edition="1"))

    [refused] = report(tmp_path).quarantined
    assert (refused["reason"], refused["detail"]) == ("guideline-provenance-invalid", "title")


class _KeyThatFailsOn:
    """Implements MasterKey; one identifier cannot be digested, as a value no column takes cannot be stored."""

    def __init__(self, inner: Backends, value: str) -> None:
        self._inner, self._value = inner.master_key, value
        self.wrap, self.unwrap = self._inner.wrap, self._inner.unwrap

    def digest(self, text: str, *, purpose: str) -> str:
        if text == self._value:
            raise ValueError("too strange")
        return self._inner.digest(text, purpose=purpose)


def _box_with_a_poison() -> Backends:
    box = fake_backends()
    return dataclasses.replace(box, master_key=_KeyThatFailsOn(box, "poison"))


def test_one_item_that_cannot_be_stored_holds_up_neither_its_batch_nor_its_file(
    settings: pytest.FixtureRequest,
) -> None:
    settings.CLINICAL_BACKENDS = f"{__name__}._box_with_a_poison"  # type: ignore[attr-defined]
    backends.cache_clear()
    strange = patient(identifier=[{"system": "urn:mrn", "value": "poison"}])
    good = [observation(f"o{number}", subject="bruno") for number in range(20)]

    job = take_in(bundle(*good[:10], strange, *good[10:]), index=False)

    assert (job.state, job.received, job.stored, job.quarantined) == ("done", 21, 20, 1)
    [held] = QuarantinedItem.objects.all()
    assert (held.position, held.reason, held.detail) == ("entry[10]", "cannot-be-stored", "ValueError")


def test_an_original_that_was_damaged_ends_the_job_with_a_reason() -> None:
    content = bundle(patient(), observation())
    take_in(content, index=False)
    held: dict[str, bytes] = backends().originals.held  # type: ignore[attr-defined]  # the fake's own
    held.update({name: sealed[:4] for name, sealed in held.items()})

    again = take_in(content, index=False)

    assert (again.state, again.received, again.quarantined) == ("done", 1, 1)
    assert QuarantinedItem.objects.get().reason == "original-damaged"


def test_the_same_file_sent_twice_is_held_back_once() -> None:
    content = bundle(patient(), {"resourceType": "Observation", "id": "bad"}, note("Cough.", subject=""))
    for _ in range(3):
        take_in(content, index=False)

    assert QuarantinedItem.objects.count() == 3 * held_back()[1] > 0


def test_what_was_unassigned_and_is_sent_again_with_its_patient_is_no_longer_counted() -> None:
    take_in(patient(), index=False)
    take_in(b"Seen today. Dry cough.", index=False)
    assert held_back() == (1, 0)

    take_in(b"Seen today. Dry cough.", patient="amina", index=False)

    assert held_back() == (0, 0)
    assert UnassignedItem.objects.get().resolved_at == NOON
    assert ResourceVersion.objects.filter(resource_type="DocumentReference").count() == 1
