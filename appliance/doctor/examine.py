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


def examine(look: Look, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """Yield what each check finds."""
    for check in checks:
        try:
            found = check(look)
            yield from [found] if isinstance(found, Finding) else found
        except Exception as error:  # a message could hold anything: only its kind is told
            name = check.__name__.replace("_", " ")
            yield wrong(name, f"this could not be looked at ({type(error).__name__})", look.manage("doctor --json"))


def well(found: Iterable[Finding]) -> bool:
    """Return whether nothing is wrong."""
    return all(one.state is not State.WRONG for one in found)
