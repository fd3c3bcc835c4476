"""The verifier takes a genuine medium, and refuses one by another signer, of another time, or changed anywhere."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from tuf.api.metadata import Metadata, Root
from tuf.ngclient._internal import trusted_metadata_set

from appliance.release.build.keys import KeyFolder
from tests.unit.release_media import FILES, VERSION, Builder, Machine, flip_a_byte, now, refused

HERE = f"targets/release/{VERSION}"


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "builder")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


class _Clock:
    """Stands in for `datetime` in python-tuf, which asks the machine's clock itself."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self, _zone: object) -> datetime:
        return self._at


def test_a_genuine_medium_is_taken(builder: Builder, machine: Machine) -> None:
    medium = machine.verify(builder.release("one"), builder.fingerprint)
    names = {target.name.removeprefix(f"release/{VERSION}/") for target in medium.groups[f"release/{VERSION}"]}
    assert names == FILES.keys()
    assert medium.hash_all() == sum(map(len, FILES.values()))


def test_case_blanks_and_dashes_of_the_typed_fingerprint_do_not_count(builder: Builder, machine: Machine) -> None:
    typed = builder.fingerprint.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert machine.verify(builder.release("one"), typed).fingerprint == builder.fingerprint


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_changed_bit_in_any_file_is_refused(builder: Builder, machine: Machine, name: str) -> None:
    medium = builder.release("one")
    flip_a_byte(medium / HERE / name)
    assert refused(machine, medium, builder.fingerprint) == "changed_file"


@pytest.mark.parametrize("name", sorted(FILES))
def test_more_bytes_at_the_end_of_any_file_are_refused(builder: Builder, machine: Machine, name: str) -> None:
    medium = builder.release("one")
    with (medium / HERE / name).open("ab") as file:
        file.write(b"\n")
    assert refused(machine, medium, builder.fingerprint) == "changed_file"


def test_another_script_to_run_first_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    flip_a_byte(medium / "install")
    assert refused(machine, medium, builder.fingerprint) == "changed_file"


@pytest.mark.parametrize("role", ["1.root", "timestamp", "snapshot", "targets"])
def test_one_changed_digit_in_the_metadata_is_refused(builder: Builder, machine: Machine, role: str) -> None:
    medium = builder.release("one")
    path = medium / "metadata" / f"{role}.json"
    path.write_text(
        path.read_text().replace('"version": 1', '"version": 2', 1).replace('"version":1', '"version":2', 1)
    )
    assert refused(machine, medium, builder.fingerprint) in {"signatures", "changed_file", "metadata", "rollback"}


@pytest.mark.parametrize("role", ["1.root", "timestamp", "snapshot", "targets"])
def test_metadata_that_is_cut_short_is_refused(builder: Builder, machine: Machine, role: str) -> None:
    medium = builder.release("one")
    path = medium / "metadata" / f"{role}.json"
    path.write_bytes(path.read_bytes()[:-20])
    assert refused(machine, medium, builder.fingerprint) in {"metadata", "changed_file"}


def test_metadata_without_end_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    with (medium / "metadata" / "timestamp.json").open("ab") as file:
        file.write(b" " * (20 << 20))
    assert refused(machine, medium, builder.fingerprint) == "metadata"


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_missing_metadata_is_refused(builder: Builder, machine: Machine, role: str) -> None:
    medium = builder.release("one")
    (medium / "metadata" / f"{role}.json").unlink()
    assert refused(machine, medium, builder.fingerprint) in {"missing_file", "not_a_medium"}


def test_a_folder_that_is_no_medium_is_refused(machine: Machine, tmp_path: Path, builder: Builder) -> None:
    assert refused(machine, tmp_path, builder.fingerprint) == "not_a_medium"


# --- who signed --------------------------------------------------------------------------------------------------


def test_without_a_typed_fingerprint_nobody_is_trusted(builder: Builder, machine: Machine) -> None:
    assert refused(machine, builder.release("one"), None) == "fingerprint"


