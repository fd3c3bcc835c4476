"""Who calls: the user of a token, or of the browser's session."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from clinical.access.idle import is_idle
from clinical.api import tokens
from clinical.api.problems import ProblemError
from clinical.audit import trail

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.http import HttpRequest

_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; `token` is the id of the token's row, "" for a session, which covers every operation."""

    user: User
    scopes: frozenset[str]
    token: str

    @property
    def user_id(self) -> str:
        """The login name, as it stands in the trail."""
        return self.user.get_username()


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check, which says why instead of rendering a page."""

    def _reject(self, _request: HttpRequest, reason: str) -> str:
        return reason


def caller_of(request: HttpRequest, *, now: datetime) -> Caller:
    """Return the caller; a token that is refused is on the trail. A token that is given is never passed over.

    Raises:
        ProblemError: no-credentials, unknown-token, revoked-token, expired-token, idle-session, csrf.
    """
    given = request.headers.get("Authorization")
    if given is None:
        return _of_session(request, now=now)
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProblemError("no-credentials")
    try:
        row = tokens.read(token.strip(), now=now)
    except ProblemError as error:
        _note(error.code, now=now)
        raise
    return Caller(row.user, frozenset(row.scopes), str(row.id))


def _of_session(request: HttpRequest, *, now: datetime) -> Caller:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not key:
        raise ProblemError("no-credentials")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    if not user.is_authenticated:
        raise ProblemError("no-credentials")
    # A program's calls are no activity of a person: they neither end a session nor keep it alive.
    if is_idle(request.session, now=now):
        raise ProblemError("idle-session")
    if request.method not in _SAFE:
        _check_csrf(request)
    return Caller(user, frozenset(tokens.SCOPES), "")


def _check_csrf(request: HttpRequest) -> None:
    check = _CsrfCheck(lambda _request: HttpResponse())
    check.process_request(request)
    view: Any = _check_csrf  # the middleware asks it only whether it is exempt
    if check.process_view(request, view, (), {}) is not None:
        raise ProblemError("csrf")


def _note(code: str, *, now: datetime) -> None:
    """Note a refused token on the trail, where the trail can be written; the call is refused either way."""
    try:
        trail.append(trail.Entry("api.token", "DENIED", "api-client", detail={"reason": code}), now=now)
    except DatabaseError:
        return
