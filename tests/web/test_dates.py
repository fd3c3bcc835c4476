"""Dates and ages as the pages write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.web.dates import show_age, show_day, show_fhir, show_moment

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("2024", "2024"),
        ("2024-03", "Mar-2024"),
        ("2024-03-05", "05-Mar-2024"),
        ("2024-07-05T22:30:00Z", "06-Jul-2024 00:30"),
        ("2024-01-05T10:00:00+01:00", "05-Jan-2024 10:00"),
        ("", ""),
        ("last spring", "last spring"),
        ("2024-02-31T10:00:00Z", "2024-02-31T10:00:00Z"),
    ],
)
def test_a_date_is_never_more_precise_than_recorded(recorded: str, shown: str) -> None:
    assert show_fhir(recorded, BERLIN) == shown


def test_a_day_leaves_the_time_out_and_free_words_whole() -> None:
    assert show_day("2024-07-05T22:30:00Z", BERLIN) == "06-Jul-2024"
    assert show_day("last spring", BERLIN) == "last spring"


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1945-07-14", "81y"),
        ("1945-11-23", "81y"),
        ("1945-11-24", "80y"),
        ("2026-11-10", "13d"),
        ("2026-09-23", "8w"),
        ("2025-03-11", "20m"),
        ("2024-11-24", "23m"),
        ("2024-11-23", "2y"),
        ("1988-02", "about 38y"),
        ("1988", "about 38y"),
        ("2027-01-01", ""),
        ("", ""),
        ("1945-02-31", ""),
    ],
)
def test_age_on_23_november_2026(born: str, age: str) -> None:
    assert show_age(born, date(2026, 11, 23)) == age


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it naive
def test_a_time_survives_being_shown(moment: datetime) -> None:
    shown = show_moment(moment, ZoneInfo("UTC"))

    assert datetime.strptime(shown, "%d-%b-%Y %H:%M").replace(tzinfo=UTC) == moment.replace(second=0, microsecond=0)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 11, 23)))
def test_every_past_birth_date_has_an_age(born: date) -> None:
    assert show_age(born.isoformat(), date(2026, 11, 23))[-1] in "dwmy"
