"""Who calls: the client's signed token, on every call, discovery too.

Source: CDS Hooks 2.0, "Trusting CDS Clients"; RFC 7519, RFC 7515.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt
from django.db import connection

from clinical.cds_hooks.turns import short_write
from clinical.models import UsedToken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clinical.cds_hooks.clients import CdsClient, ClientKey

LONGEST_LIFE: Final = timedelta(hours=1)  # own decision; the standard sets none
CLOCK_SKEW: Final = timedelta(seconds=30)
LONGEST_TOKEN: Final = 8192  # characters
_INSERT: Final = (
    f"INSERT INTO {UsedToken._meta.db_table} (digest, expires_at) VALUES (%s, %s) "  # noqa: S608 - our table's name
    "ON CONFLICT (digest) DO NOTHING"
)
_REQUIRED: Final = ("iss", "aud", "exp", "iat", "jti")
# Signature and times are checked here with our own clock and reasons; the library checks the signature.
_SIGNATURE_ONLY: Final[Any] = {
    "verify_signature": True, "verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False,
    "verify_iss": False, "verify_sub": False, "verify_jti": False,
}  # fmt: skip


class TokenError(Exception):
    """The token is refused. `reason` is a code; `issuer` the client it names, where that one is known; reply 401."""

    def __init__(self, reason: str, issuer: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.issuer = issuer


def caller(authorization: str, *, audience: str, known: Mapping[str, CdsClient], now: datetime) -> CdsClient:
    """Return the client that signed the token.

    Args:
        authorization: the Authorization header.
        audience: the exact URL that is called.
        known: registered clients by issuer.
        now: timezone-aware.

    Raises:
        TokenError: no-token, malformed, unknown-issuer, wrong-type, algorithm, unknown-jku, unknown-key,
            bad-signature, missing-claim, wrong-audience, wrong-tenant, expired, not-yet-valid,
            from-the-future, lives-too-long, replayed.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenError("no-token")
    if len(token) > LONGEST_TOKEN:
        raise TokenError("malformed")
    header, claimed = _unverified(token)
    client = known.get(str(claimed.get("iss", "")))
    if client is None:
        raise TokenError("unknown-issuer")
    try:
        claims = _verified(token, _key_for(header, client))
        _check(claims, client, audience, now)
        _use_once(client, claims["jti"], expires=_moment(claims["exp"]), now=now)
    except TokenError as error:
        raise TokenError(error.reason, client.issuer) from None
    return client


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims to find the key by; nothing else is believed of them."""
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError("malformed") from None
    return read["header"], read["payload"]


def _key_for(header: dict[str, Any], client: CdsClient) -> ClientKey:
    """Return the registered key that the header names.

    `jku` is compared, and never fetched; a key that the token brings along (`jwk`, `x5c`) is not looked at.
    """
    if str(header.get("typ", "")).upper() != "JWT":
        raise TokenError("wrong-type")
    if header.get("alg") not in ("ES384", "RS384", "ES256", "RS256"):
        raise TokenError("algorithm")
    if "jku" in header and (not client.jku or header["jku"] != client.jku):
        raise TokenError("unknown-jku")
    key = client.keys.get(str(header.get("kid", "")))
    if key is None:
        raise TokenError("unknown-key")
    if header["alg"] not in key.algorithms:
        raise TokenError("algorithm")
    return key


def _verified(token: str, key: ClientKey) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(token, key.key, algorithms=list(key.algorithms), options=_SIGNATURE_ONLY)
    except jwt.InvalidSignatureError:
        raise TokenError("bad-signature") from None
    except (jwt.PyJWTError, ValueError):
        raise TokenError("malformed") from None
    return claims


def _check(claims: dict[str, Any], client: CdsClient, audience: str, now: datetime) -> None:
    if any(claims.get(name) in (None, "") for name in _REQUIRED) or not isinstance(claims["jti"], str):
        raise TokenError("missing-claim")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if audience not in audiences:
        raise TokenError("wrong-audience")
    if client.tenant and claims.get("tenant") != client.tenant:
        raise TokenError("wrong-tenant")
    expires, issued = _moment(claims["exp"]), _moment(claims["iat"])
    if expires <= now - CLOCK_SKEW:
        raise TokenError("expired")
    if issued > now + CLOCK_SKEW:
        raise TokenError("from-the-future")
    if "nbf" in claims and _moment(claims["nbf"]) > now + CLOCK_SKEW:
        raise TokenError("not-yet-valid")
    if expires - issued > LONGEST_LIFE + CLOCK_SKEW:
        raise TokenError("lives-too-long")


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError("missing-claim")
    try:
        return datetime.fromtimestamp(value, tz=UTC)
    except (OverflowError, ValueError, OSError):
        raise TokenError("missing-claim") from None


def _use_once(client: CdsClient, token_id: str, *, expires: datetime, now: datetime) -> None:
    """Remember the token's id; the database decides which of two equal ones was first."""
    digest = hashlib.sha256(f"{client.issuer}\x1f{token_id}".encode()).hexdigest()

    def write() -> bool:
        if digest.startswith("00"):  # one call in 256 takes the expired ones away
            UsedToken.objects.filter(expires_at__lt=now).delete()
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [digest, connection.ops.adapt_datetimefield_value(expires + CLOCK_SKEW)])
            return bool(cursor.rowcount == 1)

    if not short_write(write):
        raise TokenError("replayed")
