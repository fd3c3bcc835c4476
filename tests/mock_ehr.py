"""A FHIR server and token endpoint on loopback, for tests of the reading side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import jwt


@dataclass
class MockEhr:
    """What it holds by path, the public keys it knows by kid, and what it was asked."""

    resources: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    void: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    expires_in: int = 300
    url: str = ""

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    @property
    def base(self) -> str:
        return f"{self.url}/r4"

    def token_for(self, form: dict[str, list[str]]) -> str | None:
        """Check an assertion as the standard asks; return a token, or None."""
        try:
            assertion = form["client_assertion"][0]
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion, self.keys[header["kid"]], algorithms=["RS384", "ES384"], audience=self.token_url
            )
            assert form["grant_type"] == ["client_credentials"]
            assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
            assert claims["iss"] == claims["sub"] == "appliance"
            assert claims["exp"] - claims["iat"] <= 300
            assert claims["jti"] not in self.used
        except (AssertionError, KeyError, jwt.PyJWTError) as error:
            self.refused.append(type(error).__name__)
            return None
        self.used.add(claims["jti"])
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        return self.tokens[-1]


@contextmanager
def serving(ehr: MockEhr) -> Iterator[MockEhr]:
    """Serve on a free port of loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            token = ehr.token_for(form)
            self._send(
                200 if token else 401, {"access_token": token, "token_type": "bearer", "expires_in": ehr.expires_in}
            )

        def do_GET(self) -> None:
            ehr.asked.append(self.path)
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if given not in ehr.tokens or given in ehr.void:
                self._send(401, {})
                return
            found = ehr.resources.get(self.path.removeprefix("/r4/"), 404)
            self._send(found, {}) if isinstance(found, int) else self._send(200, found)

        def _send(self, status: int, body: dict[str, Any] | bytes) -> None:
            lines = isinstance(body, bytes)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+ndjson" if lines else "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ehr.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ehr
    finally:
        server.shutdown()
        server.server_close()
