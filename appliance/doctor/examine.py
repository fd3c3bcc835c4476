"""Runs every check in the order in which a person would look; one that fails itself does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.doctor import (
    database_checks,
    machine_checks,
    safety_checks,
    service_checks,
    settings_checks,
    work_checks,
)
from appliance.doctor.finding import Finding, State, wrong
from appliance.doctor.limit import TooLongError, at_most

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from appliance.doctor.finding import Look

    Check = Callable[[Look], Finding | Iterable[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    settings_checks.configuration,
    settings_checks.secrets,
    settings_checks.certificates,
    machine_checks.disk,
    machine_checks.clock,
    safety_checks.tools,
    safety_checks.under_way,
    database_checks.databases,
    database_checks.chain,
    service_checks.queue,
    service_checks.worker,
    service_checks.index,
    service_checks.embedder,
    service_checks.model,
    work_checks.work,
    safety_checks.backups,
    safety_checks.egress,
    database_checks.knowledge,
)


LONGEST_S: Final = 40.0
"""Seconds for one check. The vector service alone is given ten for an answer, and is asked more than once."""


def examine(look: Look, checks: Sequence[Check] = CHECKS, *, longest_s: float = LONGEST_S) -> Iterator[Finding]:
    """Yield what each check finds; none takes longer than `longest_s` seconds."""
    for check in checks:
        name, told = check.__name__.replace("_", " "), list[Finding]()
        try:
            with at_most(longest_s):
                found = check(look)
                told.extend([found] if isinstance(found, Finding) else found)
        except TooLongError:
            mend = "systemctl restart appliance.target" if look.site else "make demo"
            told.append(wrong(name, f"no answer within {longest_s:.0f} seconds: something it asks hangs", mend))
        except Exception as error:  # a message could hold anything: only its kind is told
            words = f"this could not be looked at ({type(error).__name__})"
            told.append(wrong(name, words, look.manage("doctor --json")))
        yield from told


def well(found: Iterable[Finding]) -> bool:
    """Return whether nothing is wrong."""
    return all(one.state is not State.WRONG for one in found)
