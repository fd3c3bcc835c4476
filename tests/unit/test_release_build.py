"""What the builder writes: lists with one hash a wheel, an index for apt, a bill of materials, a sheet of paper."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.release.build import wheels
from appliance.release.build.application import packages
from appliance.release.build.debs import Apt, Deb, DebError, index, licences_named, zipped
from appliance.release.build.keys import KeyFileError, KeyFolder
from appliance.release.build.paper import sheet
from appliance.release.build.parts import PartError, Parts
from appliance.release.build.repository import Repository, RepositoryError
from appliance.release.build.sbom import Part, bill, of_deb, of_wheel
from tests.unit.release_media import put


def wheel_file(folder: Path, name: str, version: str, metadata: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        head = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n"
        archive.writestr(f"{name}-{version}.dist-info/METADATA", head)
        archive.writestr(f"{name}-{version}.dist-info/licenses/LICENSE", f"Licence of {name}")
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def no_pip(*_arguments: object, **_options: object) -> None:
    raise AssertionError("pip was called although everything is in the cache")


def test_pinned_wheels_in_the_cache_are_used_without_any_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = wheel_file(tmp_path / "cache", "some_tool", "1.0", "License-Expression: MIT")
    wheel_file(tmp_path / "cache", "other", "2.0")  # no longer asked for: stays behind
    lock = tmp_path / "lock.txt"
    lock.write_text(f"some-tool==1.0 \\\n    --hash=sha256:{'0' * 64} \\\n    --hash=sha256:{sha256(one)}\n")
    monkeypatch.setattr(subprocess, "run", no_pip)
    step = ("--no-deps", "--require-hashes", "-r", str(lock))
    (found,) = wheels.fetch([step], tmp_path / "cache", lambda _line: None)
    assert (found.name, found.version, found.licence, found.texts) == (
        "some_tool",
        "1.0",
        "MIT",
        ("Licence of some_tool",),
    )
    assert wheels.requirements([found]) == f"some_tool==1.0 --hash=sha256:{sha256(one)}\n"


def test_a_wheel_in_the_cache_that_is_not_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    wheel_file(tmp_path / "cache", "tool", "1.0")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"tool==1.0 --hash=sha256:{'0' * 64}\n")
    assert wheels._all_cached(wheels._pins(("-r", str(lock))), tmp_path / "cache") == []


def test_a_build_for_another_kind_of_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = wheels.read_wheel(wheel_file(tmp_path, "torch", "2.13.0"))
    monkeypatch.setattr(wheels, "fetch", lambda *_arguments: [cuda])
    monkeypatch.setattr("appliance.release.build.program.pack", lambda *_arguments: None)
    with pytest.raises(PartError):
        Parts(tmp_path / "medium", tmp_path / "cache", lambda _line: None).wheelhouses("cpu")


def test_the_bill_names_every_part_by_purl_version_digest_and_licence(tmp_path: Path) -> None:
    wheel = wheels.read_wheel(wheel_file(tmp_path, "Some_Tool", "1.0", "License-Expression: Apache-2.0"))
    deb = Deb(tmp_path, "libc6_2.36_amd64.deb", "libc6", "1:2.36+b1", "Package: libc6", "b" * 64)
    model = Part("machine-learning-model", "tiny", "abc", "a" * 64, "Apache-2.0")
    text = bill("appliance", "0.3.0", "2026-03-01T12:00:00+00:00", [of_wheel(wheel), of_deb(deb, "LGPL-2.1+"), model])
    content = json.loads(text)
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    parts = {part["name"]: part for part in content["components"]}
    assert parts["Some_Tool"]["purl"] == "pkg:pypi/some-tool@1.0"
    assert parts["Some_Tool"]["hashes"] == [{"alg": "SHA-256", "content": wheel.sha256}]
    assert parts["libc6"]["purl"] == "pkg:deb/debian/libc6@1%3A2.36%2Bb1?arch=amd64&distro=debian-12"
    assert parts["libc6"]["licenses"] == [{"license": {"name": "LGPL-2.1+"}}]
    assert "purl" not in parts["tiny"]
    references = [part["bom-ref"] for part in content["components"]]
    assert len(set(references)) == len(references)


def test_the_index_gives_apt_place_size_and_digest(tmp_path: Path) -> None:
    put(tmp_path / "a.deb", b"four")
    deb = Deb(tmp_path / "a.deb", "a_1_amd64.deb", "a", "1", "Package: a\nVersion: 1", "c" * 64)
    text = index([deb, deb])
    first = text.split("\n\n", maxsplit=1)[0].splitlines()
    assert first == ["Package: a", "Version: 1", "Filename: ./a_1_amd64.deb", "Size: 4", f"SHA256: {'c' * 64}"]
    assert text.count("Package: a") == 2
    assert zipped(text) == zipped(text)


def test_a_list_of_archives_that_switches_signatures_off_is_refused(tmp_path: Path) -> None:
    for number, line in enumerate(("deb [trusted=yes] file:/x ./", "deb [ allow-insecure=yes ] file:/x ./")):
        put(tmp_path / f"{number}.list", line.encode())
        with pytest.raises(DebError):
            Apt(tmp_path / "apt", tmp_path / f"{number}.list").update()
    put(tmp_path / "own.sources", b"Types: deb\nURIs: file:/x\nTrusted: yes\n")
    with pytest.raises(DebError):
        Apt(tmp_path / "apt", tmp_path / "own.sources").update()


def test_licences_are_read_from_machine_readable_copyright_files() -> None:
    text = "Files: *\nLicense: GPL-2+\n text\n\nFiles: b\nLicense: BSD-3-clause\n\nFiles: c\nLicense: GPL-2+\n"
    assert licences_named(text) == "GPL-2+; BSD-3-clause"
    assert licences_named("Some words.") == "see copyright"


def test_the_packages_are_those_that_the_roles_name(tmp_path: Path) -> None:
    assert packages(tmp_path) == []
    put(
        tmp_path / "ansible/group_vars/all/packages.yml",
        b"appliance_packages: [nginx-light, nftables]\nappliance_packages_for_proof: [tcpdump, nftables]\nother: [x]\n"
        b"appliance_packages_for_gpu: [gcc]\n",
    )
    assert packages(tmp_path) == ["nftables", "nginx-light", "tcpdump"]
    assert packages(tmp_path, gpu=True) == ["gcc", "nftables", "nginx-light", "tcpdump"]


def test_the_sheet_carries_the_digest_twice_and_the_fingerprint_in_80_columns() -> None:
    digest, day = "0123456789abcdef" * 4, datetime(2026, 3, 1, tzinfo=UTC)
    text = sheet(version="0.3.0", install_sha256=digest, fingerprint="ABCD-" * 7 + "ABCD", signed=day, expires=day)
    assert f'echo "{digest}  /root/install" | sha256sum -c' in text
    assert digest in text.replace(" ", "").replace("\n", "").replace(f'echo"{digest}', "")
    assert "ABCD-ABCD" in text
    assert max(len(line) for line in text.splitlines() if digest not in line) <= 80


def test_keys_are_made_once_private_and_open_with_their_passphrase_only(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys", b"correct horse")
    files = keys.make()
    assert len(files) == 6
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert all(b"ENCRYPTED" in path.read_bytes() for path in files)
    assert keys.signer("targets").public_key.keytype == "ed25519"
    for wrong in (b"", b"wrong"):
        with pytest.raises(KeyFileError):
            KeyFolder(tmp_path / "keys", wrong).signer("targets")
    with pytest.raises(KeyFileError):
        keys.make()


def test_a_repository_begins_once_and_has_to_begin(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys")
    keys.make()
    repository = Repository(tmp_path / "repository", datetime.now(UTC))
    for not_yet in (repository.fingerprint, lambda: repository.refresh(keys)):
        with pytest.raises(RepositoryError):
            not_yet()
    repository.begin(keys)
    with pytest.raises(RepositoryError):
        repository.begin(keys)
