"""What small units left for the proof is judged: rules before and after, and each service user's own attempt."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from appliance.proof import gathered
from appliance.proof.canary import WENT_OUT

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
USER = "appliance-web"
STOPPED = {"TCP": "EPERM", "UDP": "EPERM"}


def rules(packets: int, policy: str = "drop") -> str:
    return json.dumps(
        {
            "nftables": [
                {"chain": {"table": "appliance", "name": "output", "hook": "output", "policy": policy}},
                {"counter": {"table": "appliance", "name": "out_appliance_web", "packets": packets}},
            ]
        }
    )


def leave(folder: Path, name: str, text: str, *, ago_s: float) -> None:
    (folder / name).write_text(text)
    at = NOW.timestamp() - ago_s
    os.utime(folder / name, (at, at))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder of units that did well: two packets of one user were stopped and counted."""
    leave(tmp_path, gathered.BEFORE, rules(3), ago_s=30)
    leave(tmp_path, f"canary-{USER}.json", json.dumps(STOPPED), ago_s=20)
    leave(tmp_path, gathered.AFTER, rules(5), ago_s=10)
    return tmp_path


def held(folder: Path) -> list[bool | None]:
    return [one.held for one in gathered.checks(folder, now=NOW, users=[USER])]


def test_a_stopped_and_counted_attempt_holds(left: Path) -> None:
    found = gathered.checks(left, now=NOW, users=[USER])
    assert [one.held for one in found] == [True, True]
    assert "2 packets" in found[1].words


def test_where_nothing_was_left_the_proof_is_broken(tmp_path: Path) -> None:
    assert held(tmp_path) == [False]


def test_a_user_whose_canary_never_went_breaks_it(left: Path) -> None:
    (left / f"canary-{USER}.json").unlink()
    assert held(left) == [True, False]


def test_a_canary_that_got_out_breaks_it(left: Path) -> None:
    leave(left, f"canary-{USER}.json", json.dumps({**STOPPED, "TCP": WENT_OUT}), ago_s=20)
    assert held(left) == [True, False]


@pytest.mark.parametrize("ago_s", [90, 5])
def test_a_canary_that_did_not_go_between_the_two_readings_breaks_it(left: Path, ago_s: float) -> None:
    leave(left, f"canary-{USER}.json", json.dumps(STOPPED), ago_s=ago_s)
    assert held(left) == [True, False]


def test_a_counter_that_did_not_move_breaks_it(left: Path) -> None:
    leave(left, gathered.AFTER, rules(3), ago_s=10)
    assert held(left) == [True, False]


def test_another_user_s_counter_proves_nothing(left: Path) -> None:
    found = gathered.checks(left, now=NOW, users=["appliance-vllm", USER])
    assert [one.held for one in found] == [True, False, True]


def test_a_firewall_that_lets_out_what_it_does_not_know_breaks_it(left: Path) -> None:
    leave(left, gathered.AFTER, rules(5, policy="accept"), ago_s=10)
    assert held(left) == [False, True]


@pytest.mark.parametrize("text", ["", "{", "{}", "[]"])
def test_rules_that_cannot_be_read_break_it(left: Path, text: str) -> None:
    leave(left, gathered.AFTER, text, ago_s=10)
    assert held(left) == [False]


def test_rules_of_another_proof_break_it(left: Path) -> None:
    leave(left, gathered.AFTER, rules(5), ago_s=2000)
    assert held(left) == [False]


def test_a_machine_without_service_users_is_no_site(left: Path) -> None:
    assert [one.held for one in gathered.checks(left, now=NOW, users=[])] == [None]
