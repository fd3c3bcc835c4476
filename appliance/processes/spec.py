"""One process of the embedded profile, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run and how to know that it works.

    Attributes:
        name: short name, also of its log file.
        argv: program and arguments; never a secret, other users can read them.
        environment: the whole environment of the process.
        address: where it will listen, refused when something listens there already; "" if nowhere.
        ready: whether it answers; returns within about half a second.
        ready_within_s: how long it may take to start.
        stop_within_s: how long it may take to end after SIGTERM, before SIGKILL.
        folder: working directory; None is that of the supervisor.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    address: str
    ready: Callable[[], bool]
    ready_within_s: float = 30.0
    stop_within_s: float = 8.0
    folder: Path | None = None


class ProcessError(Exception):
    """A process did not start or does not stay up. `code` is for logs, the message for the engineer.

    Codes: address_in_use, program_missing, not_ready, keeps_ending.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
