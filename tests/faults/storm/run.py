"""The storm itself: senders at every door, and processes killed under them at random points."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from appliance.config import ROOT
from tests.faults.storm.letters import letters
from tests.faults.storm.senders import Senders, write_down

if TYPE_CHECKING:
    from tests.faults.storm.clinic import Clinic

# How often each is killed, among all.
_WEIGHTS: Final = {"mllp": 4, "worker": 4, "machines": 3, "redis": 2, "vectors": 2, "web": 1, "postgres": 2}
_LOOK_S, _SAY_S = 0.05, 10.0
_FULL_S, _HUNG_S = 6.0, 6.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard the storm is; `within_s` is how long it may take to its end."""

    deliveries: int
    kills: int
    seed: int
    flushes: int = 1
    full_disks: int = 1
    hangs: int = 1
    within_s: float = 300.0


@dataclass(slots=True)
class Told:
    """What happened, and what the verdict was."""

    plan: Plan
    distinct: int
    killed: Counter[str] = field(default_factory=Counter)
    by_door: Counter[str] = field(default_factory=Counter)
    again: int = 0
    full_s: float = 0.0
    seconds: float = 0.0
    settled_s: float = 0.0
    verdict: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """Return it for reading."""
        rows: list[tuple[str, object]] = [
            ("seed", self.plan.seed),
            ("distinct messages", self.distinct),
            ("deliveries acknowledged", sum(self.by_door.values())),
            *[(f"  {door}", count) for door, count in sorted(self.by_door.items())],
            ("deliveries sent again", self.again),
            ("SIGKILLs", sum(self.killed.values())),
            *[(f"  {name}", count) for name, count in sorted(self.killed.items())],
            ("Redis flushed", self.plan.flushes),
            ("disk full, s", round(self.full_s, 1)),
            ("vector service hung, times", self.plan.hangs),
            ("storm, s", round(self.seconds, 1)),
            ("until nothing was due, s", round(self.settled_s, 1)),
            *self.verdict.items(),
        ]
        return "\n".join(f"{name:28} {value}" for name, value in rows)


class Storm:
    """One storm over one clinic."""

    def __init__(self, clinic: Clinic, plan: Plan) -> None:
        self.clinic, self.plan = clinic, plan
        self.chance = random.Random(plan.seed)  # noqa: S311 - no secret
        self.letters = letters(plan.deliveries, self.chance)
        self.told = Told(plan, len(self.letters))
        self.senders = Senders(clinic, self.letters, random.Random(plan.seed + 1))  # noqa: S311
        self._limit, self._said = time.monotonic() + plan.within_s, 0.0

    def run(self) -> Told:
        """Send, kill, wait until all is quiet, and judge."""
        begun = time.monotonic()
        self.senders.start()
        try:
            for at, blow in self._plan():
                self._wait_for(at)
                blow()
            while self.senders.busy:
                self._look()
        finally:
            self.senders.stop()
        if self.senders.fault is not None:
            raise self.senders.fault
        self.told.by_door, self.told.again = self.senders.by_door, self.senders.again
        self.told.seconds = time.monotonic() - begun
        self._judge()
        return self.told

    def _plan(self) -> list[tuple[int, Any]]:
        """Return after how many acknowledged deliveries each blow falls, in that order."""
        names = [name for name in _WEIGHTS if name in self.clinic.supervisor.pids()]
        weights = [_WEIGHTS[name] for name in names]
        blows: list[Any] = [self._kill_one(name) for name in names[: self.plan.kills]]  # each at least once
        rest = self.plan.kills - len(blows)
        blows += [self._kill_one(name) for name in self.chance.choices(names, weights, k=rest)]
        blows += [self._flush] * self.plan.flushes
        blows += [self._fill_the_disk] * self.plan.full_disks + [self._hang] * self.plan.hangs
        self.chance.shuffle(blows)
        whole = sum(one.copies for one in self.letters) * 0.95
        return sorted(((int(self.chance.random() * whole), blow) for blow in blows), key=lambda pair: pair[0])

    def _kill_one(self, name: str) -> Any:
        def kill() -> None:
            self.clinic.kill(name, self.chance)
            self.told.killed[name] += 1

        return kill

    def _flush(self) -> None:
        self.clinic.flush_redis()

    def _hang(self) -> None:
        pid = self.clinic.hang("vectors")
        self._look_for(_HUNG_S)
        self.clinic.go_on(pid)

    def _fill_the_disk(self) -> None:
        begun = time.monotonic()
        while time.monotonic() < begun + _FULL_S:
            self.clinic.disk.fill(self.clinic.pids())
            self._look()
        self.clinic.disk.vacate(self.clinic.pids())
        self.told.full_s += time.monotonic() - begun

    def _wait_for(self, deliveries: int) -> None:
        while self.senders.acknowledged < deliveries and self.senders.busy:
            self._look()

    def _look_for(self, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self._look()

    def _look(self) -> None:
        self.clinic.supervisor.look()
        time.sleep(_LOOK_S)
        if self.senders.fault is not None:
            raise self.senders.fault
        self._say_how_far()
        if time.monotonic() > self._limit:
            done = f"{self.senders.acknowledged} acknowledged, {self.told.killed.total()} killed"
            raise AssertionError(f"not within {self.plan.within_s:.0f} s: {done}\n{self.clinic.log_ends()}")

    def _say_how_far(self) -> None:
        """Write a line every ten seconds into the log folder: a storm may last an hour."""
        if time.monotonic() - self._said > _SAY_S:
            self._said = time.monotonic()
            with (self.clinic.folder / "log" / "storm.log").open("a") as log:
                log.write(f"{self.senders.acknowledged} acknowledged, {self.told.killed.total()} killed\n")

    def _judge(self) -> None:
        path, answer = self.clinic.folder / "letters.jsonl", self.clinic.folder / "verdict.json"
        write_down(self.letters, path)
        begun = time.monotonic()
        left = max(10.0, self._limit - begun)
        command = self.clinic.program("-m", "tests.faults.storm.verdict", str(path), f"{left:.0f}")
        with answer.open("wb") as out, (self.clinic.folder / "log" / "verdict.log").open("wb") as log:
            judging = subprocess.Popen(command, cwd=ROOT, env=self.clinic.child_environment(), stdout=out, stderr=log)
            while judging.poll() is None:
                self.clinic.supervisor.look()
                time.sleep(_LOOK_S)
        if judging.returncode:
            raise AssertionError(self.clinic.log_ends())
        self.told.settled_s = time.monotonic() - begun
        self.told.verdict = json.loads(answer.read_text())


def check(told: Told) -> None:
    """Assert that nothing acknowledged was lost and nothing had two effects.

    Raises:
        AssertionError: with the whole table.
    """
    verdict, table = told.verdict, told.table()
    assert verdict["faults"] == {}, table
    assert verdict["left"] == {"jobs": 0, "changes": 0}, table
    assert verdict["conservation"] == {"holds": True, "difference": 0, "broken": 0}, table
    assert verdict["index"] == {"missing": 0, "orphaned": 0, "stale": 0}, table
    assert verdict["trail"]["first_broken"] is None, table
    assert verdict["trail"]["rows"] > 0, table
    effects = verdict["effects"]
    assert effects["observations"] == effects["observation_facts"], table
    assert effects["facts_of_no_current_version"] == effects["failed"] == 0, table
    assert told.killed.total() == told.plan.kills, table
    assert sum(told.by_door.values()) >= told.plan.deliveries, table
