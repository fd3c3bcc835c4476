"""The media that the engineer carries in: two releases of this tree, signed with keys made for the run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.clinic.steps import expect

ROOT: Final = Path(__file__).resolve().parent.parent.parent
VERSIONS: Final = ("0.9.0", "0.9.1")


class Media:
    """Two media, given or made."""

    def __init__(self, folder: Path, first: Path | None, second: Path | None, fingerprint: str) -> None:
        self._folder = folder
        self.first = first or folder / "medium-1"
        self.second = second or (folder / "medium-2" if first is None else None)
        self.fingerprint = fingerprint
        self._given = first is not None

    def make(self) -> None:
        """Build what was not given, anew for each run; downloads are kept."""
        if self._given:
            return
        keys, repository = self._folder / "keys", self._folder / "repository"
        for folder in (keys, repository, self.first, self.second):
            if folder is not None and folder.exists():
                shutil.rmtree(folder)
        self._bundle("keys", "--keys", str(keys), "--no-passphrase", "--repository", str(repository))
        for version, out in zip(VERSIONS, (self.first, self.second), strict=True):
            self._bundle(
                "build", "--keys", str(keys), "--no-passphrase", "--repository", str(repository),
                "--out", str(out), "--version", version, "--working-tree",
            )  # fmt: skip
        self.fingerprint = self._bundle("fingerprint", "--repository", str(repository)).strip().splitlines()[-1]

    def put_into(self, disk: Path, medium: Path) -> str:
        """Put a medium where the machine sees it, as a stick that is plugged in; returns its place there."""
        stick = disk / "media" / medium.name
        if not stick.exists():
            stick.parent.mkdir(exist_ok=True)
            shutil.copytree(medium, stick, copy_function=_link)
        return f"/media/{medium.name}"

    def _bundle(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "bundle", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        expect(done.returncode == 0, done.stderr or done.stdout)
        return done.stdout


def _link(source: str, target: str) -> None:
    """Link where both lie on one disk: a medium is a gigabyte."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
