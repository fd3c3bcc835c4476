"""The site's EHR as a FHIR server to read from: SMART Backend Services, through the on-site client only.

Source: HL7 SMART App Launch 2.2, "Backend Services" and "Client Authentication: Asymmetric"
(https://hl7.org/fhir/smart-app-launch/backend-services.html).
"""

from __future__ import annotations

import time
import uuid
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

import httpx
import jwt
import msgspec

from appliance.config import config
from appliance.egress import EgressDeniedError, on_site_client
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

ASSERTION_S: Final = 240
"""Life of a client assertion in seconds; the standard allows 300."""
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY_S: Final = 15.0
_TIMEOUT_S: Final = 20.0
_FHIR: Final = "application/fhir+json"
_FILES: Final = "application/fhir+ndjson, application/ndjson, application/fhir+json"
_TRIES: Final = 4
_BUSY: Final = frozenset({429, 503})
_LONGEST_WAIT_S: Final = 30.0
_MEDIA: Final = frozenset({"application/fhir+json", "application/json"})


class EhrKey(msgspec.Struct, forbid_unknown_fields=True):
    """A private key in a PEM file, and the `kid` under which the EHR knows its public half."""

    file: str
    kid: str
    algorithm: Literal["RS384", "ES384"] = "ES384"


class EhrRow(msgspec.Struct, forbid_unknown_fields=True):
    """One EHR of the file; the first key signs, the others wait for their turn in a rotation."""

    server: str
    token_url: str
    client_id: str
    keys: list[EhrKey]
    scope: str = "system/*.rs"


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 0.0


class SmartEhr:
    """Reads from one FHIR server. A token is used until shortly before its end; 401 asks for one new token, once.

    Safe for several threads.
    """

    def __init__(self, row: EhrRow, *, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """Open nothing yet.

        Args:
            row: server, token address, client and keys.
            most_bytes: a larger reply is not read to its end.
            clock: seconds since 1970.

        Raises:
            EgressDeniedError: an address is not on this site.
        """
        self._row, self._most, self._clock = row, most_bytes, clock
        self._server = on_site_client(row.server.rstrip("/"), timeout_s=_TIMEOUT_S)
        self._tokens = on_site_client(row.token_url, timeout_s=_TIMEOUT_S)
        self._lock = Lock()
        self._token, self._until = "", 0.0

    def read(self, path: str) -> bytes:
        """Return what the server answers to GET of a path below its base.

        Raises:
            LookupError: 404 or 410.
            BackendUnavailableError: no answer, a refusal, another form, or too much.
        """
        if "://" in path or path.startswith("/"):
            raise BackendUnavailableError("ehr", "other-host")
        status, body = self._get(path, self._bearer())
        if status == httpx.codes.UNAUTHORIZED:
            status, body = self._get(path, self._bearer(anew=True))
        if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise LookupError(status)
        if status != httpx.codes.OK:
            raise BackendUnavailableError("ehr", f"status {status}")
        return body

    def _get(self, path: str, token: str) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {token}", "Accept": _FHIR}
        try:
            with self._server.stream("GET", path, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    return response.status_code, b""
                media = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
                if media not in _MEDIA:
                    raise BackendUnavailableError("ehr", "media-type")
                return response.status_code, self._whole(response)
        except (httpx.HTTPError, EgressDeniedError) as error:
            raise BackendUnavailableError("ehr", type(error).__name__) from None

    def download(self, url: str, file: BinaryIO, *, most_bytes: int) -> None:
        """Write what the server answers to GET of a file of a bulk export to an open file.

        Args:
            url: a path below the server's base, or a URL of the very same origin: the token goes to no other host.
            file: empty, opened for writing bytes.
            most_bytes: a larger file is not read to its end.

        Raises:
            LookupError: 404 or 410.
            BackendUnavailableError: no answer, a refusal, another host, or too much; a busy server was waited for.
        """
        status = 0
        for attempt in range(_TRIES):
            status, wait = self._into(url, file, self._bearer(anew=attempt == 1), most_bytes)
            if status == httpx.codes.OK:
                return
            if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
                raise LookupError(status)
            if status not in _BUSY and status != httpx.codes.UNAUTHORIZED:
                break
            time.sleep(wait)
        raise BackendUnavailableError("ehr", f"status {status}")

    def _into(self, url: str, file: BinaryIO, token: str, most_bytes: int) -> tuple[int, float]:
        """Return the status, and how long a busy server asks to be left alone (seconds)."""
        headers = {"Authorization": f"Bearer {token}", "Accept": _FILES}
        try:
            with self._server.stream("GET", url, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    asked = response.headers.get("Retry-After", "")
                    return response.status_code, min(float(asked), _LONGEST_WAIT_S) if asked.isdecimal() else 0.0
                size = 0
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > most_bytes:
                        raise BackendUnavailableError("ehr", "too-large")
                    file.write(chunk)
                return response.status_code, 0.0
        except (httpx.HTTPError, EgressDeniedError) as error:
            raise BackendUnavailableError("ehr", type(error).__name__) from None

    def _whole(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._most:
                raise BackendUnavailableError("ehr", "too-large")
        return bytes(body)

    def _bearer(self, *, anew: bool = False) -> str:
        with self._lock:
            if anew or self._clock() >= self._until:
                given = self._ask()
                # Without a stated life a token is used for one request only.
                self._token, self._until = given.access_token, self._clock() + max(0.0, given.expires_in - _EARLY_S)
            return self._token

    def _ask(self) -> _Token:
        form = {
            "grant_type": "client_credentials",
            "scope": self._row.scope,
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion(),
        }
        try:
            response = self._tokens.post(self._row.token_url, data=form, headers={"Accept": "application/json"})
            if response.status_code == httpx.codes.OK:
                return msgspec.json.decode(response.content, type=_Token)
        except (httpx.HTTPError, EgressDeniedError, msgspec.MsgspecError) as error:
            raise BackendUnavailableError("ehr", f"token: {type(error).__name__}") from None
        raise BackendUnavailableError("ehr", f"token: status {response.status_code}")

    def _assertion(self) -> str:
        key, now = self._row.keys[0], int(self._clock())
        claims = {
            "iss": self._row.client_id,
            "sub": self._row.client_id,
            "aud": self._row.token_url,
            "iat": now,
            "exp": now + ASSERTION_S,
            "jti": str(uuid.uuid4()),
        }
        try:
            pem = Path(key.file).read_bytes()
            return jwt.encode(claims, pem, algorithm=key.algorithm, headers={"kid": key.kid, "typ": "JWT"})
        except (OSError, ValueError, TypeError, jwt.PyJWTError) as error:
            raise BackendUnavailableError("ehr", f"key: {type(error).__name__}") from None


def ehr_of(server: str) -> SmartEhr | None:
    """Return the EHR of this base URL, None where the site's file names none.

    Raises:
        BackendUnavailableError: the file cannot be read, or names a server that is not on this site.
    """
    return _ehrs().get(server.rstrip("/"))


@cache
def _ehrs() -> dict[str, SmartEhr]:
    settings = config()
    path = settings.ehr_servers or settings.var / "ehr_servers.json"
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[EhrRow])
        return {row.server.rstrip("/"): SmartEhr(row, most_bytes=settings.fhir_max_bytes) for row in rows if row.keys}
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError, EgressDeniedError) as error:
        raise BackendUnavailableError("ehr", f"file: {type(error).__name__}") from None
