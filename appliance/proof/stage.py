"""The outside world of one run. Started in namespaces of its own; starts the journey in one more.

Usage: python -m appliance.proof.stage PLAN.json [--traced]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import msgspec

from appliance.config import environment
from appliance.proof import world
from appliance.proof.allowed import MASKED
from appliance.proof.capture import Capture
from appliance.proof.namespaces import tracing
from appliance.proof.places import SINK_4
from appliance.proof.shapes import Plan

TRACE: Final = "trace"


def main() -> None:
    """Stage the world, run the journey, answer what it asks, and end with its exit code."""
    file, traced = Path(sys.argv[1]), "--traced" in sys.argv
    plan = msgspec.json.decode(file.read_bytes(), type=Plan)
    world.loopback_up()
    _redirect_names(Path(plan.folder))
    world.open_world()
    seen = Capture(incoming=True)
    inner = ["unshare", "--net", sys.executable, "-m", "appliance.proof.journey", str(file)]
    outer = tracing(str(Path(plan.folder) / TRACE)) if traced else []
    with subprocess.Popen(
        [*outer, *inner], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as journey:
        if journey.stdin is None or journey.stdout is None:
            raise world.StagingError("no pipes")
        for line in journey.stdout:
            _serve(line.split(), journey.stdin, seen)
    raise SystemExit(journey.returncode)


def _serve(words: list[str], reply: IO[str], seen: Capture) -> None:
    """Do what the journey asks: `attach PID`, or `since COUNT`."""
    match words:
        case ["attach", pid]:
            try:
                world.reach_into(int(pid))
            except world.StagingError as error:
                reply.write(f"{error}\n")
            else:
                reply.write("attached\n")
        case ["since", count]:
            reply.write(msgspec.json.encode(seen.since(int(count))).decode() + "\n")
        case _:
            sys.stderr.write(" ".join(words) + "\n")
            return
    reply.flush()


def _redirect_names(folder: Path) -> None:
    """Make the sink the name server of everything started here, and take away the daemons that know names."""
    file = folder / "resolv.conf"
    file.write_text(f"nameserver {SINK_4}\noptions timeout:1 attempts:1\n")
    target = Path("/etc/resolv.conf")
    if target.exists():
        subprocess.run(["mount", "--bind", str(file), str(target)], check=True)
    for masked in MASKED:
        if Path(masked).is_dir():
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", masked], check=True)


if __name__ == "__main__":
    main()
