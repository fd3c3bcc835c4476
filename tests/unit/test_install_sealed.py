"""While a machine is set up a table of the firewall's lets nothing out; shown in a network of the test's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[2] / "ansible/install"
_CABLE = (
    "ip link set lo up && ip link add e0 type veth peer name e1 && ip link set e0 up && ip link set e1 up"
    " && ip addr add 10.9.9.2/24 dev e0 && ip route add default via 10.9.9.1"
)
_SEND = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{}', 53))"
_NEEDED = ("unshare", "nft", "ip", "python3")


def _apart(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--net", "sh", "-c", f"{_CABLE} && {script}"],
        cwd=INSTALL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def _send(address: str) -> str:
    return f'python3 -I -c "{_SEND.format(address)}"'


@pytest.mark.skipif(
    os.geteuid() != 0
    or any(shutil.which(one) is None for one in _NEEDED)
    or _apart("nft list ruleset").returncode != 0,
    reason="needs root, nftables and a network namespace of its own",
)
class TestTheTableOfTheInstallation:
    def test_without_it_a_packet_would_leave(self) -> None:
        assert _apart(_send("192.0.2.1")).returncode == 0

    def test_with_it_none_does_and_the_attempt_is_counted(self) -> None:
        tried = _apart(
            f"nft --file sealed.nft && ! {_send('192.0.2.1')} && nft list counter inet appliance_setup out_dropped"
        )
        assert tried.returncode == 0 and "PermissionError" in tried.stderr, tried.stderr
        assert re.search(r"packets [1-9]", tried.stdout)

    def test_loopback_is_open_and_it_may_be_loaded_again(self) -> None:
        tried = _apart(f"nft --file sealed.nft && nft --file sealed.nft && {_send('127.0.0.1')}")
        assert tried.returncode == 0, tried.stderr

    def test_the_sites_own_rules_take_its_place_in_one_step(self) -> None:
        site = "printf 'flush ruleset\\ntable inet appliance { }\\n' | nft --file -"
        tried = _apart(f"nft --file sealed.nft && {site} && nft list tables")
        assert tried.stdout.split() == ["table", "inet", "appliance"]


def test_every_program_of_the_installation_before_the_table_runs_without_a_network() -> None:
    text = (INSTALL / "continue.sh").read_text()
    before = text[: text.index("sealed.nft")]
    calls = [line.strip() for line in before.splitlines() if re.search(r"(?<!\w)(apt-get|dpkg|pip) -", line)]
    assert calls and [line for line in calls if "$alone " not in line] == []
    first = (INSTALL / "install.sh").read_text()
    runs = re.findall(r"^ +(?:\S+=\S+ )?(\S+ )?(?:apt-get|python3) -", first, re.MULTILINE)
    assert runs and set(runs) == {"$alone "}
