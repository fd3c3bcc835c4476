"""How much one user, and this door as a whole, may ask for at once.

Hooks are answered by the same process, and have half a second: answers never take all of its threads.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.api.problems import ProblemError
from clinical.models import Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

REQUESTS_A_MINUTE = 600  # of one user
QUESTIONS_A_MINUTE = 60  # of one user, at whichever door he asked them
ANSWERS_OF_ONE = 3  # running at once
ANSWERS_IN_ALL = 8
_MINUTE: Final = 60.0

_lock = threading.Lock()
_called: Counter[str] = Counter()
_this_minute = 0
_running: Counter[str] = Counter()


def count_request(user_id: str, *, now: datetime) -> None:
    """Count a call of a user.

    Raises:
        ProblemError: too-many-requests.
    """
    global _this_minute
    minute = int(now.timestamp() // _MINUTE)
    with _lock:
        if minute != _this_minute:
            _called.clear()
            _this_minute = minute
        _called[user_id] += 1
        if _called[user_id] > REQUESTS_A_MINUTE:
            raise ProblemError("too-many-requests")


def check_questions(user_id: str, *, now: datetime) -> None:
    """Let a user ask another question.

    Raises:
        ProblemError: too-many-questions.
    """
    since = now - timedelta(seconds=_MINUTE)
    if Question.objects.filter(user_id=user_id, asked_at__gt=since).count() >= QUESTIONS_A_MINUTE:
        raise ProblemError("too-many-questions")


class Slot:
    """One running answer of a user; given back once, however often `release` is called."""

    def __init__(self, user_id: str) -> None:
        """Take it.

        Raises:
            ProblemError: too-many-answers, busy.
        """
        self._user_id, self._held = user_id, False
        with _lock:
            if _running[user_id] >= ANSWERS_OF_ONE:
                raise ProblemError("too-many-answers")
            if _running.total() >= ANSWERS_IN_ALL:
                raise ProblemError("busy")
            _running[user_id] += 1
            self._held = True

    def release(self) -> None:
        """Give it back."""
        with _lock:
            if self._held:
                self._held = False
                _running[self._user_id] -= 1
                if not _running[self._user_id]:
                    del _running[self._user_id]


@contextmanager
def running(user_id: str) -> Iterator[None]:
    """Hold a slot; raises as Slot does."""
    slot = Slot(user_id)
    try:
        yield
    finally:
        slot.release()
