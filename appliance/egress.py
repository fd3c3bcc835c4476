"""The only HTTP client factory: one allowed on-site host a client, no proxies, no redirects.

Together with `appliance/backends/` this is the whole answer to "what in this program can open a
connection?".
"""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from appliance.config import OnSiteUrl, stays_on_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_ON_SITE: Final[TypeAdapter[str]] = TypeAdapter(OnSiteUrl)
_PORTS: Final = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}
# A request over a Unix socket still names a host; this one resolves to nothing.
_SOCKET_HOST: Final = "http://unix.internal"
_CONNECT_S: Final = 2.0


class EgressDeniedError(Exception):
    """Something was about to be sent to a place this client is not for.

    `code` is `off_site`, `other_host`, `other_port` or `other_scheme`. The address itself is not
    repeated: a URL can hold what must not reach a log.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"egress denied: {code}")
        self.code = code


class _OneOrigin(httpx.HTTPTransport):
    """A transport that refuses every origin but its own, before any name is looked up."""

    def __init__(self, origin: httpx.URL, *, socket_path: str | None) -> None:
        super().__init__(uds=socket_path, trust_env=False, retries=0)
        self._origin = origin

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request if it stays at this client's origin.

        Raises:
            EgressDeniedError: scheme, host or port differ.
        """
        allowed, asked = self._origin, request.url
        if asked.scheme != allowed.scheme:
            raise EgressDeniedError("other_scheme")
        if asked.host != allowed.host:
            raise EgressDeniedError("other_host")
        if _port(asked) != _port(allowed):
            raise EgressDeniedError("other_port")
        return super().handle_request(request)


def on_site_client(
    base_url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    connections: int = 16,
) -> httpx.Client:
    """Return a client for one on-site origin: `http://host:port`, `https://...` or `unix:///path`.

    It follows no redirect, reads no proxy or key from the environment, and always has a time limit.

    Args:
        base_url: the one origin; a path in it is kept as a prefix.
        timeout_s: seconds for each read or write and for waiting for a free connection; connecting
            is given up after 2 s at most.
        headers: sent with every request.
        connections: most connections open at once.

    Raises:
        EgressDeniedError: the origin is not on this site.
        ValueError: the time limit is not positive.
    """
    if timeout_s <= 0:
        raise ValueError("a client needs a positive time limit")
    try:
        parts = urlsplit(_ON_SITE.validate_python(base_url))
    except ValidationError:
        raise EgressDeniedError("off_site") from None
    if parts.scheme not in {"http", "https", "unix"}:
        raise EgressDeniedError("other_scheme")
    socket_path = unquote(parts.path) if parts.scheme == "unix" else None
    origin = httpx.URL(_SOCKET_HOST if socket_path else base_url)
    return httpx.Client(
        base_url=origin,
        headers=dict(headers or {}),
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
        trust_env=False,
        transport=_OneOrigin(origin, socket_path=socket_path),
    )


def listens(url: str, *, timeout_s: float = 0.3) -> bool:
    """Return whether anything accepts connections at an on-site address; nothing is sent.

    Args:
        url: `scheme://host:port` or `unix:///path`.
        timeout_s: seconds to wait.

    Raises:
        EgressDeniedError: the address is not on this site.
    """
    try:
        parts = urlsplit(_ON_SITE.validate_python(url))
    except ValidationError:
        raise EgressDeniedError("off_site") from None
    unix = parts.scheme in {"unix", "redis+socket"}
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        probe.settimeout(timeout_s)
        try:
            if unix:
                probe.connect(unquote(parts.path))
            else:
                probe.connect((parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)))
        except OSError:
            return False
    return True


def _port(url: httpx.URL) -> int | None:
    return url.port or _PORTS.get(url.scheme)


@contextmanager
def on_site_stream(
    host: str, port: int, *, authority: Path | None, timeout_s: float
) -> Iterator[Callable[[bytes], None]]:
    """Open one TCP connection to an address of this site and yield what writes to it.

    Args:
        host: an address that `stays_on_site` lets pass.
        port: TCP.
        authority: certificate of the other side's authority, for TLS 1.2 or later; None for plain TCP.
        timeout_s: of the connection and of each write, seconds.

    Raises:
        ValueError: the host is not of this site.
        OSError: it does not answer, or does not prove who it is.
    """
    stays_on_site(f"tcp://{host}")
    with socket.create_connection((host, port), timeout=timeout_s) as plain:
        if authority is None:
            yield plain.sendall
            return
        context = ssl.create_default_context(cafile=str(authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(plain, server_hostname=host) as line:
            yield line.sendall
