"""Event numbers of a subscription: new, late, missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.fhir_door.sequence import MOST_MISSING, Step, step

NUMBERS = st.lists(st.integers(min_value=1, max_value=60), max_size=8)


def test_the_next_number_is_no_gap() -> None:
    assert step(21, [22], 22) == Step(22)


def test_a_number_that_was_skipped_is_missing() -> None:
    assert step(21, [23], 23) == Step(23, missing=(22,))


def test_a_count_beyond_the_last_event_is_a_gap() -> None:
    assert step(21, [], 23) == Step(23, missing=(22, 23))


def test_a_number_from_before_is_late_and_lowers_nothing() -> None:
    assert step(23, [22], 23) == Step(23, late=frozenset({22}))


def test_nothing_is_missing_of_what_was_sent_before_anybody_listened() -> None:
    assert step(None, [21], 21) == Step(21)
    assert step(None, [], 20) == Step(20)
    assert step(None, [], None) == Step(0)


def test_a_huge_gap_is_noted_up_to_a_limit() -> None:
    found = step(0, [10**11], None)
    assert (found.highest, len(found.missing)) == (10**11, MOST_MISSING + 1)


@given(highest=st.integers(min_value=0, max_value=40), numbers=NUMBERS, count=st.none() | st.integers(0, 70))
def test_every_number_up_to_the_highest_is_known_came_or_is_missing(
    highest: int, numbers: list[int], count: int | None
) -> None:
    found = step(highest, numbers, count)
    assert found.highest >= highest
    assert set(range(highest + 1, found.highest + 1)) == set(found.missing) | {n for n in numbers if n > highest}
    assert set(found.missing).isdisjoint(numbers)
    assert found.late == {n for n in numbers if n <= highest}
