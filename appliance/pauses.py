"""Garbage collection of a process that has to answer within 50 ms.

Python's full collection stops every thread and looks at all that is held. With typed rows of many patients kept decoded
that took 60 to 200 ms, and it came in the middle of a call: it alone was the slowest hundredth of hook calls. So what
the start made is never looked at again, young objects are collected as ever, and full collections come by the clock:
one pause a minute in place of one in a few seconds. Memory is given back a minute late.
"""

from __future__ import annotations

import gc
import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S: Final = 60.0
_YOUNG, _MIDDLE, _NEVER = 50_000, 20, 1_000_000
_log = logging.getLogger(__name__)


def keep_pauses_short(warm: Callable[[], None], *, every_s: float = EVERY_S) -> threading.Event:
    """Warm up, then collect by the clock, in a thread of its own; returns what ends it.

    Args:
        warm: makes what every call needs and keeps; what it raises is noted and changes nothing.
        every_s: seconds between two full collections.
    """
    gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
    ended = threading.Event()

    def run() -> None:
        try:
            warm()
        except Exception as error:
            _log.warning("warming up failed: %s", type(error).__name__)
        gc.collect()
        gc.freeze()
        while not ended.wait(every_s):
            gc.collect()

    threading.Thread(target=run, name="collector", daemon=True).start()
    return ended
