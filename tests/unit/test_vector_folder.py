"""The vector service's data folder: what a failure leaves behind never stands in the way of the next attempt."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

import pytest

from appliance.vector_service import collection, compaction, folder
from appliance.vector_service.spec import Create, Dense, Metadata, SparseParams

if TYPE_CHECKING:
    from pathlib import Path

CREATE = Create(
    vectors={"dense": Dense(size=8, distance="Cosine")},
    sparse_vectors={"sparse": SparseParams(modifier="idf")},
    metadata=Metadata(tenant="patient_id"),
)


@pytest.fixture(autouse=True)
def compactions_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing a folder ends the compactions of its process for good: not those of the tests after this."""
    monkeypatch.setattr(compaction, "_stopping", threading.Event())


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fails", ["write_spec", "engine_config"])
def test_a_collection_that_a_full_disk_stopped_can_be_created_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    opened = folder.Folder(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(collection, fails, full_disk)
        with pytest.raises(OSError, match="No space left"):
            opened.create("passages-1", CREATE)
        assert "passages-1" not in opened
    opened.create("passages-1", CREATE)
    assert opened.names == ["passages-1"]
    opened.close()


def test_a_collection_is_deleted_where_an_earlier_deletion_left_files(tmp_path: Path) -> None:
    opened = folder.Folder(tmp_path)
    opened.create("passages-1", CREATE)
    remains = tmp_path / "collections" / "passages-1.deleted"
    remains.mkdir()
    (remains / "left").write_bytes(b"x")
    assert opened.delete("passages-1")
    assert not list((tmp_path / "collections").iterdir())
    opened.close()
