"""Starts processes, waits until they answer, restarts what ends, stops everything."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from appliance.egress import listens
from appliance.processes.child import Child
from appliance.processes.spec import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.processes.spec import ProcessSpec

_LOOK_S: Final = 0.25
_WITHIN_S: Final = 600.0
_LOG_BYTES: Final = 5 * 2**20


class Supervisor:
    """Keeps a set of processes running; use from one thread, the one that started them.

    As a context manager it stops every process on the way out. If the supervisor itself is killed,
    the kernel sends each process SIGTERM.
    """

    def __init__(
        self, log_folder: Path, say: Callable[[str], None], *, restarts: int = 5, pause_s: float = 1.0
    ) -> None:
        """Prepare; nothing is started.

        Args:
            log_folder: one file a process, the former one kept as `.1` beyond 5 MiB.
            say: takes one line of progress.
            restarts: how often a process is started again within 10 minutes.
            pause_s: seconds before the first of them; doubled for each further one.
        """
        self._restarts = restarts
        self._pause_s = pause_s
        self._logs = log_folder
        self._say = say
        self._children: dict[str, Child] = {}
        self._starts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._begun = time.monotonic()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self, spec: ProcessSpec) -> None:
        """Start one process.

        Raises:
            ProcessError: its address is taken or its program is missing.
        """
        if spec.address and listens(spec.address):
            where = spec.address.split("://")[-1]
            raise ProcessError(
                "address_in_use",
                f"{spec.name}: something listens at {where} already; stop it, or move this one "
                "by its APPLIANCE_ variable",
            )
        self._run(spec)

    def wait_ready(self, name: str) -> None:
        """Return once the process answers.

        Raises:
            ProcessError: it ended, or did not answer in its time; the end of its log is included.
        """
        child = self._children[name]
        limit = time.monotonic() + child.spec.ready_within_s
        while not child.spec.ready():
            code = child.ended()
            if code is not None or time.monotonic() > limit:
                what = "does not answer" if code is None else f"ended with code {code}"
                detail = f"{name} {what}; the end of {child.log}:\n{child.last_lines()}"
                raise ProcessError("not_ready", detail)
            time.sleep(_LOOK_S)
        self._say(f"{name} is ready after {time.monotonic() - self._begun:.0f} s")

    def watch(self) -> None:
        """Look after the processes until an exception (such as a signal's) ends it.

        Raises:
            ProcessError: one ended too often within 10 minutes.
        """
        while True:
            self.look()
            time.sleep(_LOOK_S)

    def look(self) -> None:
        """Restart each process that has ended, waiting longer each time.

        Raises:
            ProcessError: one ended too often within 10 minutes.
        """
        now = time.monotonic()
        for name, child in list(self._children.items()):
            code = child.ended()
            if code is None:
                continue
            starts = self._starts[name]
            while starts and starts[0] < now - _WITHIN_S:
                starts.popleft()
            if len(starts) > self._restarts:
                detail = f"{name} keeps ending (code {code}); the end of {child.log}:\n{child.last_lines()}"
                raise ProcessError("keeps_ending", detail)
            if not starts or now >= starts[-1] + self._pause_s * 2 ** (len(starts) - 1):
                self._say(f"{name} ended with code {code}; starting it again")
                child.sweep()
                self._run(child.spec)

    def pids(self) -> dict[str, int]:
        """Return the process id of each process."""
        return {name: child.pid for name, child in self._children.items()}

    def stop(self) -> None:
        """Stop every process, the last started first: SIGTERM, then SIGKILL to what is left."""
        children = list(reversed(self._children.values()))
        for child in children:
            child.ask_to_stop()
        asked = time.monotonic()
        for child in children:
            if not child.wait(asked + child.spec.stop_within_s - time.monotonic()):
                self._say(f"{child.spec.name} did not stop when asked; killed")
            child.sweep()
        self._children.clear()

    def _run(self, spec: ProcessSpec) -> None:
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = self._logs / f"{spec.name}.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        self._starts[spec.name].append(time.monotonic())
        self._children[spec.name] = Child(spec, log)
