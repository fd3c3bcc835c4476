"""How long a browser's session may be left alone, whichever door it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.sessions.backends.base import SessionBase

LIMIT_SECONDS: Final = 15 * 60
SEEN: Final = "last_seen"
"""The session's key for the time of its last request by a person, in whole seconds since 1970."""


def is_idle(session: SessionBase, *, now: datetime) -> bool:
    """Return whether the session's last request by a person is too long ago at `now` (timezone-aware)."""
    last = int(session.get(SEEN, 0))
    return bool(last) and int(now.timestamp()) - last > LIMIT_SECONDS
