"""A medium holds just the files that were signed, under names that lead nowhere else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tuf.api.metadata import DelegatedRole, Delegations, Targets

from appliance.release.files import MediumError
from appliance.release.names import UnsafeNameError, checked
from tests.unit.release_media import VERSION, Builder, Machine, flip_a_byte, put, refused

HERE = f"targets/release/{VERSION}"


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "builder")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.mark.parametrize("name", ["autorun.inf", "metadata/notes.json", f"{HERE}/app/extra.py", "targets/loose.txt"])
def test_a_file_that_was_not_signed_is_refused(builder: Builder, machine: Machine, name: str) -> None:
    medium = builder.release("one")
    put(medium / name, b"more")
    assert refused(machine, medium, builder.fingerprint) == "extra_file"


def test_a_missing_file_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    (medium / HERE / "sbom.cdx.json").unlink()
    with pytest.raises(MediumError) as caught:  # before anything is copied
        machine.verify(medium, builder.fingerprint)
    assert caught.value.code == "missing_file"


def test_a_release_signed_earlier_need_not_lie_on_a_later_medium(builder: Builder, machine: Machine) -> None:
    builder.release("one")
    medium = machine.verify(builder.release("two", "0.3.1"), builder.fingerprint)
    assert list(medium.groups) == ["release/0.3.1"]


@pytest.mark.parametrize("kind", ["link", "linked folder", "pipe"])
def test_links_pipes_and_linked_folders_are_refused(
    builder: Builder, machine: Machine, tmp_path: Path, kind: str
) -> None:
    medium = builder.release("one")
    path = medium / HERE / "thing"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else tmp_path)
    assert refused(machine, medium, builder.fingerprint) == "not_a_file"


def test_a_signed_file_replaced_by_a_link_to_the_same_content_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")
    path = medium / HERE / "app/manage.py"
    path.rename(medium / HERE / "app/elsewhere.py")
    path.symlink_to("elsewhere.py")
    assert refused(machine, medium, builder.fingerprint) == "not_a_file"


@pytest.mark.parametrize(
    "name",
    [
        "release/0.3.0/../../../etc/cron.d/own",
        "/etc/cron.d/own",
        "release/0.3.0//etc/own",
        "release/0.3.0/./own",
        "release/../own/own",
        "release/0.3.0/.hidden",
        "release/0.3.0/-rf",
        "release/0.3.0/a b",
        "release/0.3.0/a\\b",
        "release/0.3.0/a\x00b",
        "release/0.3.0/\u202egnp.exe",
        "release/0.3.0/" + "a" * 300,
        "other/0.3.0/file",
        "own",
        "",
    ],
)
def test_a_signed_name_that_could_lead_elsewhere_is_refused(builder: Builder, machine: Machine, name: str) -> None:
    medium = builder.release("one")

    def add(signed: Targets) -> None:
        signed.targets[name] = next(iter(signed.targets.values()))

    _resign_down(builder, medium, add)
    assert refused(machine, medium, builder.fingerprint) in {"unsafe_name", "metadata"}


def test_a_list_of_files_handed_on_to_others_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")

    def hand_on(signed: Targets) -> None:
        key = builder.keys.signer("targets").public_key
        role = DelegatedRole("friend", [key.keyid], 1, terminating=False, paths=["*"])
        signed.delegations = Delegations({key.keyid: key}, {"friend": role})

    _resign_down(builder, medium, hand_on)
    assert refused(machine, medium, builder.fingerprint) == "metadata"


@pytest.mark.parametrize("mode", ["4755", "777", "600"])
def test_a_signed_file_mode_other_than_plain_or_executable_is_refused(
    builder: Builder, machine: Machine, mode: str
) -> None:
    medium = builder.release("one")

    def change(signed: Targets) -> None:
        next(iter(signed.targets.values())).unrecognized_fields["custom"] = {"x-appliance-mode": mode}

    _resign_down(builder, medium, change)
    assert refused(machine, medium, builder.fingerprint) == "metadata"


def test_a_file_signed_with_a_weaker_digest_only_is_refused(builder: Builder, machine: Machine) -> None:
    medium = builder.release("one")

    def weaken(signed: Targets) -> None:
        next(iter(signed.targets.values())).hashes = {"md5": "0" * 32}

    _resign_down(builder, medium, weaken)
    assert refused(machine, medium, builder.fingerprint) == "metadata"


def test_what_is_copied_is_what_was_signed_and_nothing_else_stays(
    builder: Builder, machine: Machine, tmp_path: Path
) -> None:
    medium = machine.verify(builder.release("one"), builder.fingerprint)
    good, bad = medium.groups[f"release/{VERSION}"][:2]
    medium.copy(good, tmp_path / "good")
    assert (tmp_path / "good").read_bytes() == (medium.folder / "targets" / good.name).read_bytes()
    flip_a_byte(medium.folder / "targets" / bad.name)
    with pytest.raises(MediumError):
        medium.copy(bad, tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


def _resign_down(builder: Builder, medium: Path, change: Callable[[Targets], None]) -> None:
    """Change the list of files and sign everything again, as whoever holds the keys could."""
    builder.resigned(medium, "targets", change)
    repository = builder.repository.folder
    shutil.copyfile(medium / "metadata" / "targets.json", repository / "targets.json")
    builder.repository.refresh(builder.keys, days=30)
    builder.repository.put_metadata(medium)


@given(st.text(max_size=60))
def test_every_name_that_passes_stays_inside_its_folder(text: str) -> None:
    try:
        name = checked(f"release/0.3.0/{text}")
    except UnsafeNameError:
        return
    assert (Path("/root") / name).resolve().is_relative_to("/root/release/0.3.0/")
    assert "\x00" not in name
