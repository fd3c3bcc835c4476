"""Which of several HL7 v2 versions of one result takes effect: the most final, of those the latest, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.versions import Effect, VersionFacts, decide

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRELIMINARY, FINAL, CORRECTED = 1, 2, 3
Said = tuple[int, int]  # rank of the status, minutes after noon


def version(said: Said) -> VersionFacts:
    rank, minutes = said
    return VersionFacts(
        sha256=f"{rank:032d}{minutes:032d}",
        source_version=f"v2-{rank}",
        source_updated=NOON + timedelta(minutes=minutes),
    )


def in_effect(order: list[Said]) -> VersionFacts:
    held: list[VersionFacts] = []
    current: VersionFacts | None = None
    for said in order:
        effect = decide(version(said), held, current)
        if effect is not Effect.UNCHANGED:
            held.append(version(said))
        if effect is Effect.STORED:
            current = version(said)
    assert current is not None
    return current


arrivals = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=8)


@given(arrivals.flatmap(lambda said: st.tuples(st.just(said), st.permutations(said))))
def test_any_order_of_arrival_ends_in_the_same_version(orders: tuple[list[Said], list[Said]]) -> None:
    first, second = orders

    assert in_effect(first) == in_effect(second) == version(max(first))


def test_a_late_preliminary_result_never_replaces_a_final_one() -> None:
    final = version((FINAL, 0))

    assert decide(version((PRELIMINARY, 5)), [final], final) is Effect.SUPERSEDED


def test_a_correction_replaces_even_when_its_clock_is_behind() -> None:
    final = version((FINAL, 5))

    assert decide(version((CORRECTED, 0)), [final], final) is Effect.STORED


def test_versions_of_other_sources_are_not_ranked() -> None:
    numbered = VersionFacts(sha256="a" * 64, source_version="2", source_updated=NOON)

    assert decide(version((PRELIMINARY, 5)), [numbered], numbered) is Effect.STORED
