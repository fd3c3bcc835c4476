"""Full collections come by the clock, and a failed warm-up does not keep a door from opening."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import TYPE_CHECKING

import pytest

from appliance.pauses import keep_pauses_short

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Ring:
    """Holds itself, so that only a collection lets it go."""

    def __init__(self) -> None:
        self.itself = self


def one_is_collected(tries: int = 20) -> bool:
    """Whether a ring made now is let go; those made before the start was over stay, as they should."""
    wait = threading.Event()
    for _ in range(tries):
        ring = weakref.ref(Ring())
        for _ in range(25):
            if ring() is None:
                return True
            wait.wait(0.02)
    return False


def test_what_is_old_and_unused_goes_by_the_clock() -> None:
    warmed = threading.Event()
    ended = keep_pauses_short(warmed.set, every_s=0.02)
    try:
        assert warmed.wait(10)
        assert one_is_collected()
    finally:
        ended.set()


def test_a_full_collection_does_not_come_by_count() -> None:
    keep_pauses_short(lambda: None, every_s=600).set()
    assert gc.get_threshold()[2] >= 1_000_000


def test_a_warm_up_that_fails_is_noted_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("words of a record")

    ended = keep_pauses_short(fail, every_s=0.02)
    try:
        assert one_is_collected()
    finally:
        ended.set()
    assert "ValueError" in caplog.text
    assert "words of a record" not in caplog.text
