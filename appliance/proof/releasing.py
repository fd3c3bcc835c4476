"""Lets canaries go: one for each kind of process, with that process's environment."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from appliance.config import ROOT
from appliance.proof.allowed import CANARY
from appliance.proof.shapes import Canary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST_S: Final = 30.0


def release_canaries(environments: Mapping[str, Mapping[str, str]], kinds: dict[int, str]) -> list[Canary]:
    """Let one canary go for each kind; its process id is noted in `kinds`."""
    started = {}
    for kind, environment in environments.items():
        process = subprocess.Popen(canary_command(), cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, text=True)
        kinds[process.pid] = f"{CANARY}{kind}"
        started[kind] = process
    found = []
    for kind, process in started.items():
        out, _ = process.communicate(timeout=_LONGEST_S)
        found.append(Canary(kind, json.loads(out) if process.returncode == 0 else {"start": "did not start"}))
    return found


def canary_command(attempts: Sequence[str] = ()) -> list[str]:
    """Return the program that makes the attempts."""
    return [sys.executable, "-m", "appliance.proof.canary", *attempts]
