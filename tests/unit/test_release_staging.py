"""A release is copied whole and verified, or not at all; afterwards every change to the copy is found."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.release.files import MediumError
from appliance.release.staging import check, check_application, stage, staged
from tests.unit.release_media import FILES, VERSION, Builder, Machine, flip_a_byte, put


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "builder")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


def _quiet(_line: str) -> None:
    """Progress is not looked at here."""


def test_a_release_is_copied_with_its_modes_and_its_application_unpacked(
    builder: Builder, machine: Machine, tmp_path: Path
) -> None:
    out = builder.release("one")
    (out / "targets" / "release" / VERSION / "app/manage.py").chmod(0o755)
    done = stage(machine.verify(builder.signed(out), builder.fingerprint), tmp_path / "opt", _quiet)
    assert not done.unchanged
    assert {name: (done.folder / name).read_bytes() for name in FILES} == FILES
    assert (done.folder / "app/manage.py").stat().st_mode & 0o7777 == 0o755
    assert (done.folder / "release.json").stat().st_mode & 0o7777 == 0o644
    assert (tmp_path / "opt/releases" / VERSION / "manage.py").read_bytes() == FILES["app/manage.py"]
    assert (tmp_path / "opt/bin/release").stat().st_mode & 0o777 == 0o755
    assert staged(tmp_path / "opt") == [VERSION]
    assert check(done.folder) == len(FILES)


def test_the_same_medium_again_changes_nothing(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    medium = builder.release("one")
    first = stage(machine.verify(medium, builder.fingerprint), tmp_path / "opt", _quiet)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "opt").rglob("*")}
    again = stage(machine.verify(medium, None), tmp_path / "opt", _quiet)
    assert (again.folder, again.unchanged) == (first.folder, True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "opt").rglob("*")} == before


def test_a_changed_file_leaves_no_release_behind(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    medium = builder.release("one")
    verified = machine.verify(medium, builder.fingerprint)
    flip_a_byte(medium / "targets" / "release" / VERSION / "sbom.cdx.json")
    with pytest.raises(MediumError) as caught:
        stage(verified, tmp_path / "opt", _quiet)
    assert caught.value.code == "changed_file"
    assert staged(tmp_path / "opt") == []
    assert not (tmp_path / "opt/releases").exists()


def test_what_an_interrupted_copy_left_is_replaced(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    put(tmp_path / "opt/bundles" / f".{VERSION}.partial" / "app/left.py", b"half")
    done = stage(machine.verify(builder.release("one"), builder.fingerprint), tmp_path / "opt", _quiet)
    assert not (done.folder / "app/left.py").exists()
    assert staged(tmp_path / "opt") == [VERSION]


def test_a_pickle_among_the_models_is_refused_although_it_was_signed(
    builder: Builder, machine: Machine, tmp_path: Path
) -> None:
    files = FILES | {"models/language/tokenizer.json": pickle.dumps({"a": 1})}
    medium = machine.verify(builder.release("one", files=files), builder.fingerprint)
    with pytest.raises(MediumError) as caught:
        stage(medium, tmp_path / "opt", _quiet)
    assert caught.value.code == "forbidden_file"
    assert staged(tmp_path / "opt") == []


def test_a_version_that_is_here_already_with_other_content_is_refused(
    builder: Builder, machine: Machine, tmp_path: Path
) -> None:
    stage(machine.verify(builder.release("one"), builder.fingerprint), tmp_path / "opt", _quiet)
    other = builder.release("two", files=FILES | {"app/manage.py": b"print('other')\n"})
    with pytest.raises(MediumError) as caught:
        stage(machine.verify(other, None), tmp_path / "opt", _quiet)
    assert caught.value.code == "rollback"
    assert (tmp_path / "opt/bundles" / VERSION / "app/manage.py").read_bytes() == FILES["app/manage.py"]


def test_too_little_space_is_said_before_anything_is_copied(
    builder: Builder, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = machine.verify(builder.release("one"), builder.fingerprint)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1 << 20))
    with pytest.raises(MediumError) as caught:
        stage(medium, tmp_path / "opt", _quiet)
    assert caught.value.code == "no_space"
    assert list((tmp_path / "opt").iterdir()) == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_bit_that_changes_on_the_machines_disk_is_found(
    builder: Builder, machine: Machine, tmp_path: Path, name: str
) -> None:
    done = stage(machine.verify(builder.release("one"), builder.fingerprint), tmp_path / "opt", _quiet)
    flip_a_byte(done.folder / name)
    with pytest.raises(MediumError) as caught:
        check(done.folder)
    assert caught.value.code == "changed_file"


def test_a_file_added_or_removed_later_is_found(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    done = stage(machine.verify(builder.release("one"), builder.fingerprint), tmp_path / "opt", _quiet)
    put(done.folder / "app/own.py", b"")
    with pytest.raises(MediumError) as caught:
        check(done.folder)
    assert caught.value.code == "extra_file"
    (done.folder / "app/own.py").unlink()
    (done.folder / "debs/Packages").unlink()
    with pytest.raises(MediumError) as caught:
        check(done.folder)
    assert caught.value.code == "missing_file"


def test_a_change_in_the_application_that_serves_is_found(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    root = tmp_path / "opt"
    stage(machine.verify(builder.release("one"), builder.fingerprint), root, _quiet)
    assert check_application(root, VERSION) == 2
    put(root / "releases" / VERSION / ".venv/lib/other.py", b"")  # the environment is not the release's
    put(root / "releases" / VERSION / "ansible/plugin.py", b"")
    with pytest.raises(MediumError) as caught:
        check_application(root, VERSION)
    assert caught.value.code == "extra_file"
    (root / "releases" / VERSION / "ansible/plugin.py").unlink()
    flip_a_byte(root / "releases" / VERSION / "manage.py")
    with pytest.raises(MediumError) as caught:
        check_application(root, VERSION)
    assert caught.value.code == "changed_file"


def test_a_medium_without_a_release_cannot_be_staged(builder: Builder, machine: Machine, tmp_path: Path) -> None:
    out = tmp_path / "builder" / "model-only"
    put(out / "targets/model/small/config.json", b"{}")
    medium = machine.verify(builder.signed(out), builder.fingerprint)
    with pytest.raises(MediumError) as caught:
        stage(medium, tmp_path / "opt", _quiet)
    assert caught.value.code == "not_a_medium"
