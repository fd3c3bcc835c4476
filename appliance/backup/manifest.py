"""What a backup says of itself, and where its parts lie.

FOLDER/objects/ab/NAME          encrypted originals, kept once for all backups
FOLDER/receipts/ID.age, .sig    deletions, written as they happen
FOLDER/20261123T101500Z/        manifest.json, manifest.json.sig, sealed.age
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.backup.keys import SIGNATURE_SUFFIX, signed_by

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.backup.keys import Signer

MANIFEST: Final = "manifest.json"
SEALED: Final = "sealed.age"
OBJECTS: Final = "objects"
RECEIPTS: Final = "receipts"
FORMAT: Final = 1
STAMP: Final = "%Y%m%dT%H%M%SZ"
_STAMP: Final = re.compile(r"\d{8}T\d{6}Z")
_CHUNK: Final = 1 << 20


class BackupRefusedError(Exception):
    """A backup cannot be made or used. `reason` is a code, `where` the part of the backup."""

    def __init__(self, reason: str, where: str = "") -> None:
        super().__init__(f"{reason} {where}".strip())
        self.reason = reason
        self.where = where


class StoredObject(msgspec.Struct, frozen=True):
    """One encrypted original: its name in the store, size in bytes and sha256 of the bytes as stored."""

    name: str
    size: int
    sha256: str


class RecordContents(msgspec.Struct, frozen=True):
    """What the record's database holds, so that a restored box can be compared with the one that was backed up.

    The digests are sha256 over rows in order: versions by key and content digest, answers by id and stored bytes.
    """

    patients: int
    versions: int
    versions_digest: str
    answers: int
    answers_digest: str
    passages: int
    guideline_passages: int
    originals: int
    receipts: int


class TrailContents(msgspec.Struct, frozen=True):
    """How long the trail is, and the hash of its last row."""

    rows: int
    head: str


class Manifest(msgspec.Struct, frozen=True):
    """A backup: when (UTC, ISO 8601), of which version of the product, what it holds and how to check it."""

    format: int
    made_at: str
    product: str
    engine: str
    migrations: list[str]
    record: RecordContents
    trail: TrailContents
    sealed_sha256: str
    sealed_size: int
    objects: list[StoredObject]
    gone: list[str]
    receipts: list[str]


def write(folder: Path, manifest: Manifest, signer: Signer) -> None:
    """Write the manifest and its signature into a backup's folder, flushed."""
    content = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)
    put(folder / MANIFEST, content)
    put(folder / (MANIFEST + SIGNATURE_SUFFIX), signer.sign(content))


def read(folder: Path, *, signer: str) -> Manifest:
    """Return a backup's manifest if the key of this fingerprint signed it.

    Args:
        folder: of one backup.
        signer: the fingerprint as it was printed; spaces and case do not matter.

    Raises:
        BackupRefusedError: `not-a-backup`, `not-signed`, `other-signer`, `other-format`.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        signature = (folder / (MANIFEST + SIGNATURE_SUFFIX)).read_bytes()
    except OSError:
        raise BackupRefusedError("not-a-backup", MANIFEST) from None
    check_signer(content, signature, signer=signer, where=MANIFEST)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError:
        raise BackupRefusedError("other-format", MANIFEST) from None
    if manifest.format != FORMAT:
        raise BackupRefusedError("other-format", MANIFEST)
    return manifest


def check_signer(content: bytes, signature: bytes, *, signer: str, where: str) -> None:
    """Check a signature.

    Raises:
        BackupRefusedError: `not-signed`, `other-signer`.
    """
    by = signed_by(content, signature)
    if by is None:
        raise BackupRefusedError("not-signed", where)
    if _plain(by) != _plain(signer):
        raise BackupRefusedError("other-signer", where)


def folders(root: Path) -> list[Path]:
    """Return the finished backups in a folder, oldest first."""
    if not root.is_dir():
        return []
    found = (one for one in root.iterdir() if _STAMP.fullmatch(one.name))
    return sorted(one for one in found if (one / (MANIFEST + SIGNATURE_SUFFIX)).is_file())


def object_path(root: Path, name: str) -> Path:
    """Return where a stored original lies."""
    return root / OBJECTS / name[:2] / name


def digest_of(path: Path) -> tuple[str, int]:
    """Return sha256 and size in bytes of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def put(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all, flushed (0600)."""
    beside = path.with_name(f".{path.name}.partial")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(text: str) -> str:
    return "".join(text.split()).lower()
