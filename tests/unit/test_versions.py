"""Which version takes effect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.versions import Effect, VersionFacts, decide, status_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(number: int, *, deleted: bool = False) -> VersionFacts:
    return VersionFacts(
        sha256=f"{number:064d}",
        source_version=str(number),
        source_updated=NOON + timedelta(hours=number),
        deleted=deleted,
    )


def replay(order: list[int]) -> tuple[int, list[Effect]]:
    """Take versions in, in this order; return the one in effect and every effect."""
    held: list[VersionFacts] = []
    current: VersionFacts | None = None
    effects = []
    for number in order:
        effect = decide(version(number), held, current)
        effects.append(effect)
        if effect is not Effect.UNCHANGED:
            held.append(version(number))
        if effect is Effect.STORED:
            current = version(number)
    assert current is not None
    return int(current.source_version), effects


@given(st.lists(st.integers(1, 6), min_size=1, max_size=20))
def test_the_newest_version_is_in_effect_whatever_the_order(order: list[int]) -> None:
    in_effect, effects = replay(order)

    assert in_effect == max(order)
    assert effects.count(Effect.UNCHANGED) == len(order) - len(set(order))


def test_the_same_content_again_changes_nothing() -> None:
    assert decide(version(1), [version(1)], version(1)) is Effect.UNCHANGED


def test_without_times_or_numbers_arrival_decides() -> None:
    first, second = VersionFacts(sha256="a" * 64), VersionFacts(sha256="b" * 64)

    assert decide(second, [first], first) is Effect.STORED
    assert decide(first, [first, second], second) is Effect.UNCHANGED


def test_a_deletion_takes_effect_once_and_a_newer_version_undoes_it() -> None:
    gone = VersionFacts(sha256="0" * 64, deleted=True)

    assert decide(gone, [version(1)], version(1)) is Effect.STORED
    assert decide(gone, [version(1), gone], gone) is Effect.UNCHANGED
    assert decide(version(2), [version(1), gone], gone) is Effect.STORED


def test_entered_in_error_is_read_from_the_verification_status_too() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "verificationStatus": {"coding": [{"code": "entered-in-error"}]},
    }

    assert status_of(allergy) == "entered-in-error"
