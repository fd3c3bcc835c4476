"""The verdict: what was seen, line by line, and for each watcher that it can see at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.proof.allowed import CANARY
from appliance.proof.canary import WENT_OUT
from appliance.proof.places import PROXY_PORT, SINK_4
from appliance.proof.shapes import SEALED, Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from appliance.proof.shapes import Call, Phase

HELD: Final = "held"
BROKEN: Final = "broken"
INCOMPLETE: Final = "incomplete"
_PROXY: Final = f"{SINK_4}:{PROXY_PORT}"
_UNSEEN: Final = "io_uring_setup"


def verdict(checks: Sequence[Check], phases: Sequence[Phase]) -> str:
    """Return `broken` if any line is not as it should be, `incomplete` where no phase could be run, else `held`."""
    if any(one.held is False for one in checks):
        return BROKEN
    return HELD if phases else INCOMPLETE


def of_phase(phase: Phase) -> Iterator[Check]:
    """Judge one phase: the work, the silence, and the canaries."""
    name = phase.name
    failed = [f"{one.name} ({one.told})" for one in phase.steps if not one.worked]
    if phase.steps:
        words = f"{len(phase.steps) - len(failed)} of {len(phase.steps)} steps worked"
        yield Check(f"{name}: the journey was made", not failed, "; ".join([words, *failed]))
    seen = phase.journey
    if name == SEALED:
        alone = phase.interfaces == ["lo"]
        yield Check(f"{name}: nothing but loopback", alone, f"interfaces: {', '.join(phase.interfaces)}")
    where = "beyond loopback" if name == SEALED else "in the sink"
    yield Check(f"{name}: packets", not seen.packets, "; ".join([f"{seen.packets} {where}", *seen.shown[:5]]))
    yield Check(f"{name}: attempts without a route", not seen.no_route, f"{seen.no_route} counted by the kernel")
    yield from _of_canaries(phase)


def _of_canaries(phase: Phase) -> Iterator[Check]:
    count = len(phase.canaries)
    out = [f"{one.kind}: {name}" for one in phase.canaries for name, end in one.attempts.items() if end == WENT_OUT]
    if phase.name == SEALED:
        words = f"{count} kinds of process; " + ("none got out" if not out else "got out: " + ", ".join(out))
        yield Check(f"{phase.name}: every canary failed", bool(count) and not out, words)
        counted = phase.canary.no_route
        yield Check(f"{phase.name}: every canary was seen", counted >= count > 0, f"{counted} attempts without a route")
    else:
        words = f"{phase.canary.packets} packets of {count} canaries in the sink"
        yield Check(f"{phase.name}: every canary was seen", phase.canary.packets >= count > 0, words)


def of_calls(calls: Sequence[Call], kinds: Mapping[int, str]) -> Iterator[Check]:
    """Judge what the tracer wrote: calls of the processes, and whether it saw the canaries."""
    ours = [one for one in calls if not one.kind.startswith(CANARY) and one.destination != _UNSEEN]
    bad = [one for one in ours if not one.allowed]
    told = [f"{one.kind} to {one.destination} ({one.outcome}, {one.count} times)" for one in bad]
    total = sum(one.count for one in ours)
    words = f"{total} calls, {sum(one.count for one in bad)} outside the list"
    yield Check("calls of every process", not bad and total > 0, "; ".join([words, *told[:10]]))
    released = {kind for kind in kinds.values() if kind.startswith(CANARY)}
    caught = {one.kind for one in calls if one.kind in released and not one.allowed}
    words = f"{len(caught)} of {len(released)} kinds of canary were caught by the list"
    yield Check("the tracer sees canaries", caught == released and bool(released), words)
    proxied = sum(one.count for one in ours if one.destination == _PROXY)
    bitten = any(one.destination == _PROXY for one in calls if one.kind in released)
    words = f"{proxied} calls to the proxy held out in every environment"
    yield Check("proxies of the environment are ignored", not proxied and bitten, words)


def remarks(calls: Sequence[Call]) -> list[str]:
    """Return what is no finding but should be known."""
    users = sorted({one.kind for one in calls if one.destination == _UNSEEN and not one.kind.startswith(CANARY)})
    if not users:
        return []
    return [f"{', '.join(users)} set up an io_uring: calls made through it are seen by the capture, not by the tracer"]
