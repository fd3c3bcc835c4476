"""The machine clients that may send records, from a file; only digests of their tokens are kept.

The file is a JSON list, an object a client: `name` (its feed is "fhir:<name>"), `token_sha256` (hex), `server` (base
URL that its resources belong to where a fullUrl names none; "" for files that name none), and where it speaks for more
than one, `servers`. Without the file the door is closed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Final

import msgspec
from django.conf import settings

from ingestion.domain.fhir_door.outcome import refused

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class ClientsFileError(ValueError):
    """The file of clients cannot be used; the message says what is wrong in it, never a digest."""


class ClientRow(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One client as the file holds it."""

    name: str
    token_sha256: str
    server: str = ""
    servers: list[str] = []


@dataclass(frozen=True, slots=True)
class FhirClient:
    """One registered client. `servers` are all base URLs it may speak for; None where every one counts."""

    name: str
    server: str
    servers: frozenset[str] | None

    @property
    def feed(self) -> str:
        """The name of its feed."""
        return f"fhir:{self.name}"


def token_digest(token: str) -> str:
    """Return what the file keeps of a token: sha256, hex. Tokens are random, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def rows_of(path: Path) -> list[ClientRow]:
    """Return the file's rows, none where there is no file.

    Raises:
        ClientsFileError: unreadable, a bad name or digest, or a name or token twice.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ClientsFileError(f"the file of FHIR clients cannot be read: {type(error).__name__}") from None
    return list(_read(path, state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=4)
def _read(path: Path, _changed_ns: int, _size: int) -> tuple[ClientRow, ...]:
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[ClientRow])
    except (OSError, msgspec.MsgspecError) as error:
        raise ClientsFileError(f"the file of FHIR clients cannot be read: {type(error).__name__}") from None
    if not all(NAME.fullmatch(row.name) and _DIGEST.fullmatch(row.token_sha256) for row in rows):
        raise ClientsFileError("a client's name or token_sha256 is not of the right form")
    if len({row.name for row in rows}) < len(rows) or len({row.token_sha256 for row in rows}) < len(rows):
        raise ClientsFileError("two clients have one name or one token")
    return tuple(rows)


def caller(headers: Mapping[str, str], path: Path) -> FhirClient:
    """Return who calls, by the bearer token and the file; every digest is compared, and in constant time.

    Raises:
        RefusedError: no-token, no-clients, unknown-token, clients-file.
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refused("no-token")
    try:
        rows = rows_of(path)
    except ClientsFileError:
        raise refused("clients-file") from None
    if not rows:
        raise refused("no-clients")
    given = token_digest(token.strip())
    found = [row for row in rows if hmac.compare_digest(row.token_sha256, given)]
    if not found:
        raise refused("unknown-token")
    return _client(found[0])


def _client(row: ClientRow) -> FhirClient:
    server = row.server.rstrip("/")
    anybody = settings.CLINICAL_KNOWN_AUTHORITIES is None
    named = frozenset(one.rstrip("/") for one in (server, *row.servers))
    return FhirClient(row.name, server, None if anybody else named)
