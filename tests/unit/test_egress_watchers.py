"""What the watchers of the egress proof read out of packets, traces and rules, and what the verdict makes of it."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest

from appliance.backup.keys import Signer
from appliance.proof import judge, report
from appliance.proof.allowed import calls
from appliance.proof.capture import described
from appliance.proof.firewall import FirewallUnreadableError, Stopped, counted
from appliance.proof.shapes import Call, Canary, Check, Phase, Report, Step, Watched
from appliance.proof.trace import attempts, kind_of, parents

if TYPE_CHECKING:
    from pathlib import Path

TRACE = """\
10    clone(child_stack=NULL, flags=SIGCHLD, child_tidptr=0x7f1b) = 11
10    vfork( <unfinished ...>
11    connect(3, {sa_family=AF_INET, sin_port=htons(6335), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
10    <... vfork resumed>)              = 12
12    clone3({flags=CLONE_VM, exit_signal=0, stack_size=0x7fff} => {parent_tid=[13]}, 88) = 13
13    connect(4, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>
12    sendto(3, ""..., 6, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.1")}, 16) = 6
13    <... connect resumed>)            = -1 ENETUNREACH (Network is unreachable)
12    sendto(3, ""..., 6, 0, NULL, 0)   = 6
12    sendmsg(5, {msg_name={sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, msg_namelen=12}, 0) = 20
12    connect(5, {sa_family=AF_UNIX, sun_path=@"hidden"}, 10) = -1 ECONNREFUSED (Connection refused)
12    io_uring_setup(1, {flags=0}) = 5
""".splitlines()  # noqa: E501 - as the tracer writes it


def frame(protocol: int, rest: bytes, kind: int = 0x0800) -> bytes:
    head = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0]) + bytes([192, 0, 2, 1]) + bytes([198, 51, 100, 2])
    return bytes(12) + struct.pack("!H", kind) + head + rest


class TestPackets:
    def test_addresses_and_ports_are_told(self) -> None:
        said = described(frame(6, struct.pack("!HH", 5000, 443) + b"secret"))
        assert said == "TCP 192.0.2.1 port 5000 to 198.51.100.2 port 443"

    @pytest.mark.parametrize(
        ("packet", "said"),
        [
            (frame(1, b"\x08"), "ICMP 192.0.2.1 to 198.51.100.2"),
            (frame(99, b""), "IP protocol 99 192.0.2.1 to 198.51.100.2"),
            (frame(6, b"", kind=0x0806), "ARP"),
            (bytes(12) + b"\x88\xcc", "protocol 0x88cc"),
            (b"", "protocol 0x0000"),
        ],
    )
    def test_other_protocols_and_stumps_are_told_too(self, packet: bytes, said: str) -> None:
        assert described(packet) == said


class TestTrace:
    def test_every_call_that_names_an_address_is_read_with_its_outcome(self) -> None:
        found = [(one.pid, one.place, one.outcome) for one in attempts(TRACE)]
        assert found == [
            (11, "127.0.0.1:6335", "done"),
            (12, "192.0.2.1:53", "done"),
            (13, "[2001:db8::1]:443", "ENETUNREACH"),
            (12, "AF_NETLINK", "done"),
            (12, "unix:@hidden", "ECONNREFUSED"),
            (12, "io_uring_setup", ""),
        ]

    def test_a_call_that_never_returned_is_kept(self) -> None:
        address = '{sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("192.0.2.1")}'
        found = attempts([f"7     connect(3, {address}, 16 <unfinished ...>"])
        assert [one.outcome for one in found] == ["begun"]

    def test_threads_and_children_are_their_parents(self) -> None:
        started = parents(TRACE)
        assert started == {11: 10, 12: 10, 13: 12}
        assert kind_of(13, {10: "web"}, started) == "web"
        assert kind_of(13, {12: "worker", 10: "web"}, started) == "worker"
        assert kind_of(99, {10: "web"}, started) == "a process not known"

    def test_only_what_is_listed_for_this_kind_of_process_is_allowed(self) -> None:
        endpoints = {"127.0.0.1:6335": "vectors"}
        found = {one.destination: one.allowed for one in calls(TRACE, {10: "web"}, endpoints, "/nowhere")}
        assert found == {
            "127.0.0.1:6335": True,
            "192.0.2.1:53": False,
            "[2001:db8::1]:443": False,
            "AF_NETLINK": True,
            "unix:@hidden": False,
            "io_uring_setup": False,
        }
        assert not any(one.allowed for one in calls(TRACE[:3], {10: "redis"}, endpoints, "/nowhere"))


def rule(chain: str, *words: Any) -> dict[str, Any]:
    expressions = [{word: None} if isinstance(word, str) else word for word in words]
    return {"rule": {"table": "t", "chain": chain, "expr": expressions}}


class TestFirewall:
    OUT: ClassVar[dict[str, dict[str, Any]]] = {
        "chain": {"table": "t", "name": "out", "hook": "output", "policy": "drop"}
    }

    def test_stopped_packets_are_counted_in_chains_jumped_to_and_by_named_counters(self) -> None:
        ruleset: list[dict[str, Any]] = [
            self.OUT,
            {"chain": {"table": "t", "name": "by_user"}},
            {"chain": {"table": "t", "name": "in", "hook": "input", "policy": "drop"}},
            {"counter": {"table": "t", "name": "stopped", "packets": 5}},
            rule("out", {"counter": {"packets": 900}}, "accept"),
            rule("out", {"jump": {"target": "by_user"}}),
            rule("by_user", {"counter": {"packets": 2}}, "drop"),
            rule("out", {"counter": "stopped"}),
            rule("in", {"counter": {"packets": 70}}, "drop"),
        ]
        assert counted(ruleset) == Stopped(7, by_default=True)

    def test_an_open_chain_is_told_from_a_closed_one(self) -> None:
        assert not counted([{"chain": {**self.OUT["chain"], "policy": "accept"}}]).by_default

    def test_rules_without_a_chain_for_outgoing_packets_are_no_firewall(self) -> None:
        with pytest.raises(FirewallUnreadableError):
            counted([])


GOOD = Phase(
    "sealed",
    ["lo"],
    [Step("ask", worked=True, seconds=1.0)],
    Watched(),
    [Canary("web", {"TCP": "ENETUNREACH"})],
    Watched(no_route=1),
)


class TestVerdict:
    def test_a_silent_phase_whose_canaries_were_seen_holds(self) -> None:
        assert all(one.held for one in judge.of_phase(GOOD))

    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"steps": [Step("ask", worked=False, seconds=1.0)]}, "sealed: the journey was made"),
            ({"interfaces": ["eth0", "lo"]}, "sealed: nothing but loopback"),
            ({"journey": Watched(packets=1)}, "sealed: packets"),
            ({"journey": Watched(no_route=1)}, "sealed: attempts without a route"),
            ({"canaries": [Canary("web", {"TCP": "went out"})]}, "sealed: every canary failed"),
            ({"canaries": []}, "sealed: every canary failed"),
            ({"canary": Watched()}, "sealed: every canary was seen"),
        ],
    )
    def test_each_thing_that_is_not_as_it_should_be_is_named(self, changed: dict[str, Any], named: str) -> None:
        found = {one.name: one.held for one in judge.of_phase(msgspec.structs.replace(GOOD, **changed))}
        assert found[named] is False

    def test_a_tracer_that_sees_no_canary_proves_nothing(self) -> None:
        quiet = [Call("web", "127.0.0.1:6335", allowed=True, about="vectors", count=3, outcome="done")]
        found = {one.name: one.held for one in judge.of_calls(quiet, {1: "web", 2: "canary as web"})}
        assert found == {
            "calls of every process": True,
            "the tracer sees canaries": False,
            "proxies of the environment are ignored": False,
        }

    def test_without_a_run_nothing_is_claimed(self) -> None:
        assert judge.verdict([Check("x", held=True, words="")], []) == "incomplete"
        assert judge.verdict([Check("x", held=None, words="")], [GOOD]) == "held"
        assert judge.verdict([Check("x", held=False, words="")], [GOOD]) == "broken"


class TestReport:
    MADE = Report(
        "egress-proof", "2026-11-23T12:00:00+00:00", "1", "m", "short", "held", 1.0, [], [GOOD], [], [], ["x"]
    )

    def test_it_is_read_again_with_its_signer(self, tmp_path: Path) -> None:
        by = report.write(self.MADE, tmp_path / "r.json", Signer("01" * 32))
        assert report.read(tmp_path / "r.json") == (self.MADE, by)
        assert by in (tmp_path / "r.md").read_text()
        assert "## Not covered" in (tmp_path / "r.md").read_text()

    def test_everybody_on_the_machine_may_read_it_whatever_the_mask(self, tmp_path: Path) -> None:
        before = os.umask(0o077)
        try:
            report.write(self.MADE, tmp_path / "proofs" / "r.json", Signer("01" * 32))
        finally:
            os.umask(before)
        assert {path.stat().st_mode & 0o777 for path in (tmp_path / "proofs").iterdir()} == {0o644}
        assert (tmp_path / "proofs").stat().st_mode & 0o777 == 0o755

    @pytest.mark.parametrize(
        ("file", "reason"), [("r.json", "not-signed"), ("r.md", "altered"), ("r.json.sig", "not-signed")]
    )
    def test_a_changed_file_is_refused(self, tmp_path: Path, file: str, reason: str) -> None:
        report.write(self.MADE, tmp_path / "r.json", Signer("01" * 32))
        content = (tmp_path / file).read_bytes()
        changed = content.replace(b"short", b"shirt") if b"short" in content else content[:-1] + b"\0"
        (tmp_path / file).write_bytes(changed)
        with pytest.raises(report.ReportRefusedError) as refused:
            report.read(tmp_path / "r.json")
        assert refused.value.reason == reason

    def test_another_signer_is_refused(self, tmp_path: Path) -> None:
        report.write(self.MADE, tmp_path / "r.json", Signer("01" * 32))
        with pytest.raises(report.ReportRefusedError, match="other-signer"):
            report.read(tmp_path / "r.json", signer="0000")

    def test_what_is_no_report_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(report.ReportRefusedError, match="not-a-report"):
            report.read(tmp_path / "none.json")
