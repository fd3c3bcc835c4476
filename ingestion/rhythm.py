"""Learns how often each feed of messages speaks, and says which is silent for longer than it usually is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion.domain.rhythm import BURST_S, may_be_silent_for, with_gap
from ingestion.models import FeedRhythm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SilentFeed:
    """A feed that nobody has heard for longer than usual; times in seconds."""

    feed: str
    heard_at: datetime
    silent_s: float
    expected_within_s: float


def heard(feeds: Iterable[str], *, now: datetime) -> None:
    """Note that these feeds have spoken, in the caller's transaction; within a burst only now and then."""
    wanted = set(feeds)
    for row in FeedRhythm.objects.filter(feed__in=wanted):
        wanted.discard(row.feed)
        if (now - row.heard_at).total_seconds() >= BURST_S / 3:
            row.gaps = with_gap(row.gaps, row.heard_at, now)
            row.heard_at = now
            row.save(update_fields=["gaps", "heard_at"])
    FeedRhythm.objects.bulk_create([FeedRhythm(feed=one, heard_at=now) for one in wanted], ignore_conflicts=True)


def silent_feeds(*, now: datetime) -> list[SilentFeed]:
    """Return the feeds that are silent for longer than usual, the longest first."""
    found = []
    for row in FeedRhythm.objects.all():
        silent, allowed = (now - row.heard_at).total_seconds(), may_be_silent_for(row.gaps)
        if silent > allowed:
            found.append(SilentFeed(row.feed, row.heard_at, silent, allowed))
    return sorted(found, key=lambda one: -one.silent_s)
