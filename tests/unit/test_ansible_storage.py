"""The encrypted volume lies over a folder that already holds what the verifier wrote."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

STORAGE = Path(__file__).resolve().parents[2] / "ansible/roles/storage"
CARRY_OVER = STORAGE / "files/carry_over.sh"


@pytest.fixture
def device(tmp_path: Path) -> Path:
    image = tmp_path / "volume.img"
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    if os.geteuid() != 0 or subprocess.run(["mkfs.ext4", "-q", "-F", image], check=False).returncode:
        pytest.skip("a file system can be made and mounted by root alone")
    place = tmp_path / "tried"
    place.mkdir()
    if subprocess.run(["mount", image, place], check=False, capture_output=True).returncode:
        pytest.skip("this machine mounts no image")
    subprocess.run(["umount", place], check=True)
    return image


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name / "root.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return folder


def held(device: Path, tmp_path: Path) -> dict[str, str]:
    place = tmp_path / "held"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", device, place], check=True)
    try:
        return {path.parent.name: path.read_text() for path in place.glob("*/root.json")}
    finally:
        subprocess.run(["umount", place], check=True)


def test_the_volume_shows_what_the_verifier_wrote_before_there_was_one(device: Path, tmp_path: Path) -> None:
    before = written(tmp_path / "before", trust="signer A", release="journal 1")
    subprocess.run(["sh", CARRY_OVER, device, before], check=True)
    assert held(device, tmp_path) == {"trust": "signer A", "release": "journal 1"}


def test_a_volume_used_before_keeps_its_trust_and_takes_the_new_journal(device: Path, tmp_path: Path) -> None:
    for folder, trust, journal in (("first", "signer A", "journal 1"), ("again", "signer B", "journal 2")):
        subprocess.run(["sh", CARRY_OVER, device, written(tmp_path / folder, trust=trust, release=journal)], check=True)
    assert held(device, tmp_path) == {"trust": "signer A", "release": "journal 2"}


def test_it_is_carried_over_after_the_file_system_is_made_and_before_the_mount() -> None:
    tasks = (STORAGE / "tasks/volume.yml").read_text()
    order = [
        tasks.index(part) for part in ("mkfs.ext4", "mountpoint --quiet", "carry_over.sh", "var-lib-appliance.mount")
    ]
    assert order == sorted(order)
