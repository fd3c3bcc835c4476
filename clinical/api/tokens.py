"""Tokens of the API: made, listed, revoked, and read. A token is shown once and kept as a digest."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.api.problems import ProblemError
from clinical.audit import trail
from clinical.models import ApiToken

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

SCOPES: Final = ("patients", "ask", "chart", "sources", "ingest")
LONGEST_LIFE: Final = timedelta(days=366)
LONGEST_LABEL: Final = 64
LONGEST_TOKEN: Final = 128  # characters
_BYTES: Final = 32
_PREFIX: Final = "api_"  # so that a leaked one can be searched for


class TokenRequestError(ValueError):
    """The token cannot be made or revoked. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token to be made: in whose name, for what, and for how long."""

    user: User
    scopes: Collection[str]
    label: str
    life: timedelta


def make(wanted: Wanted, *, made_by: str, now: datetime) -> tuple[str, ApiToken]:
    """Make a token; returns it and its row. The trail is written first.

    Args:
        wanted: what is to be made.
        made_by: who makes it, as it stands in the trail.
        now: timezone-aware.

    Raises:
        TokenRequestError: unknown-scope, bad-life, bad-label, inactive-user.
        django.db.Error: the trail cannot be written; nothing was made.
    """
    _check(wanted)
    token = _PREFIX + secrets.token_urlsafe(_BYTES)
    row = ApiToken(
        digest=_digest(token),
        user=wanted.user,
        label=wanted.label,
        scopes=[one for one in SCOPES if one in wanted.scopes],
        made_by=made_by,
        made_at=now,
        expires_at=now + wanted.life,
    )
    detail = {"token": str(row.id), "scopes": row.scopes, "expires": row.expires_at.isoformat(timespec="seconds")}
    _note("api-token.make", row, made_by, detail, now=now)
    row.save(force_insert=True)
    return token, row


def revoke(token_id: UUID, *, by: str, now: datetime) -> ApiToken:
    """Revoke a token from this moment on; one that was revoked before stays as it was.

    Raises:
        TokenRequestError: no-such-token.
    """
    row = ApiToken.objects.select_related("user").filter(id=token_id).first()
    if row is None:
        raise TokenRequestError("no-such-token")
    _note("api-token.revoke", row, by, {"token": str(row.id)}, now=now)
    ApiToken.objects.filter(id=row.id, revoked_at=None).update(revoked_at=now)
    row.refresh_from_db()
    return row


def read(token: str, *, now: datetime) -> ApiToken:
    """Return the row of a token that is good at `now`, with its user.

    Raises:
        ProblemError: unknown-token, revoked-token, expired-token.
    """
    known = len(token) <= LONGEST_TOKEN and token.startswith(_PREFIX)
    # Tokens are random and looked up by digest: how long that takes tells nothing of another token.
    row = ApiToken.objects.select_related("user").filter(digest=_digest(token)).first() if known else None
    if row is None or not row.user.is_active:
        raise ProblemError("unknown-token")
    if row.revoked_at is not None:
        raise ProblemError("revoked-token")
    if row.expires_at <= now:
        raise ProblemError("expired-token")
    return row


def _check(wanted: Wanted) -> None:
    if not wanted.scopes or set(wanted.scopes) - set(SCOPES):
        raise TokenRequestError("unknown-scope")
    if not timedelta(0) < wanted.life <= LONGEST_LIFE:
        raise TokenRequestError("bad-life")
    if not 0 < len(wanted.label.strip()) <= LONGEST_LABEL or not wanted.label.isprintable():
        raise TokenRequestError("bad-label")
    if not wanted.user.is_active:
        raise TokenRequestError("inactive-user")


def _note(action: str, row: ApiToken, by: str, detail: dict[str, object], *, now: datetime) -> None:
    name = row.user.get_username()
    trail.append(trail.Entry(action, "SUCCESS", by, on_behalf_of=name, detail=dict(detail)), now=now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
