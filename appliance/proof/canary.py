"""Deliberate attempts to get out, in the environment of one kind of process; prints what became of each.

Usage: python -m appliance.proof.canary. On its own so that it loads nothing and takes a tenth of a second.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
import urllib.request
from typing import TYPE_CHECKING, Final

from appliance.proof.places import DNS_PORT, FAR_4, FAR_6, FAR_NAME, TLS_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

WENT_OUT: Final = "went out"
_WAIT_S: Final = 1.0


def _tcp(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(_WAIT_S)
        probe.connect((address, TLS_PORT))


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.sendto(b"canary", (FAR_4, DNS_PORT))


def _name() -> None:
    socket.getaddrinfo(FAR_NAME, TLS_PORT)


def _proxy() -> None:
    with urllib.request.urlopen(f"http://{FAR_NAME}/", timeout=_WAIT_S):
        pass


ATTEMPTS: Final[dict[str, Callable[[], None]]] = {
    "TCP": lambda: _tcp(socket.AF_INET, FAR_4),
    "TCP over IPv6": lambda: _tcp(socket.AF_INET6, FAR_6),
    "UDP": _udp,
    "name look-up": _name,
    "proxy of the environment": _proxy,
}


def outcome(attempt: Callable[[], None]) -> str:
    """Return `went out`, or the error's name."""
    try:
        attempt()
    except TimeoutError:
        return "no answer"
    except OSError as error:
        reason = getattr(error, "reason", error)  # urllib wraps what happened
        number = getattr(reason, "errno", None) or 0
        return errno.errorcode.get(number, type(reason).__name__)
    return WENT_OUT


def main() -> None:
    """Make the attempts named, or all."""
    chosen = sys.argv[1:] or list(ATTEMPTS)
    print(json.dumps({name: outcome(ATTEMPTS[name]) for name in chosen}))  # noqa: T201 - its only result


if __name__ == "__main__":
    main()
