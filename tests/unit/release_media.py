"""Small media, signed with fresh keys by the builder's own code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tuf.api.metadata import Metadata, Root

from appliance.release.build.keys import ROOT_KEYS, KeyFolder
from appliance.release.build.medium import sign
from appliance.release.build.repository import Repository
from appliance.release.files import MediumError
from appliance.release.verifier import Medium, verify

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = "0.3.0"
# One file of each kind that a real medium carries.
FILES = {
    "install": b"#!/bin/sh\n",
    "bootstrap/release.pyz": b"program",
    "bootstrap/continue": b"#!/bin/sh\n",
    "app/manage.py": b"print('app')\n",
    "app/ansible/site.yml": b"---\n",
    "wheels/web/django-5.2-py3-none-any.whl": b"wheel",
    "wheels/web.txt": b"django==5.2\n",
    "debs/nginx-light_1.22.1-9+deb12u3_amd64.deb": b"deb",
    "debs/Packages": b"Package: nginx-light\n",
    "models/language/model.safetensors": (2).to_bytes(8, "little") + b"{}",
    "models/language/config.json": b"{}",
    "qdrant/qdrant": b"binary",
    "sbom.cdx.json": b"{}",
    "release.json": b"{}",
}


def now() -> datetime:
    """Real time: python-tuf compares expiry with the machine's clock."""
    return datetime.now(UTC)


@dataclass
class Builder:
    """A builder with keys and a repository below one folder."""

    folder: Path

    def __post_init__(self) -> None:
        self.keys = KeyFolder(self.folder / "keys")
        self.keys.make()
        self.repository = Repository(self.folder / "repository", now())
        self.fingerprint = self.repository.begin(self.keys)

    def release(self, name: str, version: str = VERSION, files: dict[str, bytes] = FILES, **when: int) -> Path:
        """Return a new medium with one release; `days` until it expires, `ago` days since it was signed."""
        out = self.folder / name
        for one, content in files.items():
            put(out / "targets" / "release" / version / one, content)
        if "install" in files:
            shutil.copyfile(out / "targets" / "release" / version / "install", out / "install")
        return self.signed(out, **when)

    def signed(self, out: Path, *, days: int = 30, ago: int = 0) -> Path:
        """Sign what lies on a medium."""
        repository = Repository(self.repository.folder, now() - timedelta(days=ago))
        sign(out, repository, self.keys, days=days)
        return out

    def resigned(self, out: Path, name: str, change: Callable[[Any], object], signer: str | None = None) -> None:
        """Change one metadata file of a medium and sign it again with its own key, as an insider could."""
        path = out / "metadata" / f"{name}.json"
        metadata = Metadata.from_file(str(path))
        change(metadata.signed)
        metadata.signatures.clear()
        for one in ROOT_KEYS if name.endswith("root") else [signer or name]:
            metadata.sign(self.keys.signer(one), append=True)
        metadata.to_file(str(path))

    def roots_signers(self, out: Path, names: list[str]) -> None:
        """Leave only these keys' signatures under the medium's first root."""
        path = out / "metadata" / "1.root.json"
        metadata = Metadata[Root].from_file(str(path))
        metadata.signatures.clear()
        for name in names:
            metadata.sign(self.keys.signer(name), append=True)
        metadata.to_file(str(path))


@dataclass
class Machine:
    """A machine that installs: its trust folder, and where releases go."""

    folder: Path

    def verify(self, medium: Path, typed: str | None, at: datetime | None = None) -> Medium:
        """Verify a medium as this machine."""
        return verify(medium, trust=self.folder / "trust", typed=typed, now=at or now())


def put(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def flip_a_byte(path: Path) -> None:
    """Change the middle byte of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def refused(machine: Machine, medium: Path, typed: str | None, at: datetime | None = None) -> str:
    """Return why the medium was refused; it must be refused before or while its files are hashed."""
    with pytest.raises(MediumError) as caught:
        machine.verify(medium, typed, at).hash_all()
    return caught.value.code
