"""The machine's files of one release: its units, settings and commands, kept so that going back finds its own.

    <state>/machine/<version>/    copies, below the same paths as on the machine
    <state>/installing            there while an installation may have replaced some of them and not others

A release's units name its programs and its sandbox; under those of another release it may not start.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not the firewall, the secrets and the certificates: those are the machine's, whichever release serves.
PATTERNS: Final = (
    "etc/systemd/system/appliance*",
    "etc/appliance/*.env",
    "etc/appliance/*.conf",
    "etc/appliance/redis/*.conf",
    "usr/local/sbin/appliance-*",
)
_INSTALLING: Final = "installing"
_NOT: Final = frozenset({"usr/local/sbin/appliance-firewall", "etc/systemd/system/appliance-resume.service"})


@dataclass(frozen=True, slots=True)
class Machine:
    """Keeps and puts back what lies below `root` for the releases, in `state`."""

    root: Path
    state: Path

    def keep(self, version: str, *, anew: bool) -> bool:
        """Copy the machine's files as those of a release; without `anew` only where none are kept.

        Returns:
            Whether they were copied.
        """
        kept = self._kept(version)
        if (kept.is_dir() and not anew) or not any(self._files(self.root)):
            return False
        partial = kept.with_name(f".{version}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        for path in self._files(self.root):
            _copy(self.root / path, partial / path)
        former = kept.with_name(f".{version}.former")
        shutil.rmtree(former, ignore_errors=True)
        if kept.is_dir():
            kept.rename(former)
        partial.rename(kept)
        os.sync()
        shutil.rmtree(former, ignore_errors=True)
        return True

    @property
    def half_installed(self) -> bool:
        """Whether an installation has begun to replace files and has not ended."""
        return (self.state / _INSTALLING).exists()

    def begins(self) -> None:
        """Note, durably, that an installation begins to replace files."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.state / _INSTALLING).touch()
        os.sync()

    def ends(self) -> None:
        """Note that an installation has ended and was found well."""
        (self.state / _INSTALLING).unlink(missing_ok=True)

    def put_back(self, version: str) -> bool:
        """Make the machine's files those kept for a release; safe to be interrupted and run again.

        Returns:
            Whether anything changed; never where nothing is kept for this release.
        """
        kept = self._kept(version)
        if not version or not kept.is_dir():
            return False
        wanted = set(self._files(kept))
        changed = False
        for path in sorted(wanted):
            if not _same(kept / path, self.root / path):
                _copy(kept / path, self.root / path)
                changed = True
        for path in sorted(set(self._files(self.root)) - wanted):
            (self.root / path).unlink()
            changed = True
        return changed

    def forget_all_but(self, versions: frozenset[str]) -> None:
        """Remove what is kept for other releases."""
        folder = self.state / "machine"
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name not in versions:
                shutil.rmtree(entry, ignore_errors=True)

    def _kept(self, version: str) -> Path:
        return self.state / "machine" / version

    def _files(self, root: Path) -> Iterator[Path]:
        """Yield files and links that belong to a release, relative to the root."""
        for pattern in PATTERNS:
            for found in root.glob(pattern):
                inside = found.rglob("*") if found.is_dir() and not found.is_symlink() else (found,)
                for one in inside:
                    path = one.relative_to(root)
                    if str(path) not in _NOT and not path.name.endswith(".partial") and not _is_folder(one):
                        yield path


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _same(one: Path, two: Path) -> bool:
    if one.is_symlink() or two.is_symlink():
        return one.is_symlink() and two.is_symlink() and one.readlink() == two.readlink()
    if not two.is_file():
        return False
    first, second = one.stat(), two.stat()
    return (first.st_mode, first.st_uid, first.st_gid) == (second.st_mode, second.st_uid, second.st_gid) and (
        one.read_bytes() == two.read_bytes()
    )


def _copy(source: Path, target: Path) -> None:
    """Copy a file or link with its owner and mode, all of it or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    if source.is_symlink():
        partial.symlink_to(source.readlink())
    else:
        owner = source.stat()
        shutil.copyfile(source, partial)
        os.chown(partial, owner.st_uid, owner.st_gid)
        partial.chmod(owner.st_mode & 0o7777)
    partial.replace(target)
