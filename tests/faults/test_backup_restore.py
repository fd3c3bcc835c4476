"""A box that is lost comes back from its backup whole, forgets no deletion, and opens no door before that."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from appliance.backup import journal, manifest
from appliance.backup.install import check
from appliance.backup.keys import new_identity, read_identity
from appliance.backup.manifest import BackupRefusedError
from appliance.config import Config, config
from tests.faults.backed_up import Box, clinic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (config().embedder_path / "model.onnx").exists(), reason="the embedder is not prepared"),
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with clinic(tmp_path_factory.mktemp("clinic")) as made:
        yield made


@pytest.fixture(scope="module")
def identity(box: Box, backup: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = tmp_path_factory.mktemp("safe") / "identity"
    shutil.copy(box.var / "secrets" / "backup_identity", kept)
    return kept


@pytest.fixture(scope="module")
def backup(box: Box) -> dict[str, Any]:
    return box.backup()


def lose(box: Box) -> None:
    """Take away everything but the vector service's folder, which a restore replaces itself."""
    for path in box.var.iterdir():
        if path.name not in {"log", "vectors", "this-record-may-be-emptied"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_a_lost_box_comes_back_the_same_and_later_deletions_are_repeated(
    box: Box, backup: dict[str, Any], identity: Path, tmp_path: Path
) -> None:
    box.run("erase", "--patient", "amina", "--reason", "request", "--as", "privacy")
    gone = {"request": {"method": "DELETE", "url": "Observation/bruno-3"}}
    deletion = tmp_path / "deletion.json"
    deletion.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [gone]}))
    box.run("ingest", str(deletion), "--wait")
    before = box.counted()
    assert "2 deletions written" in box.run("backup", "--journal").stdout
    lose(box)

    told = box.restore(backup, identity, "--replace")

    assert told["deletions_repeated"] == 2
    assert len(told["compared"]) >= 15
    assert all(one["backed_up"] == one["restored"] for one in told["compared"])
    assert box.counted() == before == {"patients": 2, "current": 11}
    receipts = box.run("erase", "--receipts", "--json").stdout
    assert {"request", "deleted"} <= {one["reason"] for one in json.loads(receipts)}
    assert "The chain holds" in box.run("audit", "verify").stdout


def test_a_box_that_holds_patients_is_not_restored_over_unasked(
    box: Box, backup: dict[str, Any], identity: Path
) -> None:
    before = box.counted()
    assert box.restore(backup, identity, check=False) == {}
    assert box.counted() == before


def test_killed_backups_leave_nothing_that_counts_as_one(box: Box) -> None:
    before = [one.name for one in manifest.folders(box.medium)]
    for seconds in (1.0, 1.5):
        box.killed_after(seconds, "backup")
    for folder in manifest.folders(box.medium):
        content = (folder / manifest.MANIFEST).read_bytes()
        assert json.loads(content)["sealed_sha256"] == manifest.digest_of(folder / manifest.SEALED)[0]
    made = box.backup()
    assert made["folder"].rpartition("/")[2] not in before
    assert not list(box.medium.glob(".partial-*"))


def test_a_killed_restore_keeps_the_doors_shut_and_is_done_again(
    box: Box, backup: dict[str, Any], identity: Path
) -> None:
    arguments = ("restore", backup["folder"], "--signer", backup["signer"], "--identity", str(identity), "--replace")
    shut = 0
    for seconds in (2.5, 4.0):
        box.killed_after(seconds, *arguments)
        if (box.var / "restoring").exists():
            shut += 1
            refused = box.run("mllp", "--feeds", check=False)
            assert refused.returncode != 0
            assert "has begun and not ended" in refused.stderr
    told = box.restore(backup, identity, "--replace")
    assert all(one["backed_up"] == one["restored"] for one in told["compared"])
    assert not (box.var / "restoring").exists()
    assert shut > 0


@pytest.mark.parametrize(
    ("part", "reason"), [("manifest.json", "not-signed"), ("sealed.age", "damaged"), ("object", "damaged")]
)
@pytest.mark.django_db
def test_one_changed_byte_stops_a_restore_before_anything_is_touched(
    box: Box, backup: dict[str, Any], identity: Path, tmp_path: Path, part: str, reason: str
) -> None:
    made = backup
    copied = tmp_path / "medium"
    shutil.copytree(box.medium, copied)
    folder = copied / made["folder"].rpartition("/")[2]
    path = next((copied / "objects").glob("??/*")) if part == "object" else folder / part
    if part == "object" and not made["objects"]:
        pytest.fail("the clinic has no original outside the database")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    settings = Config(var=tmp_path / "var")

    with pytest.raises(BackupRefusedError) as refused:
        check(settings, folder, signer=made["signer"], identity=read_identity(identity), say=lambda _line: None)

    assert refused.value.reason == reason
    assert not (settings.var / "restore-staging").exists()


@pytest.mark.django_db
def test_another_signer_and_another_key_are_refused(
    box: Box, backup: dict[str, Any], identity: Path, tmp_path: Path
) -> None:
    folder = next(one for one in manifest.folders(box.medium) if str(one) == backup["folder"])
    settings = Config(var=tmp_path / "var")
    with pytest.raises(BackupRefusedError, match="other-signer"):
        check(settings, folder, signer="0" * 32, identity=read_identity(identity), say=lambda _line: None)
    new_identity(tmp_path / "other")
    with pytest.raises(BackupRefusedError, match="other-identity"):
        check(
            settings,
            folder,
            signer=backup["signer"],
            identity=read_identity(tmp_path / "other"),
            say=lambda _line: None,
        )


def test_a_journal_that_was_tampered_with_is_not_passed_over(
    box: Box, backup: dict[str, Any], identity: Path, tmp_path: Path
) -> None:
    copied = tmp_path / "medium"
    shutil.copytree(box.medium / "receipts", copied / "receipts")
    held = read_identity(identity)
    assert len(journal.read_new(copied, known=set(), identity=held, signer=backup["signer"])) >= 2
    for path in (copied / "receipts").glob("*.sig"):
        path.unlink()
    with pytest.raises(BackupRefusedError, match="not-signed"):
        journal.read_new(copied, known=set(), identity=held, signer=backup["signer"])
