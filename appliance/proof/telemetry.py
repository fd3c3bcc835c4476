"""Every library that speaks to somebody unless told not to, with the switch that tells it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from appliance.config import QUIET

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def _table() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files("appliance.proof").joinpath("telemetry.json").read_text())
    return document


def libraries() -> list[dict[str, Any]]:
    """Return one object a library: `library`, `environment`, `speaks`, `switches`, `found`."""
    rows: list[dict[str, Any]] = _table()["libraries"]
    return rows


def no_telemetry() -> dict[str, str]:
    """Return the variables set beside the switches, with their reason."""
    reasons: dict[str, str] = _table()["no_telemetry"]
    return reasons


def left_on(environment: Mapping[str, str]) -> list[str]:
    """Return the switches that do not stand as they should in a process's environment."""
    return sorted(name for row in libraries() for name in row["switches"] if environment.get(name) != QUIET.get(name))


def listed() -> list[dict[str, str]]:
    """Return the table as the report shows it."""
    rows = []
    for row in libraries():
        told = ", ".join(f"{name}={QUIET[name]}" for name in row["switches"]) or "none needed"
        rows.append({**{name: row[name] for name in ("library", "environment", "speaks", "found")}, "switches": told})
    return rows
