"""The egress proof is made with the real processes, and it is seen to fail where something leaves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from appliance.backup.keys import Signer
from appliance.config import Config, config
from appliance.proof import report
from appliance.proof.judge import BROKEN, HELD, INCOMPLETE
from appliance.proof.make import SHORT, Wanted, prove
from appliance.proof.namespaces import apart, why_not, why_not_traced
from appliance.proof.shapes import SEALED, TEMPTED, Phase, Report

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NO_NAMESPACES = why_not() or ("" if shutil.which("ip") else "the program ip is missing")
NO_TRACE = why_not_traced()
in_namespaces = pytest.mark.skipif(bool(NO_NAMESPACES), reason=f"no network namespaces here: {NO_NAMESPACES}")
traced = pytest.mark.skipif(bool(NO_TRACE), reason=f"no tracing here: {NO_TRACE}")


def checks(made: Report) -> dict[str, bool | None]:
    return {one.name: one.held for one in made.checks}


def phase(made: Report, name: str) -> Phase:
    return next(one for one in made.phases if one.name == name)


@in_namespaces
@pytest.mark.timeout(600)
@pytest.mark.skipif(not (config().embedder_path / "model.onnx").exists(), reason="the embedder is not prepared")
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is missing")
@pytest.mark.skipif(
    bool(config().database_url), reason="the run has a database of its own: once, with SQLite, is enough"
)
def test_nothing_leaves_while_the_real_processes_do_their_work(tmp_path: Path) -> None:
    lines: list[str] = []
    made = prove(config(), Wanted(form=SHORT), now=NOW, say=lines.append)

    assert [one for one in made.checks if one.held is False] == []
    assert made.verdict == HELD
    worked = {step.name for one in made.phases for step in one.steps if step.worked}
    assert {"files", "FHIR Bundle", "HL7 v2 message", "question over the API", "question on a page"} <= worked
    assert {"taken in by the worker", "decision support", "backup"} <= worked
    assert {one.kind for one in phase(made, TEMPTED).canaries} == {
        "manage.py", "redis", "vectors", "worker", "web", "machines", "mllp",
    }  # fmt: skip
    if not NO_TRACE:
        reached = {(one.kind, one.about) for one in made.calls}
        assert {("web", "vectors"), ("worker", "redis"), ("worker", "vectors"), ("mllp", "redis")} <= reached
    signer = Signer("5a" * 32)
    by = report.write(made, tmp_path / "egress.json", signer)
    assert report.read(tmp_path / "egress.json", signer=by) == (made, by)
    assert "Nothing left" in (tmp_path / "egress.md").read_text()


@pytest.fixture(scope="module")
def made() -> Report:
    """A proof in which one program leaks in every way that canaries know."""
    leak = (sys.executable, "-m", "appliance.proof.canary")
    return prove(config(), Wanted(form=SHORT, leak=leak, bare=True), now=NOW, say=lambda _line: None)


@in_namespaces
class TestItCanFail:
    def test_a_leak_is_found_where_there_is_no_way_out(self, made: Report) -> None:
        assert checks(made)["sealed: attempts without a route"] is False
        assert phase(made, SEALED).journey.no_route >= 4

    def test_a_leak_is_found_in_the_sink(self, made: Report) -> None:
        seen = phase(made, TEMPTED).journey
        assert checks(made)["tempted: packets"] is False
        assert seen.packets > 4
        assert any("UDP" in one and "port 53" in one for one in seen.shown)

    def test_the_proof_is_broken_then(self, made: Report) -> None:
        assert made.verdict == BROKEN

    @traced
    def test_the_tracer_names_the_process_and_the_destination(self, made: Report) -> None:
        bad = {(one.kind, one.destination) for one in made.calls if not one.allowed}
        assert {("web", "192.0.2.1:443"), ("web", "198.51.100.1:53"), ("web", "[2001:db8:ffff::1]:443")} <= bad
        assert checks(made)["calls of every process"] is False

    @traced
    def test_a_proxy_of_the_environment_that_is_used_is_found(self, made: Report) -> None:
        assert checks(made)["proxies of the environment are ignored"] is False

    def test_every_canary_fails_without_a_route_and_goes_out_with_one(self, made: Report) -> None:
        sealed, tempted = phase(made, SEALED).canaries[0].attempts, phase(made, TEMPTED).canaries[0].attempts
        assert len(sealed) == 5
        assert "went out" not in sealed.values()
        assert set(tempted.values()) == {"went out"}

    def test_no_content_is_written_down(self, made: Report) -> None:
        assert "canary.example.com" not in msgspec.json.encode(made).decode()


class TestWhereNamespacesCannotBeMade:
    @pytest.fixture
    def unmade(self, monkeypatch: pytest.MonkeyPatch) -> Report:
        monkeypatch.setattr("appliance.proof.make.why_not", lambda: "Operation not permitted")
        return prove(Config(), Wanted(form=SHORT), now=NOW, say=lambda _line: None)

    def test_it_says_so_and_claims_nothing(self, unmade: Report) -> None:
        assert unmade.verdict == INCOMPLETE
        assert any("Operation not permitted" in one for one in unmade.not_covered)
        assert unmade.phases == []

    def test_what_remains_is_checked_all_the_same(self, unmade: Report) -> None:
        assert checks(unmade)["telemetry switched off"] is True


@in_namespaces
@pytest.mark.skipif(shutil.which("nft") is None, reason="the program nft is missing")
@pytest.mark.parametrize(
    ("ending", "held"),
    [("counter name stopped_out drop", True), ("counter accept", False)],
    ids=["closed", "open"],
)
def test_the_firewall_s_counters_tell_a_closed_one_from_an_open_one(tmp_path: Path, ending: str, held: bool) -> None:
    rules = f"""table inet t {{
      counter stopped_out {{ }}
      chain out {{
        type filter hook output priority 0; policy {"drop" if held else "accept"};
        meta oifname lo accept
        {ending}
      }}
    }}
    """
    (tmp_path / "rules.nft").write_text(rules)
    code = """
import subprocess, sys
from appliance.proof import firewall, world
world.loopback_up()
world.ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
world.ip("address", "add", "192.0.2.9/24", "dev", "d0")
world.ip("link", "set", "d0", "up")
world.ip("link", "set", "d1", "up")
subprocess.run(["nft", "-f", sys.argv[1]], check=True)
print([one.held for one in firewall.checks(["root"])])
"""
    inside = [*apart(), sys.executable, "-c", code, str(tmp_path / "rules.nft")]
    done = subprocess.run(inside, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([held, held])
