"""Reading a medium's files without trusting them, and copying them away while hashing."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK: Final = 1 << 20
_MODES: Final = frozenset({0o644, 0o755})
PLAIN: Final = 0o644


class MediumError(Exception):
    """A medium was refused. `code` is for logs and tests, the message is for the engineer.

    Codes: not_a_medium, fingerprint, signatures, expired, clock, rollback, changed_file, missing_file, extra_file,
    not_a_file, unsafe_name, metadata, no_space, forbidden_file.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """A file that was signed: length in bytes, sha256 in hex, file mode."""

    name: str
    length: int
    sha256: str
    mode: int = PLAIN

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise MediumError("metadata", f"{self.name} asks for file mode {self.mode:o}")


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading; never follows a link and never waits at a pipe or device.

    Raises:
        MediumError: it is missing, or something else than a regular file.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MediumError("missing_file", f"{path.name} is missing") from None
    except OSError as error:
        raise MediumError("not_a_file", f"{path.name} cannot be opened as a file ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise MediumError("not_a_file", f"{path.name} is not a regular file")
    return os.fdopen(handle, "rb")


def listed(folder: Path) -> frozenset[str]:
    """Return the names of all files below a folder, relative to it.

    Raises:
        MediumError: something in it is neither a folder nor a regular file: a link, a pipe, a device.
    """
    names: set[str] = set()
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                name = os.path.relpath(entry.path, folder)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(folder / name)
                elif entry.is_file(follow_symlinks=False):
                    names.add(name)
                else:
                    raise MediumError("not_a_file", f"{name!r} is neither a file nor a folder")
    return frozenset(names)


def read_checked(path: Path, target: Target, into: BinaryIO | None) -> None:
    """Read a file through, writing what was read to `into` if given, and compare it with what was signed.

    No more than one byte beyond the signed length is ever read.

    Raises:
        MediumError: another length or another sha256.
    """
    digest, left = hashlib.sha256(), target.length + 1
    with opened(path) as file:
        while left and (block := file.read(min(_BLOCK, left))):
            digest.update(block)
            left -= len(block)
            if into is not None:
                into.write(block)
    if left != 1 or digest.hexdigest() != target.sha256:
        raise MediumError("changed_file", f"{target.name} is not what was signed")


def copy_checked(path: Path, target: Target, destination: Path) -> None:
    """Copy a file to a new place, durably; what is not what was signed does not stay there.

    Raises:
        MediumError: the content is not what was signed.
        FileExistsError: the destination exists.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    with destination.open("xb") as file:
        try:
            read_checked(path, target, file)
        except MediumError:
            destination.unlink()
            raise
        file.flush()
        os.fchmod(file.fileno(), target.mode)
        os.fsync(file.fileno())
