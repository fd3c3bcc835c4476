"""The staged outside world: a name server that knows every name, and listeners that take whatever comes."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.proof.places import DNS_PORT, PROXY_PORT, SINK_4, SINK_6, SINK_LINK, SITE_4, SITE_6, SITE_LINK, TLS_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

_PORTS: Final = (DNS_PORT, 80, TLS_PORT, PROXY_PORT)
_SET_FLAGS: Final = 0x8914  # SIOCSIFFLAGS, linux/sockios.h
_UP: Final = 1  # IFF_UP
_TYPE_A, _TYPE_AAAA = 1, 28
_TABLE: Final = "100"  # any number: the route by which everything over IPv6 arrives here
_QUIET_S, _SETTLE_S = 1.2, 15.0
# No router, no duplicate check, no address of its own making: an interface that says nothing by itself.
_SILENT: Final = {
    "disable_ipv6": "0",
    "accept_ra": "0",
    "router_solicitations": "0",
    "accept_dad": "0",
    "addr_gen_mode": "1",
}
_SETTINGS: Final = Path("/proc/sys/net/ipv6/conf")
HAS_6: Final = _SETTINGS.is_dir()
"""Whether this kernel has IPv6; where it has not, nothing can leave by it and nothing is staged for it."""
_FAMILIES: Final = ("-4", "-6") if HAS_6 else ("-4",)


class StagingError(Exception):
    """The staged world could not be set up; the message says which part."""


def loopback_up() -> None:
    """Bring up `lo` of this network namespace."""
    with socket.socket() as handle:
        fcntl.ioctl(handle, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))


def open_world() -> None:
    """Answer names, and accept whatever reaches this namespace on the ports that programs use to get out."""
    both = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104 - that is its use
    for family, any_address in both if HAS_6 else both[:1]:
        names = socket.socket(family, socket.SOCK_DGRAM)
        _alone(names, family)
        names.bind((any_address, DNS_PORT))
        _thread(_answer_names, names)
        for port in _PORTS:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _alone(listener, family)
            listener.bind((any_address, port))
            listener.listen(64)
            _thread(_take, listener)


def reach_into(pid: int) -> None:
    """Join this namespace to that of another process by a pair of interfaces, and take every address as one's own.

    Raises:
        StagingError: the system refuses it.
    """
    ip("link", "add", SINK_LINK, "type", "veth", "peer", "name", SITE_LINK, "netns", str(pid))
    _silence(SINK_LINK)
    ip("address", "add", f"{SINK_4}/24", "dev", SINK_LINK)
    if HAS_6:
        ip("-6", "address", "add", f"{SINK_6}/64", "dev", SINK_LINK, "nodad")
    ip("link", "set", SINK_LINK, "up")
    for family in _FAMILIES:  # any rule of its own makes the kernel keep its tables apart
        ip(family, "rule", "add", "iif", SINK_LINK, "lookup", _TABLE)
    # IPv4 answers only from addresses in the table `local`, which would take the other end's address too.
    ip("route", "add", "throw", f"{SITE_4}/32", "table", "local")
    ip("route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "local")
    if HAS_6:
        ip("-6", "route", "add", "local", "::/0", "dev", "lo", "table", _TABLE)


def be_tempted() -> None:
    """Give this namespace an address and a default route over the pair.

    Raises:
        StagingError: the system refuses it.
    """
    _silence(SITE_LINK)
    ip("address", "add", f"{SITE_4}/24", "dev", SITE_LINK)
    if HAS_6:
        ip("-6", "address", "add", f"{SITE_6}/64", "dev", SITE_LINK, "nodad")
    ip("link", "set", SITE_LINK, "up")
    ip("route", "add", "default", "via", SINK_4)
    if HAS_6:
        ip("-6", "route", "add", "default", "via", SINK_6)


def settle(counted: Callable[[], int]) -> int:
    """Wait until the kernel has said all it says of itself about new interfaces; returns the count so far."""
    limit, since, last = time.monotonic() + _SETTLE_S, time.monotonic(), counted()
    while time.monotonic() < limit and time.monotonic() - since < _QUIET_S:
        time.sleep(0.1)
        if (now := counted()) != last:
            since, last = time.monotonic(), now
    return last


def ip(*words: str) -> None:
    """Run `ip`.

    Raises:
        StagingError: it is missing or fails.
    """
    try:
        subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise StagingError("the program ip (Debian package iproute2) is missing") from None
    except subprocess.CalledProcessError as error:
        raise StagingError(f"ip {' '.join(words[:3])}: {error.stderr.strip()}") from None


def _silence(link: str) -> None:
    if HAS_6:  # the one setting that can be had where a sandbox keeps the kernel's settings from being written
        ip("link", "set", "dev", link, "addrgenmode", "none")
    for name, value in _SILENT.items():
        with contextlib.suppress(OSError):  # without it the interface says a little more before it is quiet
            (_SETTINGS / link / name).write_text(value)


def _alone(taken: socket.socket, family: int) -> None:
    if family == socket.AF_INET6:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _thread(work: Callable[[socket.socket], None], taken: socket.socket) -> None:
    threading.Thread(target=work, args=(taken,), daemon=True).start()


def _take(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.settimeout(0.5)
            connection.recv(2048)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")


def _answer_names(taken: socket.socket) -> None:
    while True:
        query, sender = taken.recvfrom(1500)
        with contextlib.suppress(OSError, ValueError):
            taken.sendto(_answer(query), sender)


def _answer(query: bytes) -> bytes:
    """Return a reply by which every name is one of the sink's addresses."""
    end = query.index(b"\0", 12) + 5
    kind = int.from_bytes(query[end - 4 : end - 2])
    known = {_TYPE_A: SINK_4, _TYPE_AAAA: SINK_6}.get(kind)
    head = query[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if known else 0, 0, 0)
    if known is None:
        return head + query[12:end]
    address = ipaddress.ip_address(known).packed
    return head + query[12:end] + struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(address)) + address
