"""Makes the proof: the runs in their namespaces, the firewall of this machine, the switches, and the verdict."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.backup.make import product_version
from appliance.config import ROOT, environment
from appliance.proof import allowed, firewall, gathered, judge, telemetry
from appliance.proof.environment import run_environment
from appliance.proof.journey import RESULT
from appliance.proof.namespaces import apart, why_not, why_not_traced
from appliance.proof.shapes import SEALED, TEMPTED, Call, Check, Phase, Plan, Report, Result
from appliance.proof.stage import TRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from appliance.config import Config

KIND: Final = "egress-proof"
SHORT: Final = "short"
FULL: Final = "full"
_LONGEST_S: Final = {SHORT: 560.0, FULL: 3600.0}
_NEVER_COVERED: Final = (
    "other programs of this machine: time service, package manager, system logger, the kernel's own packets",
    "firmware, management controller and hypervisor, which send without asking the operating system",
    "what an allowed address on this site does with what it is given",
    "people, screens, printers and removable media",
)
_NOT_IN_A_RUN: Final = (
    "this installation's own units, users and PostgreSQL: the runs have the same code, as one user, with SQLite",
    "the sandboxes of the units: `systemd-analyze security` judges them",
)
_NOT_IN_SHORT: Final = (
    "the short form starts the processes where there is no route, and runs no command and no backup under temptation",
    "the short form takes in a few files of the synthetic clinic",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be proved: the form, and whether the model server takes part. `leak` is for tests only.

    `gathered`: where units left what the firewall and the canaries did; None: this process, if root's, tries itself.
    """

    form: str = FULL
    model: bool = False
    leak: tuple[str, ...] = ()
    bare: bool = False
    gathered: Path | None = None


@dataclass(slots=True)
class _Found:
    checks: list[Check] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)


def prove(settings: Config, wanted: Wanted, *, now: datetime, say: Callable[[str], None]) -> Report:
    """Make the proof; takes from half a minute (short) to some minutes (full, with a model).

    Args:
        settings: of this installation; its record is not touched.
        wanted: what is to be proved.
        now: timezone-aware; stands in the report.
        say: told how far it is.
    """
    begun, found = time.monotonic(), _Found()
    reason = why_not()
    if reason:
        found.checks.append(Check("namespaces", None, f"none can be made here: {reason}"))
        found.not_covered.append("everything that needs a network namespace: packets, calls, canaries of the processes")
    else:
        _run_all(settings, wanted, found, say)
    tried = gathered.checks(wanted.gathered, now=now) if wanted.gathered else firewall.checks()
    found.checks += [_switches(), *tried]
    found.not_covered += [f"{one.name}: {one.words}" for one in found.checks if one.held is None]
    found.not_covered += [*(_NOT_IN_SHORT if wanted.form == SHORT else ()), *_NOT_IN_A_RUN, *_NEVER_COVERED]
    if not wanted.model:
        found.not_covered.append("the model server: it did not take part")
    return Report(
        kind=KIND,
        made_at=now.isoformat(),
        product=product_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        form=wanted.form,
        verdict=judge.verdict(found.checks, found.phases),
        seconds=round(time.monotonic() - begun, 1),
        checks=found.checks,
        phases=found.phases,
        calls=found.calls,
        telemetry=telemetry.listed(),
        not_covered=found.not_covered,
        remarks=found.remarks,
    )


def _run_all(settings: Config, wanted: Wanted, found: _Found, say: Callable[[str], None]) -> None:
    untraced = why_not_traced()
    if untraced:
        found.checks.append(Check("calls of every process", None, f"they cannot be traced here: {untraced}"))
    for journeys in [[SEALED, TEMPTED]] if wanted.form == SHORT else [[SEALED], [TEMPTED]]:
        say(f"run: {' and '.join(journeys)}")
        with TemporaryDirectory(prefix="egress-") as folder:
            plan = Plan(
                folder=folder,
                journeys=journeys,
                whole=wanted.form == FULL,
                model=wanted.model,
                leak=list(wanted.leak),
                bare=wanted.bare,
            )
            _run(settings, plan, found, traced=not untraced, longest_s=_LONGEST_S[wanted.form])


def _run(settings: Config, plan: Plan, found: _Found, *, traced: bool, longest_s: float) -> None:
    folder = Path(plan.folder)
    file = folder / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    stage = [*apart(), sys.executable, "-m", "appliance.proof.stage", str(file), *(["--traced"] if traced else [])]
    name = f"run {' and '.join(plan.journeys)}"
    try:
        done = subprocess.run(
            stage,
            cwd=ROOT,
            env=run_environment(folder, settings),
            capture_output=True,
            text=True,
            timeout=longest_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        found.checks.append(Check(name, held=False, words=f"it did not end within {longest_s:.0f} s"))
        return
    result = _result(folder, done.stderr)
    if result.fault:
        found.checks.append(Check(name, held=False, words=result.fault))
    found.phases += result.phases
    found.remarks += result.remarks
    for phase in result.phases:
        found.checks += judge.of_phase(phase)
    if traced and (folder / TRACE).exists():
        lines = (folder / TRACE).read_text().splitlines()
        calls = allowed.calls(lines, result.kinds, result.endpoints, plan.folder)
        found.calls += calls
        judged = judge.of_calls(calls, result.kinds) if not result.fault else ()
        told = f"{plan.journeys[0]}: " if plan.whole else ""  # the full form has two runs
        found.checks += [Check(f"{told}{one.name}", one.held, one.words) for one in judged]
        found.remarks += judge.remarks(calls)


def _result(folder: Path, errors: str) -> Result:
    try:
        return msgspec.json.decode((folder / RESULT).read_bytes(), type=Result)
    except (OSError, msgspec.MsgspecError):
        return Result(fault="; ".join(_last(errors.splitlines())) or "the run left no result")


def _last(lines: Sequence[str]) -> Sequence[str]:
    return [line for line in lines if line.strip()][-3:]


def _switches() -> Check:
    left = telemetry.left_on(environment())
    count = len({name for row in telemetry.libraries() for name in row["switches"]})
    words = f"{count} switches are set in the environment of every child"
    return Check("telemetry switched off", not left, words if not left else f"not set: {', '.join(left)}")