def test_a_medium_of_another_signer_is_refused(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    other = Builder(tmp_path / "other").release("one")
    assert refused(machine, other, builder.fingerprint) == "fingerprint"


def test_the_remembered_signer_needs_no_typing_and_cannot_be_replaced_by_typing(
    builder: Builder, machine: Machine, tmp_path: Path
) -> None:
    machine.verify(builder.release("one"), builder.fingerprint)
    assert machine.verify(builder.release("two", "0.3.1"), None).fingerprint == builder.fingerprint
    other = Builder(tmp_path / "other")
    assert refused(machine, other.release("one"), other.fingerprint) == "fingerprint"
    assert refused(machine, tmp_path / "other" / "one", None) == "signatures"


def test_a_root_below_its_threshold_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    builder.roots_signers(medium, ["root-1"])
    assert refused(machine, medium, builder.fingerprint) == "signatures"


def test_two_of_three_root_signatures_are_enough(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    builder.roots_signers(medium, ["root-1", "root-3"])
    assert machine.verify(medium, builder.fingerprint).hash_all() > 0


def test_one_key_under_several_ids_is_not_several_signers(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")

    def doubled(root: Root) -> None:
        first = root.roles["root"].keyids[0]
        copy = root.keys[first].to_dict()
        root.keys["0" * 64] = type(root.keys[first]).from_dict("0" * 64, copy)
        root.roles["root"].keyids.append("0" * 64)

    builder.resigned(medium, "1.root", doubled)
    assert refused(machine, medium, builder.fingerprint) == "metadata"


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_signed_with_another_roles_key_is_refused(builder: Builder, machine: Machine, role: str) -> None:
    medium = builder.release("one")
    builder.resigned(medium, role, lambda _: None, signer="root-1")
    assert refused(machine, medium, builder.fingerprint) in {"signatures", "changed_file"}


def test_new_keys_are_taken_when_the_old_root_signed_them(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    machine.verify(builder.release("one"), builder.fingerprint)
    new = KeyFolder(tmp_path / "new")
    new.make()
    builder.repository.rotate(builder.keys, new)
    builder.keys = new
    medium = builder.release("two", "0.3.1")
    assert machine.verify(medium, None).hash_all() > 0
    assert Machine(tmp_path / "fresh").verify(medium, builder.fingerprint).hash_all() > 0


def test_new_keys_that_only_sign_for_themselves_are_refused(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    machine.verify(builder.release("one"), builder.fingerprint)
    thief = Builder(tmp_path / "thief")
    medium = thief.release("two", "0.3.1")
    root = Metadata.from_file(str(medium / "metadata" / "1.root.json"))
    root.signed.version = 2
    root.signatures.clear()
    for name in ("root-1", "root-2", "root-3"):
        root.sign(thief.keys.signer(name), append=True)
    root.to_file(str(medium / "metadata" / "2.root.json"))
    assert refused(machine, medium, None) == "signatures"


# --- when it was signed ------------------------------------------------------------------------------------------


def test_an_expired_medium_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one", days=5, ago=10)
    assert refused(machine, medium, builder.fingerprint) == "expired"


def test_a_medium_that_was_good_once_is_refused_after_it_expired(
    builder: Builder, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = builder.release("one")
    machine.verify(medium, builder.fingerprint)
    later = now() + timedelta(days=31)
    monkeypatch.setattr(trusted_metadata_set, "datetime", SimpleNamespace(datetime=_Clock(later), timezone=timezone))
    assert refused(machine, medium, None, later) == "expired"


def test_an_older_medium_is_refused_after_a_newer_one(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    builder.release("one")
    machine.verify(builder.release("two", "0.3.1"), builder.fingerprint)
    assert refused(machine, tmp_path / "builder" / "one", None) == "rollback"


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_old_parts_under_a_new_timestamp_are_refused(builder: Builder, machine: Machine, role: str) -> None:
    old = builder.release("one")
    new = builder.release("two", "0.3.1")
    shutil.copyfile(old / "metadata" / f"{role}.json", new / "metadata" / f"{role}.json")
    assert refused(machine, new, builder.fingerprint) in {"changed_file", "rollback", "metadata"}


def test_files_of_one_medium_under_the_metadata_of_another_are_refused(builder: Builder, machine: Machine) -> None:
    old = builder.release("one")
    changed = FILES | {"app/manage.py": b"print('new')\n"}
    new = builder.release("two", files=changed)
    shutil.rmtree(new / "targets")
    shutil.copytree(old / "targets", new / "targets")
    assert refused(machine, new, builder.fingerprint) == "changed_file"


def test_a_clock_before_the_time_of_signing_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    assert refused(machine, medium, builder.fingerprint, now() - timedelta(days=2)) == "clock"
    machine.verify(medium, builder.fingerprint)
    assert refused(machine, medium, None, now() - timedelta(days=365)) == "clock"
