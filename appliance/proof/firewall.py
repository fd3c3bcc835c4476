"""What the machine's own firewall does with canaries, one for each service user; only on a site, and only as root."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from appliance.config import ROOT, environment
from appliance.proof.canary import WENT_OUT
from appliance.proof.releasing import canary_command
from appliance.proof.shapes import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USERS: Final = "appliance-"
_ATTEMPTS: Final = ("TCP", "UDP")
_STOPS: Final = frozenset({"drop", "reject"})
_GOES_ON: Final = frozenset({"accept", "return", "jump", "goto", "continue"})
NAME: Final = "firewall of this machine"


class FirewallUnreadableError(Exception):
    """The rules cannot be listed; the message says why."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Packets stopped on their way out so far, and whether anything that no rule takes is stopped too."""

    packets: int
    by_default: bool


def checks(users: Sequence[str] | None = None) -> list[Check]:
    """Let a canary go as each service user and compare the counters before and after.

    Args:
        users: names to act as; None takes every user whose name begins with `appliance-`.
    """
    if users is None:
        users = sorted(one.pw_name for one in pwd.getpwall() if one.pw_name.startswith(USERS))
    if not users:
        return [Check(NAME, None, "there are no service users here: not a site")]
    if os.geteuid() != 0:
        return [Check(NAME, None, "only root may act as the service users")]
    try:
        return list(_checked(users))
    except FirewallUnreadableError as error:
        return [Check(NAME, held=False, words=f"its rules cannot be listed: {error}")]


def _checked(users: Sequence[str]) -> Iterator[Check]:
    before = stopped()
    words = "what no rule allows is stopped" if before.by_default else "no chain stops what it does not know"
    yield Check(f"{NAME}: outgoing", before.by_default, words)
    for user in users:
        attempts = _release_as(user)
        after = stopped()
        out = [name for name, end in attempts.items() if end == WENT_OUT]
        told = ", ".join(f"{name}: {end}" for name, end in attempts.items())
        held = bool(attempts) and not out and after.packets > before.packets
        yield Check(f"{NAME}: canary as {user}", held, f"{told}; {after.packets - before.packets} packets counted")
        before = after


def _release_as(user: str) -> dict[str, str]:
    known = pwd.getpwnam(user)
    become = ["setpriv", f"--reuid={known.pw_uid}", f"--regid={known.pw_gid}", "--clear-groups", "--no-new-privs"]
    done = subprocess.run(
        [*become, *canary_command(_ATTEMPTS)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return found


def stopped() -> Stopped:
    """Return what nftables has stopped on its way out.

    Raises:
        FirewallUnreadableError: no nft, no right to list the rules, or no chain for outgoing packets.
    """
    if shutil.which("nft") is None:
        raise FirewallUnreadableError("the program nft (Debian package nftables) is missing")
    done = subprocess.run(["nft", "--json", "list", "ruleset"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FirewallUnreadableError(done.stderr.strip().partition("\n")[0])
    return counted(json.loads(done.stdout)["nftables"])


def counted(ruleset: Sequence[dict[str, Any]]) -> Stopped:
    """Return what a listed ruleset says: counters in rules that drop or reject, and named ones they refer to.

    Raises:
        FirewallUnreadableError: there is no chain for outgoing packets.
    """
    chains = [one["chain"] for one in ruleset if "chain" in one]
    outgoing = [one for one in chains if one.get("hook") == "output"]
    if not outgoing:
        raise FirewallUnreadableError("there is no chain for outgoing packets")
    named = {(one["counter"]["table"], one["counter"]["name"]): one["counter"] for one in ruleset if "counter" in one}
    reached = {(one["table"], one["name"]) for one in outgoing}
    rules = [one["rule"] for one in ruleset if "rule" in one]
    for _ in chains:  # chains that are jumped to, however deep
        reached |= {(rule["table"], name) for rule in rules if _place(rule) in reached for name in _targets(rule)}
    packets = 0
    for rule in rules:
        words = {word for expression in rule["expr"] for word in expression}
        stops = bool(words & _STOPS) or (_place(rule)[1] in _closing(outgoing) and not words & _GOES_ON)
        if _place(rule) in reached and stops:
            packets += sum(_count(expression, rule["table"], named) for expression in rule["expr"])
    return Stopped(packets, any(one.get("policy") == "drop" for one in outgoing))


def _closing(outgoing: Sequence[dict[str, Any]]) -> set[str]:
    """Return the chains whose counters without a verdict count what the policy then drops."""
    return {one["name"] for one in outgoing if one.get("policy") == "drop"}


def _place(rule: dict[str, Any]) -> tuple[str, str]:
    return rule["table"], rule["chain"]


def _targets(rule: dict[str, Any]) -> Iterator[str]:
    for expression in rule["expr"]:
        for word in ("jump", "goto"):
            if word in expression:
                yield expression[word]["target"]


def _count(expression: dict[str, Any], table: str, named: dict[tuple[str, str], dict[str, Any]]) -> int:
    counter = expression.get("counter")
    if isinstance(counter, str):
        counter = named.get((table, counter))
    return int(counter["packets"]) if isinstance(counter, dict) else 0
