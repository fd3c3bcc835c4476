"""The steps of a run: what was tried, how long it took, what came of it."""

from __future__ import annotations

import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class FailedError(AssertionError):
    """Something is not as it must be; the message says what was found."""


def expect(condition: bool, found: object) -> None:
    """Fail the step with what was found.

    Raises:
        FailedError: the condition does not hold.
    """
    if not condition:
        raise FailedError(str(found)[-1500:])


@dataclass(slots=True)
class Step:
    """One line of the table; `said` is what it found."""

    name: str
    seconds: float = 0.0
    outcome: str = "ok"
    said: str = ""


@dataclass(slots=True)
class Run:
    """All steps of one run, printed as they end."""

    steps: list[Step] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, *, within_s: float | None = None, began: float | None = None) -> Iterator[Step]:
        """Time one step. A failure is recorded and the run goes on: what depends on it fails by itself.

        Args:
            name: what is tried, as a statement.
            within_s: expected limit; more is shown as slow, which is no failure on a shared machine.
            began: of the monotonic clock; None is now.
        """
        step = Step(name)
        began = time.monotonic() if began is None else began
        try:
            yield step
        except KeyboardInterrupt:
            raise
        except Exception as error:
            step.outcome = "FAILED"
            step.said = f"{type(error).__name__}: {error}"
            if not isinstance(error, FailedError):
                traceback.print_exc(limit=4)
        step.seconds = time.monotonic() - began
        if within_s is not None and step.seconds > within_s and step.outcome == "ok":
            step.outcome = "slow"
            step.said = f"expected within {within_s:.0f} s. {step.said}"
        self.steps.append(step)
        say(_line(step))

    def since(self, began: float, name: str, *, within_s: float) -> None:
        """Note how long several steps took together; it is good only if none of them failed.

        Args:
            began: of the monotonic clock.
            name: what they are together.
            within_s: expected limit.
        """
        with self.step(name, within_s=within_s, began=began):
            expect(not self.failed, f"{self.failed} steps before failed")

    @property
    def failed(self) -> int:
        """How many steps failed."""
        return sum(step.outcome == "FAILED" for step in self.steps)

    def table(self) -> str:
        """Return everything again, with what was not covered."""
        lines = [_line(step) for step in self.steps]
        good = sum(step.outcome == "ok" for step in self.steps)
        slow = sum(step.outcome == "slow" for step in self.steps)
        lines += [f"  not covered  {what}" for what in self.not_covered]
        return "\n".join([*lines, f"{good} ok, {slow} slow, {self.failed} failed, {len(self.not_covered)} not covered"])


def say(line: str) -> None:
    """Print one line of progress at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _line(step: Step) -> str:
    return f"{step.seconds:8.1f} s  {step.outcome:6}  {step.name}" + (f"  [{step.said}]" if step.said else "")
