"""The site's network: a switch with the server, the EHR, a ward's browser, an attacker and a tempting way out.

All of it in network namespaces; nothing of it touches the machine's own network.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.clinic.collector import PORT
from tests.clinic.steps import expect

if TYPE_CHECKING:
    from tests.clinic.machine import Machine

NAME: Final = "assistant.clinic.internal"
BOX: Final = "10.77.0.2"
_BOX_MAC: Final = "02:00:00:77:00:02"
GATEWAY: Final = "10.77.0.1"
HOSTS: Final = {"ehr": "10.77.0.10", "ward": "10.77.0.20", "attacker": "10.77.0.66", "collector": "10.77.0.30"}
_PREFIX: Final = f"ct{os.getpid() % 10000}"
_SWITCH: Final = f"{_PREFIX}-lan"
_QUIET_S: Final = 6.0  # a kernel asks for routers thrice, four seconds apart
_SETTLES_S: Final = 60.0
_ROUTERS: Final = "(icmp6 and ip6[40] == 133)"  # a kernel's router solicitation (RFC 4861)


def namespace(host: str) -> str:
    """Return the name of a host's network namespace."""
    return f"{_PREFIX}-{host}"


class Lan:
    """A switch that also is the gateway every packet to the outside would have to take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._capture = folder / "capture.pcap"
        self._tcpdump: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the switch and the hosts, and begin to write down every packet."""
        _ip("netns", "add", _SWITCH)
        _inside(_SWITCH, "ip", "link", "add", "lan0", "type", "bridge")
        _inside(_SWITCH, "ip", "addr", "add", f"{GATEWAY}/24", "dev", "lan0")
        _inside(_SWITCH, "ip", "link", "set", "lan0", "up")
        for host, address in HOSTS.items():
            _ip("netns", "add", namespace(host))
            self._plug(host, ["netns", namespace(host)])
            _inside(namespace(host), "ip", "addr", "add", f"{address}/24", "dev", "eth0")
            _inside(namespace(host), "ip", "link", "set", "eth0", "up")
            _inside(namespace(host), "ip", "link", "set", "lo", "up")
            names = Path("/etc/netns") / namespace(host) / "hosts"
            names.parent.mkdir(parents=True, exist_ok=True)
            names.write_text(f"127.0.0.1 localhost\n{BOX} {NAME}\n")
        self._tcpdump = subprocess.Popen(
            ["ip", "netns", "exec", _SWITCH, "tcpdump", "-i", "lan0", "-U", "-n", "-w", str(self._capture)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def connect(self, machine: Machine) -> None:
        """Plug the server in; with a default route and a name server, so that whatever wants to leave may try."""
        subprocess.run(
            ["ip", "netns", "exec", _SWITCH, "ip", "link", "del", "to-box"], check=False, capture_output=True
        )
        self._plug("box", ["netns", str(machine.leader)], address=_BOX_MAC)
        machine.run(
            f"ip addr add {BOX}/24 dev eth0 && ip link set eth0 up && ip link set lo up"
            f" && ip route add default via {GATEWAY} && echo nameserver {GATEWAY} > /etc/resolv.conf"
        )

    def _plug(self, host: str, where: list[str], *, address: str = "") -> None:
        """Lay a cable from the switch to a host; its end there is `eth0`."""
        own = f"{_PREFIX}{host}"[:15]
        _inside(_SWITCH, "ip", "link", "add", f"to-{host}", "type", "veth", "peer", "name", own)
        _inside(_SWITCH, "ip", "link", "set", f"to-{host}", "master", "lan0", "up")
        if address:
            _inside(_SWITCH, "ip", "link", "set", own, "address", address)
        # From the switch's namespace the other end goes by process or by name into the host's.
        _inside(_SWITCH, "ip", "link", "set", own, where[0], where[1])
        if where[1].isdigit():
            subprocess.run(["nsenter", "-t", where[1], "-n", "ip", "link", "set", own, "name", "eth0"], check=True)
        else:
            _inside(where[1], "ip", "link", "set", own, "name", "eth0")

    def as_host(self, host: str, *command: str, timeout_s: float = 300.0, stdin: str = "") -> str:
        """Run a command of this project at a host and return what it printed.

        Raises:
            FailedError: it ended with another code than 0.
        """
        done = subprocess.run(
            ["ip", "netns", "exec", namespace(host), *command],
            capture_output=True, text=True, check=False, timeout=timeout_s, input=stdin,
        )  # fmt: skip
        expect(done.returncode == 0, done.stderr or done.stdout)
        return done.stdout

    def settled(self) -> None:
        """Wait until the server has sent nothing for some seconds: a kernel greets a new cable by itself.

        Raises:
            FailedError: it does not become quiet.
        """
        until = time.monotonic() + _SETTLES_S
        while time.monotonic() < until:
            before = len(self._seen(f"ether src {_BOX_MAC}"))
            time.sleep(_QUIET_S)
            if len(self._seen(f"ether src {_BOX_MAC}")) == before:
                return
        expect(condition=False, found="the server is not quiet before anything is installed")

    def sent_by_the_box(self, since: float, until: float) -> tuple[list[str], list[str]]:
        """Return what left the server between two moments (seconds since 1970): its search for routers; the rest.

        The search begins when the cable is plugged in and goes to this cable only; no program has asked for it. It ends
        when the table of the installation holds, which is not before the medium is verified.
        """
        searched = _between(self._seen(f"ether src {_BOX_MAC} and {_ROUTERS}"), since, until)
        return searched, _between(self._seen(f"ether src {_BOX_MAC} and not ({_ROUTERS})"), since, until)

    def began_by_the_box(self, since: float, installed: float, named: float = 0.0) -> list[str]:
        """Return the frames since a moment with which the server began a conversation.

        Replies to its callers are none, nor is the search for a caller's neighbour address (ARP, IPv6's neighbour
        messages). First packets of TCP, anything of UDP, any other message, and ARP for addresses that are nobody's
        here are some, and so is a search for routers once the server is installed. The site's collector may be called
        from the moment on that the site has named it; 0: never.
        """
        known = " or ".join(f"arp dst host {address}" for address in HOSTS.values())
        callers = " or ".join(f"dst host {address}" for address in HOSTS.values())
        answers = (
            f"(src host {BOX} and tcp and ({callers}) and tcp[tcpflags] & (tcp-syn|tcp-ack) != tcp-syn)"
            f" or (arp and ({known})) or (icmp6 and (ip6[40] == 135 or ip6[40] == 136))"
        )
        called = f"(src host {BOX} and dst host {HOSTS['collector']} and tcp dst port {PORT})"
        found = _between(
            self._seen(f"ether src {_BOX_MAC} and not ({answers} or {called}) and not ({_ROUTERS})"),
            since, time.time(),
        )  # fmt: skip
        found += _between(self._seen(f"ether src {_BOX_MAC} and {called}"), since, named or time.time())
        return found + _between(self._seen(f"ether src {_BOX_MAC} and {_ROUTERS}"), installed, time.time())

    def _seen(self, wanted: str) -> list[str]:
        done = subprocess.run(
            ["tcpdump", "-tt", "-n", "-r", str(self._capture), wanted], capture_output=True, text=True, check=False
        )
        expect(done.returncode == 0 or "truncated dump file" in done.stderr, done.stderr)
        return done.stdout.splitlines()

    def packets(self) -> int:
        """Return how many packets were written down at all."""
        done = subprocess.run(["tcpdump", "-n", "-r", str(self._capture)], capture_output=True, text=True, check=False)
        return len(done.stdout.splitlines())

    def remove(self) -> None:
        """Take everything down."""
        if self._tcpdump is not None:
            self._tcpdump.terminate()
            self._tcpdump.wait(10)
        for name in (*map(namespace, HOSTS), _SWITCH):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        for host in HOSTS:
            folder = Path("/etc/netns") / namespace(host)
            (folder / "hosts").unlink(missing_ok=True)
            if folder.exists():
                folder.rmdir()


def _between(lines: list[str], since: float, until: float) -> list[str]:
    return [line for line in lines if since <= float(line.split(maxsplit=1)[0]) <= until]


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def _inside(name: str, *command: str) -> None:
    subprocess.run(["ip", "netns", "exec", name, *command], check=True, capture_output=True)
