"""The content-addressed store of encrypted originals: files under var, flushed before they count."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable


class FileOriginalStore:
    """Implements clinical.ports.OriginalStore in a folder of two-digit subfolders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, sha256: str, chunks: Iterable[bytes]) -> None:
        """Write beside, flush, rename, flush the folder."""
        target = self._path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o770)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
        try:
            with os.fdopen(handle, "wb") as file:
                # On a site the doors and the workers are users of their own in one group; no others may come near.
                os.fchmod(handle, 0o640)
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        for folder in (target.parent, self._folder):
            _flush_folder(folder)

    def open(self, sha256: str) -> BinaryIO:
        """Return the ciphertext as a file; KeyError when absent."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise KeyError(sha256) from None

    def delete(self, sha256: str) -> None:
        """Remove the object."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
