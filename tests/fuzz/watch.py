"""What is looked at while inputs are sent: answers, time, memory, the log and the trail."""

from __future__ import annotations

import gc
import json
import logging
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Protocol

from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings

from appliance.logs import JsonLines
from clinical.keys import forget_keys
from clinical.models import AuditEvent
from clinical.ports import backends
from tests.fuzz.alter import CANARY
from tests.fuzz.quiet import quiet_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

SLOWEST_S: Final = 1.0
TRIES: Final = 3  # of an input that was slow once: the machine may have been busy
BATCH: Final = 100
GRAMMAR_SHARE: Final = 0.25
MOST_FAULTS: Final = 20
# Growth of resident memory over the last seven tenths of the altered inputs.
GROWTH_SHARE: Final = 0.05
GROWTH_BYTES: Final = 16 * 2**20
_DATABASES: Final = ("default", "audit")
_PAGE: Final = 4096


class FaultError(Exception):
    """An answer that no input may get. `kind` says what is wrong with it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Door(Protocol):
    """A door under test. `stages` name how far an input can come; `send` says how many of them it passed."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def stages(self) -> tuple[str, ...]:
        """How far an input can come, in order."""

    @property
    def slowest_s(self) -> float:
        """Seconds that one input may take."""

    def altered(self, chance: Random) -> Any:
        """Return a valid input, damaged."""

    def grammar(self) -> SearchStrategy[Any]:
        """Return inputs by the door's grammar."""

    def send(self, sample: Any) -> int:
        """Send it and return how many stages it passed.

        Raises:
            FaultError: the answer is not one that the door may give.
        """


class _Ears(logging.Handler):
    """Hears every line that the log would hold, as the log would hold it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(JsonLines())
        self.told = ""

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if CANARY.lower() in line.lower():
            self.told = f"{record.name} {record.pathname.rsplit('/', 1)[-1]}:{record.lineno}"


class Watch:
    """Sends inputs to one door and keeps what came of them."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.sent = 0
        self.reached: Counter[int] = Counter()
        self.times: list[float] = []
        self.memory: list[int] = []
        self.faults: list[tuple[str, str]] = []
        self._ears = _Ears()
        self._saved: list[tuple[str, str]] = []

    def run(self, count: int, number: int) -> None:
        """Send `count` inputs: a quarter by grammar, the others altered; `number` chooses which."""
        with self._listening(), quiet_client():
            self._open()
            chance = Random(number)  # noqa: S311 - the same inputs every time
            for _ in range(count - int(count * GRAMMAR_SHARE)):
                self._one(self.door.altered(chance))
            measured = len(self.memory)
            self._by_grammar(count - self.sent, number)
            self._close()
            # Hypothesis keeps a tree of what it has drawn, so its part says nothing of the door's memory.
            del self.memory[max(measured, 1) :]

    def _by_grammar(self, count: int, number: int) -> None:
        shown = settings(
            max_examples=max(count, 1),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )

        @seed(number)
        @shown
        @given(self.door.grammar())
        def each(sample: Any) -> None:
            self._one(sample)

        each()

    def _one(self, sample: Any) -> None:
        fault, taken = self._tried(sample)
        for _ in range(TRIES - 1):
            if fault or taken <= self.door.slowest_s:
                break
            fault, taken = self._tried(sample)
        if not fault and taken > self.door.slowest_s:
            fault = f"slow: {taken:.1f} s"
        if self._ears.told and not fault:
            fault = f"log: {self._ears.told}"
        self._ears.told = ""
        if fault and len(self.faults) < MOST_FAULTS:
            self.faults.append((fault, repr(sample)[:3000]))
        self.times.append(taken)
        self.sent += 1
        if self.sent % BATCH == 0:
            self._close()
            self._open()

    def _tried(self, sample: Any) -> tuple[str, float]:
        begun, fault, passed = time.perf_counter(), "", 0
        try:
            passed = self.door.send(sample)
        except FaultError as error:
            fault = error.kind
        except Exception as error:
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            place = f"{where.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{where.tb_lineno}" if where else ""
            fault = f"raised: {type(error).__name__} at {place}: {str(error)[:200]}"
        taken = time.perf_counter() - begun
        self.reached[passed] += 1
        return fault, taken

    def _open(self) -> None:
        """Begin a batch, whose effects are taken back: the last input meets the same record as the first."""
        self._saved = [(name, transaction.savepoint(using=name) or "") for name in _DATABASES]

    def _close(self) -> None:
        for detail in AuditEvent.objects.order_by("-seq").values_list("detail", flat=True)[: 4 * BATCH]:
            if CANARY.lower() in json.dumps(detail).lower():
                self.faults.append(("trail", json.dumps(detail)[:300]))
        for name, saved in self._saved:
            transaction.savepoint_rollback(saved, using=name)
            transaction.set_rollback(False, using=name)
        forget_keys()
        originals = backends().originals
        getattr(originals, "held", {}).clear()
        getattr(backends().wake, "sent", []).clear()
        gc.collect()
        self.memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        root = logging.getLogger()
        held, level = root.handlers[:], root.level
        root.handlers[:] = [self._ears]
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.handlers[:] = held
            root.setLevel(level)

    @property
    def growth(self) -> tuple[int, int]:
        """Bytes by which resident memory grew after the first third, and by how many it may."""
        third = self.memory[len(self.memory) * 3 // 10 :]
        few = max(1, len(third) // 10)
        before, after = median(third[:few]), median(third[-few:])
        return int(after - before), int(before * GROWTH_SHARE) + GROWTH_BYTES

    def share(self, stage: int) -> float:
        """Return the share of inputs that passed stage `stage` (from 1)."""
        return sum(count for passed, count in self.reached.items() if passed >= stage) / max(1, self.reached.total())

    def row(self) -> str:
        """Return the door's line of the table."""
        stages = ", ".join(f"{name} {self.share(at):.0%}" for at, name in enumerate(self.door.stages, 1))
        times = sorted(self.times)
        late = times[int(len(times) * 0.99)] * 1000
        grown, _ = self.growth
        return (
            f"{self.door.name:<14}{self.sent:>7}  {stages}; p99 {late:.0f} ms, slowest {times[-1] * 1000:.0f} ms,"
            f" memory {grown / 2**20:+.1f} MiB, faults {len(self.faults)}"
        )
