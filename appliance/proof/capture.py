"""A packet capture of our own: every packet on every interface but loopback, headers only."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import struct
import threading
from pathlib import Path
from typing import Final

from appliance.proof.shapes import Watched

_EVERY_PROTOCOL: Final = 3  # ETH_P_ALL, linux/if_ether.h
_ATTACH_FILTER: Final = 26  # SO_ATTACH_FILTER, asm-generic/socket.h
_HEADERS: Final = 96  # bytes kept of a packet: Ethernet, IP, ports
_SHOWN: Final = 40
_LOOPBACK: Final = 1  # index of `lo` in every network namespace
# Classic BPF: load the interface's index; loopback is left out before it costs anything.
_FILTER: Final = (
    (0x20, 0, 0, 0xFFFFF000 + 8),  # ld #ifindex  (SKF_AD_OFF + SKF_AD_IFINDEX)
    (0x15, 0, 1, _LOOPBACK),  # jeq #1
    (0x06, 0, 0, 0),  # ret 0
    (0x06, 0, 0, _HEADERS),  # ret headers
)
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
_PORTED: Final = (6, 17)
_OUTGOING: Final = 4  # PACKET_OUTGOING


class Capture:
    """Counts packets of this network namespace, from its making to `stop`; needs CAP_NET_RAW.

    Args:
        incoming: leave out what this namespace itself sends.
    """

    def __init__(self, *, incoming: bool = False) -> None:
        self._incoming = incoming
        self._count = 0
        self._shown: list[str] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
        code = b"".join(struct.pack("HBBI", *line) for line in _FILTER)
        kept = ctypes.create_string_buffer(code)
        program = struct.pack("HL", len(_FILTER), ctypes.addressof(kept))
        self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def count(self) -> int:
        """Packets so far."""
        return self._count

    def since(self, count: int) -> Watched:
        """Return the packets after the first `count` ones."""
        return Watched(packets=self._count - count, shown=self._shown[count:])

    def stop(self) -> None:
        """End the capture."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                packet, where = self._socket.recvfrom(_HEADERS)
            except OSError:
                return
            if self._incoming and where[2] == _OUTGOING:
                continue
            if len(self._shown) < _SHOWN:
                self._shown.append(f"{where[0]} {described(packet)}")
            self._count += 1


def described(packet: bytes) -> str:
    """Return protocol, addresses and ports of an Ethernet frame; nothing of what it carries."""
    kind = int.from_bytes(packet[12:14])
    body = packet[14:]
    if kind == 0x0800 and len(body) >= 20:
        ports = body[(body[0] & 15) * 4 :]
        return _flow(body[9], body[12:16], body[16:20], ports)
    if kind == 0x86DD and len(body) >= 40:
        return _flow(body[6], body[8:24], body[24:40], body[40:])
    return "ARP" if kind == 0x0806 else f"protocol 0x{kind:04x}"


def _flow(protocol: int, source: bytes, target: bytes, rest: bytes) -> str:
    name = _PROTOCOLS.get(protocol, f"IP protocol {protocol}")
    ends = [str(ipaddress.ip_address(source)), str(ipaddress.ip_address(target))]
    if protocol in _PORTED and len(rest) >= 4:
        ends = [f"{end} port {port}" for end, port in zip(ends, struct.unpack("!HH", rest[:4]), strict=True)]
    return f"{name} {ends[0]} to {ends[1]}"


def no_route() -> int:
    """Return how often something in this namespace was sent to where no route leads, IPv4 and IPv6 together."""
    names, values = (line.split() for line in _lines("/proc/net/snmp") if line.startswith("Ip:"))
    six = [line.split()[1] for line in _lines("/proc/net/snmp6") if line.startswith("Ip6OutNoRoutes")]
    return int(values[names.index("OutNoRoutes")]) + sum(map(int, six))


def interfaces() -> list[str]:
    """Return the names of this namespace's interfaces."""
    return sorted(line.partition(":")[0].strip() for line in _lines("/proc/net/dev")[2:])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except FileNotFoundError:  # a kernel without IPv6
        return []
