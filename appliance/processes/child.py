"""One running child process, tied to the life of its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Final

from appliance.processes.spec import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.processes.spec import ProcessSpec

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Child:
    """A started process: the leader of a process group of its own, its output in a log file."""

    def __init__(self, spec: ProcessSpec, log: Path) -> None:
        """Start the process.

        Raises:
            ProcessError: `program_missing`.
        """
        self.spec = spec
        self.log = log
        with log.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    spec.argv,
                    env=dict(spec.environment),
                    cwd=spec.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C reaches the supervisor only, which stops in order
                    preexec_fn=_end_with(os.getpid()),
                )
            except FileNotFoundError:
                raise ProcessError("program_missing", f"{spec.argv[0]} is missing: run make setup") from None

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return the exit code (negative for a signal), or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process; what it started is its own to stop first."""
        if self.ended() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> bool:
        """Return whether the process has ended within the time."""
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def sweep(self) -> None:
        """Kill whatever is left of the process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def last_lines(self, count: int = 12) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def _end_with(parent: int) -> Callable[[], None]:
    """Return what the new process does first: ask the kernel for SIGTERM when its parent dies."""

    def before_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between fork and this line
            os._exit(1)

    return before_exec
