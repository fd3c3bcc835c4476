"""Sends the trail's rows to the site's syslog collectors, in order, and remembers how far it has come.

A row counts as sent when the collector's TCP has taken it; a batch that breaks off is sent again from its first row.
Where the trail is another one than before, after a restore or a new installation, it is sent from its beginning.
What the collector loses itself is still in the trail, whose numbers it can see to be missing. Off unless the site names
collectors.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from appliance.config import stays_on_site
from appliance.egress import on_site_stream
from appliance.processes.watchdog import Watchdog
from clinical.audit.syslog import framed
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BATCH: Final = 500  # rows
CONNECT_S: Final = 10.0
EVERY_S: Final = 2.0
_TLS_PORT: Final = 6514
_NONE: Final = (0, "")


@dataclass(slots=True)
class Collector:
    """One collector `address[:port]` (6514 where none is named); over TLS where the site's authority is given.

    Raises:
        ValueError: an address off the site, or no port number.
    """

    named: str
    authority: Path | None = None
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        """Take the address apart."""
        host, _, port = self.named.rpartition(":") if ":" in self.named else (self.named, "", str(_TLS_PORT))
        stays_on_site(f"tcp://{host}")
        if not port.isdecimal():
            raise ValueError(f"{self.named!r} names no port")
        self.host, self.port = host, int(port)


class Forwarder:
    """Keeps collectors up with the trail; `state` is the file that says how far each has been sent."""

    def __init__(self, collectors: list[Collector], state: Path, *, host: str) -> None:
        """Read how far it had come."""
        self._collectors, self._state, self._host = collectors, state, host
        self._sent: dict[str, tuple[int, str]] = _read(state)
        self._alive = Watchdog()

    def sent(self, collector: Collector) -> int:
        """Return the number of the last row that a collector has been sent; 0 for none."""
        return self._sent.get(collector.named, _NONE)[0]

    def once(self) -> dict[str, int]:
        """Send what each collector lacks; returns how many rows each was sent.

        Raises:
            OSError: the first error, once all collectors were tried.
        """
        done: dict[str, int] = {}
        failure: OSError | None = None
        for one in self._collectors:
            try:
                done[one.named] = self._send(one)
            except OSError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return done

    def follow(self, *, stopped: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Go on until stopped; what does not answer is tried again, said once each time it changes."""
        said = ""
        while not stopped():
            self._alive()
            trouble = ""
            try:
                self.once()
            except OSError as error:
                trouble = f"a collector does not take the trail ({type(error).__name__})"
            if trouble != said:
                say(trouble or "the collectors are up with the trail")
                said = trouble
            time.sleep(EVERY_S)

    def _send(self, collector: Collector) -> int:
        count = 0
        self._begin_again_in_another_trail(collector)
        if not AuditEvent.objects.filter(seq__gt=self.sent(collector)).exists():
            return count
        to = on_site_stream(collector.host, collector.port, authority=collector.authority, timeout_s=CONNECT_S)
        with to as write:
            while batch := list(AuditEvent.objects.filter(seq__gt=self.sent(collector)).order_by("seq")[:BATCH]):
                write(b"".join(framed(row, host=self._host) for row in batch))
                self._sent[collector.named] = (batch[-1].seq, batch[-1].hash)
                self._remember()
                count += len(batch)
                self._alive()  # a long trail, or a slow collector, is no standstill
        return count

    def _begin_again_in_another_trail(self, collector: Collector) -> None:
        """A restored trail gives numbers again that were sent already, to other rows: the hash tells."""
        seq, known = self._sent.get(collector.named, _NONE)
        if seq and not AuditEvent.objects.filter(seq=seq, hash=known).exists():
            self._sent[collector.named] = _NONE

    def _remember(self) -> None:
        partial = self._state.with_suffix(".partial")
        with partial.open("w") as file:
            json.dump(self._sent, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._state)


def _read(state: Path) -> dict[str, tuple[int, str]]:
    """Return number and hash of the last row each collector was sent; a state without hashes counts for nothing."""
    held = json.loads(state.read_text()) if state.exists() else {}
    return {name: (int(one[0]), str(one[1])) for name, one in held.items() if isinstance(one, list)}
