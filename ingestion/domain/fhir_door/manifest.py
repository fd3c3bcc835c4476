"""The manifest of a FHIR Bulk Data export: which files hold resources, deletions and errors.

Source: HL7 FHIR Bulk Data Access 2.0, "Response - Complete Status" (https://hl7.org/fhir/uv/bulkdata/export.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import msgspec


class ManifestError(ValueError):
    """The manifest cannot be used. `reason` is a code, `place` names the element."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason}: {place}" if place else reason)
        self.reason = reason
        self.place = place


class _File(msgspec.Struct):
    url: str
    type: str = ""
    count: int | None = None


class _Manifest(msgspec.Struct):
    transactionTime: str  # noqa: N815 - FHIR's names
    output: list[_File]
    deleted: list[_File] = []
    error: list[_File] = []


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file: its name in the export's folder, what type it holds, how many lines (None: unsaid), and its URL."""

    name: str
    type: str
    count: int | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An export. `at` is its transactionTime as written: what changed later is not in it."""

    at: str
    output: tuple[ExportFile, ...]
    deleted: tuple[ExportFile, ...]
    error: tuple[ExportFile, ...]


def read_manifest(content: bytes, *, in_folder: bool = True) -> Manifest:
    """Return what a manifest names; the last part of each URL is the file's name, of which a folder has but one.

    Raises:
        ManifestError: not-json, not-a-manifest, bad-name, name-twice.
    """
    try:
        found = msgspec.json.decode(content, type=_Manifest)
    except msgspec.ValidationError:
        raise ManifestError("not-a-manifest") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ManifestError("not-json") from None
    groups = [
        tuple(_file(one, f"{name}[{number}]") for number, one in enumerate(getattr(found, name)))
        for name in ("output", "deleted", "error")
    ]
    names = [one.name for group in groups for one in group]
    if in_folder and len(set(names)) < len(names):
        raise ManifestError("name-twice")
    return Manifest(found.transactionTime, *groups)


def _file(one: _File, place: str) -> ExportFile:
    name = PurePosixPath(unquote(urlsplit(one.url).path)).name
    if not name or name in {".", ".."} or "\\" in name or "\0" in name:
        raise ManifestError("bad-name", f"{place}.url")
    return ExportFile(name, one.type, one.count, one.url)
