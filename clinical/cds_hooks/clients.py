"""The CDS clients that may call: issuer, public keys and FHIR servers, from a file; nothing is fetched.

The file is a JSON list, an object a client: `issuer`; `keys` (public JWKs with `kid`); `fhir_servers` (base URL as the
client sends it, to the server's name in the record held here, "" for files that name none); `users` (FHIR reference of
the client's user, to a login name here); and where agreed `jku` and `tenant`.

Source: CDS Hooks 2.0, "Trusting CDS Clients". `jku` is compared with the registered one and never fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import jwt
import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# By curve or key type, so that a token's own header cannot choose how its key is used.
_BY_KEY: Final = {"P-384": ("ES384",), "P-256": ("ES256",), "RSA": ("RS384", "RS256")}
SMALLEST_RSA: Final = 2048  # bits


class ClientsFileError(ValueError):
    """The file of CDS clients cannot be used; the message names what is wrong in it, never a key."""


class _Client(msgspec.Struct, forbid_unknown_fields=True):
    issuer: str
    keys: list[dict[str, Any]]
    fhir_servers: dict[str, str] = {}
    users: dict[str, str] = {}
    jku: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key, parsed once, and the algorithms it may be used with."""

    key: Any
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CdsClient:
    """One registered client. `keys` are its public keys by `kid`; `users` maps FHIR references to users here."""

    issuer: str
    keys: Mapping[str, ClientKey]
    fhir_servers: Mapping[str, str]
    users: Mapping[str, str]
    jku: str
    tenant: str


@lru_cache(maxsize=4)
def _read(path: Path, _changed_ns: int, _size: int) -> dict[str, CdsClient]:
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[_Client])
    except (OSError, msgspec.MsgspecError) as error:
        raise ClientsFileError(f"the file of CDS clients cannot be read: {type(error).__name__}") from None
    if len({row.issuer for row in rows}) < len(rows):
        raise ClientsFileError("two clients have one issuer")
    return {row.issuer: _client(row) for row in rows}


def clients(path: Path) -> dict[str, CdsClient]:
    """Return the registered clients by issuer; the file is read again when it changes.

    Raises:
        ClientsFileError: unreadable; a private, symmetric or weak key; a key without `kid`; an issuer twice.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return {}
    return _read(path, state.st_mtime_ns, state.st_size)


def _client(row: _Client) -> CdsClient:
    keys: dict[str, ClientKey] = {}
    for key in row.keys:
        if not key.get("kid") or key["kid"] in keys:
            raise ClientsFileError(f"client {row.issuer}: a key without a kid of its own")
        keys[str(key["kid"])] = _key(key, row.issuer)
    return CdsClient(
        row.issuer,
        keys,
        {base.rstrip("/"): name for base, name in row.fhir_servers.items()},
        row.users,
        row.jku,
        row.tenant,
    )


def _key(key: dict[str, Any], issuer: str) -> ClientKey:
    algorithms = _BY_KEY.get(str(key.get("crv") if key.get("kty") == "EC" else key.get("kty")))
    if "d" in key or algorithms is None:
        raise ClientsFileError(f"client {issuer}: only public EC (P-384, P-256) and RSA keys are taken")
    try:
        parsed = jwt.PyJWK(key, algorithm=algorithms[0]).key
    except (jwt.InvalidKeyError, jwt.PyJWKError) as error:
        raise ClientsFileError(f"client {issuer}: {type(error).__name__}") from None
    if getattr(parsed, "key_size", SMALLEST_RSA) < SMALLEST_RSA and key["kty"] == "RSA":
        raise ClientsFileError(f"client {issuer}: an RSA key of fewer than {SMALLEST_RSA} bits")
    return ClientKey(parsed, algorithms)
