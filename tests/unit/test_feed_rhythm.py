"""A feed that is silent for longer than it usually is raises an alarm; one that pauses as usual does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.rhythm import LEARNT_FROM, LONGEST_S, SHORTEST_S, may_be_silent_for
from ingestion.models import FeedRhythm
from ingestion.rhythm import heard, silent_feeds
from tests.factories import NOON


@given(st.lists(st.floats(30, 1e7), max_size=300))
def test_the_allowed_silence_is_bounded(gaps: list[float]) -> None:
    assert SHORTEST_S <= may_be_silent_for(gaps) <= LONGEST_S


def test_one_long_night_does_not_make_a_feed_slow() -> None:
    assert may_be_silent_for([600.0] * 60 + [8 * 3600.0]) == 1200.0


def test_a_new_feed_is_given_a_day() -> None:
    assert may_be_silent_for([60.0] * (LEARNT_FROM - 1)) == LONGEST_S


def spoke(every: timedelta, times: int) -> None:
    for number in range(times):
        heard(["mllp:LAB"], now=NOON + number * every)


@pytest.mark.django_db
def test_a_feed_that_speaks_every_ten_minutes_is_missed_after_twenty() -> None:
    every = timedelta(minutes=10)
    spoke(every, 30)
    last = NOON + 29 * every

    assert silent_feeds(now=last + timedelta(minutes=19)) == []
    [silent] = silent_feeds(now=last + timedelta(minutes=21))
    assert (silent.feed, silent.heard_at, silent.silent_s, silent.expected_within_s) == ("mllp:LAB", last, 1260, 1200)


@pytest.mark.django_db
def test_a_burst_counts_as_one_message() -> None:
    for hour in range(12):
        for second in range(20):
            heard(["mllp:LAB"], now=NOON + timedelta(hours=hour, seconds=second))

    gaps = FeedRhythm.objects.get().gaps
    assert len(gaps) == 11
    assert all(3500 < gap <= 3600 for gap in gaps)


@pytest.mark.django_db
def test_the_command_names_the_silent_feed_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    spoke(timedelta(minutes=10), 30)

    with pytest.raises(CommandError, match="1 feeds are silent"):
        call_command("mllp", feeds=True)

    assert "mllp:LAB" in capsys.readouterr().out
