"""Somebody in the clinic's network who should not be there: `python -m tests.clinic.attacker ADDRESS`.

Tries every TCP port and says which accept a connection, which refuse, and how many are silent.
"""

from __future__ import annotations

import errno
import json
import selectors
import socket
import sys
import time
from typing import Final

_AT_ONCE: Final = 8000
_WAIT_S: Final = 1.5


def scan(address: str, ports: range) -> dict[str, list[int]]:
    """Return the open and the refusing ports; all others let the attempt die."""
    found: dict[str, list[int]] = {"open": [], "refused": []}
    for first in range(ports.start, ports.stop, _AT_ONCE):
        _some(address, range(first, min(first + _AT_ONCE, ports.stop)), found)
    return found


def _some(address: str, ports: range, found: dict[str, list[int]]) -> None:
    with selectors.DefaultSelector() as waiting:
        for port in ports:
            probe = socket.socket()
            probe.setblocking(False)
            code = probe.connect_ex((address, port))
            if code == errno.EINPROGRESS:
                waiting.register(probe, selectors.EVENT_WRITE, port)
            else:
                _note(code, port, found)
                probe.close()
        until = time.monotonic() + _WAIT_S
        while waiting.get_map() and (left := until - time.monotonic()) > 0:
            for key, _events in waiting.select(left):
                probe = key.fileobj  # type: ignore[assignment]  # what was registered
                _note(probe.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), key.data, found)
                waiting.unregister(probe)
                probe.close()
        for key in list(waiting.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # a socket


def _note(code: int, port: int, found: dict[str, list[int]]) -> None:
    if code == 0:
        found["open"].append(port)
    elif code == errno.ECONNREFUSED:
        found["refused"].append(port)


if __name__ == "__main__":
    json.dump(scan(sys.argv[1], range(1, 65536)), sys.stdout)
