"""Which subscriptions need somebody: heartbeats that did not come, gaps, a sender in error, a catch-up that is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from ingestion.models import Subscription, SubscriptionEvent

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """One subscription as the health page and the command show it.

    `alarms` are codes: heartbeat-missed, never-heard, events-missing, sender-in-error, fetch-due. `missing` counts
    event numbers that did not come, `to_fetch` events whose content has to be asked for; `due_since` is since when
    something has to be fetched.
    """

    name: str
    kind: str
    last_seen_at: datetime | None
    highest: int | None
    missing: int
    to_fetch: int
    alarms: tuple[str, ...]
    due_since: datetime | None = None


def watched(*, now: datetime) -> list[Watched]:
    """Return every subscription that is switched on, by name.

    Args:
        now: timezone-aware.
    """
    state = SubscriptionEvent.State
    rows = Subscription.objects.filter(is_on=True).annotate(
        missing=Count("events", filter=Q(events__state=state.MISSING)),
        to_fetch=Count("events", filter=Q(events__state=state.TO_FETCH)),
    )
    return [_watched(row, row.missing, row.to_fetch, now) for row in rows.order_by("name")]


def _watched(row: Subscription, missing: int, to_fetch: int, now: datetime) -> Watched:
    alarms = []
    heard = row.last_seen_at
    if row.heartbeat_s and now - (heard or row.created_at) > timedelta(seconds=row.heartbeat_s):
        alarms.append("heartbeat-missed" if heard else "never-heard")
    if missing:
        alarms.append("events-missing")
    if row.state in {"error", "off"}:
        alarms.append("sender-in-error")
    if row.pull_due_since is not None:
        alarms.append("fetch-due")
    return Watched(row.name, row.kind, heard, row.highest, missing, to_fetch, tuple(alarms), row.pull_due_since)
