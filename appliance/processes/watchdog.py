"""Tells systemd that a process's own loop still turns, where its unit asks for that (WatchdogSec)."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from appliance.config import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TURNS: Final = b"WATCHDOG=1"


class Watchdog:
    """Called by a loop each time it turns. A loop that stands still says nothing, and its unit is restarted.

    The unit names its first process in WATCHDOG_PID; the loop that serves may be a child's (NotifyAccess=all), so that
    this is not looked at. Outside such a unit a call does nothing.
    """

    def __init__(self, given: Mapping[str, str] | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read what systemd gave.

        Args:
            given: NOTIFY_SOCKET and WATCHDOG_USEC (microseconds); None is this process's environment.
            clock: seconds, monotonic.
        """
        told = environment() if given is None else given
        self._place = told.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        limit = told.get("WATCHDOG_USEC", "")
        self.every_s = int(limit) / 4e6 if limit.isdigit() and self._place else 0.0
        """Seconds between two messages: a quarter of what systemd waits; 0 where it does not wait for any."""
        self._clock = clock
        self._due = clock()

    def __call__(self) -> None:
        """Say that the loop has turned, when it is time to."""
        now = self._clock()
        if not self.every_s or now < self._due:
            return
        self._due = now + self.every_s
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            # A systemd that is busy is no reason for a door to stand still.
            notify.sendto(_TURNS, socket.MSG_DONTWAIT, self._place)
