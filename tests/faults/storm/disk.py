"""A small disk of a test's own, which can be filled and vacated: a tmpfs, or where none can be mounted, a limit."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PAGE = 4096


class Disk:
    """The folder `path` on a disk of `size` bytes; `is_own` where it is a file system of its own."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        path.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(path)]
        self.is_own = os.geteuid() == 0 and not subprocess.run(command, capture_output=True, check=False).returncode

    def fill(self, pids: Iterable[int]) -> None:
        """Let nothing more be written; to be called again while it lasts, since files go and processes start."""
        if not self.is_own:
            for pid in pids:
                with contextlib.suppress(OSError):
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        with (self.path / "ballast").open("ab", buffering=0) as ballast:
            space = os.statvfs(self.path)
            with contextlib.suppress(OSError):  # most of it at once, then page by page what others leave
                os.posix_fallocate(ballast.fileno(), ballast.tell(), space.f_bavail * space.f_frsize)
            ballast.seek(0, os.SEEK_END)
            with contextlib.suppress(OSError):
                while True:
                    ballast.write(b"\0" * _PAGE)

    def vacate(self, pids: Iterable[int]) -> None:
        """Let be written again."""
        (self.path / "ballast").unlink(missing_ok=True)
        for pid in () if self.is_own else pids:
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def remove(self) -> None:
        """Take the disk away."""
        if self.is_own:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)
