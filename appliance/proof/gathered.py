"""What small units left for a proof that is not root's: the firewall before and after, and each service user's canary.

They run before the proof, in this order: the rules with their counters, the canaries, the rules again. Their output is
written by the service manager, so that no service user can write another's.
"""

from __future__ import annotations

import json
import pwd
from typing import TYPE_CHECKING, Any, Final

from appliance.proof.canary import WENT_OUT
from appliance.proof.firewall import NAME, USERS, FirewallUnreadableError, counted
from appliance.proof.shapes import Check

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

BEFORE: Final = "rules-before.json"
AFTER: Final = "rules-after.json"
_CANARY: Final = "canary-{}.json"
_NEWEST_S: Final = 900.0  # older files are of another proof

Ruleset = list[dict[str, Any]]


def checks(folder: Path, *, now: datetime, users: Sequence[str] | None = None) -> list[Check]:
    """Judge what was left.

    Args:
        folder: where it lies.
        now: timezone-aware; files older than a quarter of an hour are refused.
        users: names that must each have sent a canary; None is every user whose name begins with `appliance-`.
    """
    if users is None:
        users = sorted(one.pw_name for one in pwd.getpwall() if one.pw_name.startswith(USERS))
    if not users:
        return [Check(NAME, None, "there are no service users here: not a site")]
    try:
        before, after = _rules(folder / BEFORE, now), _rules(folder / AFTER, now)
        closed = counted(after).by_default
    except FirewallUnreadableError as error:
        return [Check(NAME, held=False, words=f"its rules cannot be read: {error}")]
    words = "what no rule allows is stopped" if closed else "no chain stops what it does not know"
    told = [Check(f"{NAME}: outgoing", closed, words)]
    between = ((folder / BEFORE).stat().st_mtime, (folder / AFTER).stat().st_mtime)
    return [*told, *(_canary(folder, user, before, after, between) for user in users)]


def _canary(folder: Path, user: str, before: Ruleset, after: Ruleset, between: tuple[float, float]) -> Check:
    name, file = f"{NAME}: canary as {user}", folder / _CANARY.format(user)
    try:
        attempts: dict[str, str] = json.loads(file.read_bytes())
        at = file.stat().st_mtime
    except (OSError, ValueError):
        return Check(name, held=False, words="none went: its unit left nothing")
    if not between[0] <= at <= between[1]:
        return Check(name, held=False, words="it did not go between the two readings of the counters")
    packets = _own(after, user) - _own(before, user)
    told = ", ".join(f"{one}: {end}" for one, end in attempts.items())
    held = bool(attempts) and WENT_OUT not in attempts.values() and packets > 0
    return Check(name, held, f"{told}; {packets} packets in this user's own counter")


def _own(ruleset: Ruleset, user: str) -> int:
    """Return what the counters of this name hold; 0 where there is none, which no canary passes."""
    wanted = f"out_{user.replace('-', '_')}"
    return sum(int(one["counter"]["packets"]) for one in ruleset if one.get("counter", {}).get("name") == wanted)


def _rules(file: Path, now: datetime) -> Ruleset:
    try:
        age_s = now.timestamp() - file.stat().st_mtime
        found: Ruleset = json.loads(file.read_bytes())["nftables"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FirewallUnreadableError(f"{file.name} is missing or not readable") from None
    if age_s > _NEWEST_S:
        raise FirewallUnreadableError(f"{file.name} is of another proof, {age_s:.0f} s old")
    return found
