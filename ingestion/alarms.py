"""What somebody has to look at: feeds that are silent, subscriptions with gaps, and what waits for too long.

Asked of the database whenever a page, /readyz or the sweeper wants to know; nothing is kept that could be stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min
from django.utils import timezone

from clinical.models import IndexChange
from ingestion.domain.job_states import OPEN
from ingestion.models import IngestJob
from ingestion.rhythm import silent_feeds
from ingestion.selectors import held_summary
from ingestion.subscriptions.watch import watched

if TYPE_CHECKING:
    from datetime import datetime

HELD_FOR: Final = timedelta(days=1)
"""How long an item may wait for a person."""
FETCHED_WITHIN: Final = timedelta(minutes=5)
"""How long what a notification only named may wait; it is fetched every minute."""
BEHIND_BY: Final = timedelta(minutes=10)
"""How long a received file may wait for the workers, and a passage for the index."""
_WORDS: Final = {
    "feed-silent": "silent for longer than usual",
    "heartbeat-missed": "a heartbeat did not come",
    "never-heard": "has never been heard",
    "events-missing": "events did not come",
    "sender-in-error": "its sender says that it is in error or off",
    "fetch-due": "something has to be fetched from its sender",
    "unassigned-old": "an item waits unassigned for more than a day",
    "quarantined-old": "an item waits in quarantine for more than a day",
    "jobs-failed": "received files or messages could not be taken in; they are tried again",
    "jobs-behind": "received files or messages wait for the workers",
    "index-behind": "passages wait for the index",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look at. `about` is the feed or subscription, "" for the whole; `count` what there is of it.

    `for_s` is how long it has been so, in whole seconds, None where that is not known.
    """

    code: str
    about: str = ""
    count: int = 1
    for_s: int | None = None

    @property
    def words(self) -> str:
        """What it says, for reading."""
        said = _WORDS.get(self.code, self.code)
        return f"{self.about}: {said}" if self.about else said[0].upper() + said[1:]


def alarms(*, now: datetime) -> list[Alarm]:
    """Return what somebody has to look at, feeds first.

    Args:
        now: timezone-aware.
    """
    found = [Alarm("feed-silent", one.feed, 1, int(one.silent_s)) for one in silent_feeds(now=now)]
    for one in watched(now=now):
        late = one.due_since is not None and now - one.due_since > FETCHED_WITHIN
        found += [
            Alarm(code, f"subscription:{one.name}", one.missing if code == "events-missing" else 1)
            for code in one.alarms
            if code != "fetch-due" or late
        ]
    return found + _held(now) + _behind(now)


def frame_alarms() -> list[Alarm]:
    """Return the alarms of this moment, for the frame of every page."""
    return alarms(now=timezone.now())


def counted(found: list[Alarm]) -> dict[str, int]:
    """Return how many alarms there are of each code; no name of a feed is among it."""
    codes = [one.code for one in found]
    return {code: codes.count(code) for code in sorted(set(codes))}


def _held(now: datetime) -> list[Alarm]:
    held, found = held_summary(now=now), []
    for name in ("unassigned", "quarantined"):
        oldest = held[f"oldest_{name}_s"]
        if oldest is not None and oldest > HELD_FOR.total_seconds():
            found.append(Alarm(f"{name}-old", "", held[name] or 0, oldest))
    return found


def _behind(now: datetime) -> list[Alarm]:
    failed = IngestJob.objects.filter(state=IngestJob.State.FAILED).aggregate(
        count=Count("pk"), since=Min("created_at")
    )
    waiting = IngestJob.objects.filter(state__in=OPEN, created_at__lt=now - BEHIND_BY).aggregate(
        count=Count("pk"), since=Min("created_at")
    )
    index = IndexChange.objects.filter(created_at__lt=now - BEHIND_BY).aggregate(
        count=Count("pk"), since=Min("created_at")
    )
    rows = {"jobs-failed": failed, "jobs-behind": waiting, "index-behind": index}
    return [
        Alarm(code, "", row["count"], int((now - row["since"]).total_seconds()))
        for code, row in rows.items()
        if row["count"]
    ]
