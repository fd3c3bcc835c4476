"""Loads what retrieval needs in the background, so that the first question does not wait for it.

Called when a chart is opened: a process that nobody uses stays small.
"""

from __future__ import annotations

import threading
from datetime import date
from functools import cache
from typing import Final

from django.db import connections

from clinical.domain.medication_safety import check
from clinical.knowledge.approvals import trust
from clinical.ports import BackendUnavailableError, backends

# Any day and any words: nothing of a patient is asked, and the result is thrown away.
_DAY: Final = date(2000, 1, 1)


@cache
def warm_up() -> threading.Thread:
    """Start loading, once a process; returns the thread."""
    thread = threading.Thread(target=_load, name="warm-up", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    try:
        backends().embedder.embed(["warm"])
        backends().retriever.retrieve_guidelines("warm", today=_DAY, limit=1)
        check([], today=_DAY, trust=trust())
    except BackendUnavailableError:
        return  # the question itself will meet it and say so
    finally:
        connections.close_all()  # this thread's own
