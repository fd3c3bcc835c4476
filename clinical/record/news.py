"""Waits for something to be written into the record, cheaply for however many pages wait at the same time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from django.db.models import Max

from clinical.models import ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S: Final = 0.01
"""Seconds between two looks at the newest version, for all that wait together."""
MOST_WAITING: Final = 24
"""Each holds a thread of the door; who comes beyond them is answered at once."""
_LOOK_ANYWAY_S: Final = 3.0  # what leaves no new version: a merge taken back, a change of the care team
_FIRST_PAUSE_S: Final = 0.05
_Found = TypeVar("_Found")

_places = threading.BoundedSemaphore(MOST_WAITING)
_lock = threading.Lock()
_newest: tuple[float, int] = (0.0, 0)


def newest_version() -> int:
    """Return the primary key of the newest version of any resource, at most `EVERY_S` old; 0 for an empty record."""
    global _newest
    with _lock:
        at, number = _newest
        if time.monotonic() - at >= EVERY_S:
            number = ResourceVersion.objects.aggregate(newest=Max("id"))["newest"] or 0
            _newest = (time.monotonic(), number)
        return number


def wait_for(look: Callable[[], _Found | None], *, wait_s: float) -> _Found | None:
    """Return what `look` finds now, or as soon as the record has something new; None after `wait_s` seconds.

    Args:
        look: returns None while there is nothing to show; called when a version was written, and every three seconds.
            After each call in vain the next waits longer, so that an ingest does not turn waiting into work.
        wait_s: how long to wait; 0 looks once.
    """
    seen = newest_version() if wait_s > 0 else 0  # before the look, so that nothing slips between
    found = look()
    if found is not None or wait_s <= 0 or not _places.acquire(blocking=False):
        return found
    try:
        return _wait(look, seen, time.monotonic() + wait_s)
    finally:
        _places.release()


def _wait(look: Callable[[], _Found | None], seen: int, limit: float) -> _Found | None:
    pause, looked = 0.0, time.monotonic()
    while (now := time.monotonic()) < limit:
        newest = newest_version()
        if (newest != seen and now - looked >= pause) or now - looked >= _LOOK_ANYWAY_S:
            found = look()
            if found is not None:
                return found
            pause = 0.0 if newest == seen else min(max(_FIRST_PAUSE_S, 2 * pause), _LOOK_ANYWAY_S)
            seen, looked = newest, time.monotonic()
        time.sleep(EVERY_S)
    return None
