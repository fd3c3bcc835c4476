"""The idle limit: a terminal left alone is logged out; the page warns two minutes before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.contrib.auth import logout
from django.utils import timezone

from clinical.access import idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

IDLE_SECONDS: Final = idle.LIMIT_SECONDS
WARN_SECONDS: Final = 2 * 60
_SEEN: Final = idle.SEEN
_WRITE_EVERY: Final = 15  # seconds; saves writing the session with each request
# Asked by the page itself, not by a person: they must not keep a session alive.
_NOT_ACTIVITY: Final = re.compile(r"/ingest/progress|/ward/rows|/questions/[0-9a-f-]{36}/staleness")


class IdleMiddleware:
    """Log a session out when its last request by a person is older than IDLE_SECONDS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Check, then note the time of this request."""
        if request.user.is_authenticated:
            now = int(timezone.now().timestamp())
            last = int(request.session.get(_SEEN, 0))
            if last and now - last > IDLE_SECONDS:
                logout(request)
            elif not _NOT_ACTIVITY.fullmatch(request.path) and now - last >= _WRITE_EVERY:
                request.session[_SEEN] = now
        return self._get_response(request)
