"""The work: what has not been taken in, what waits for a person, which feeds are silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import Error

from appliance.doctor.finding import age, not_checked, right, wrong
from ingestion.alarms import alarms
from ingestion.selectors import held_summary, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.doctor.finding import Finding, Look
    from ingestion.alarms import Alarm

_WORK: Final = frozenset({"jobs-failed", "jobs-behind", "index-behind"})
_HELD: Final = frozenset({"unassigned-old", "quarantined-old"})


def work(look: Look) -> Iterator[Finding]:
    """Say what waits too long for the workers, what for a person, and who has not been heard."""
    try:
        standing = alarms(now=look.now)
        held, jobs = held_summary(now=look.now), waiting()
    except Error:
        for name in ("work", "held items", "feeds"):
            yield not_checked(name, "the database does not answer")
        return
    late = [one for one in standing if one.code in _WORK]
    if late:
        yield wrong("work", _told(late), f"{look.manage('conservation')}; {look.start('worker')}")
    else:
        yield right("work", f"{jobs} files or messages are on their way, none of them late")
    old = [one for one in standing if one.code in _HELD]
    words = "; ".join(_held(name, held) for name in ("unassigned", "quarantined"))
    if old:
        yield wrong("held items", words, look.manage("held list"))
    else:
        yield right("held items", words)
    rest = [one for one in standing if one.code not in _WORK | _HELD]
    if rest:
        mend = f"ask the sender's engineer; {look.manage('subscription list')}"
        yield wrong("feeds", _told(rest), mend)
    else:
        yield right("feeds", "none is silent for longer than usual")


def _held(name: str, held: dict[str, int | None]) -> str:
    oldest = held[f"oldest_{name}_s"]
    since = "" if oldest is None else f", the oldest for {age(oldest)}"
    return f"{held[name]} {name}{since}"


def _told(found: Sequence[Alarm]) -> str:
    lines = []
    for one in found:
        since = "" if one.for_s is None else f" (for {age(one.for_s)})"
        count = f"{one.count} " if one.count > 1 else ""
        lines.append(f"{count}{one.words}{since}")
    return "; ".join(lines)
