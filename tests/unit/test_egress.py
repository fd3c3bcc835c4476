"""A client reaches its own on-site origin and nothing else."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, ClassVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.egress import EgressDeniedError, listens, on_site_client

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Site(http.server.BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_reaches_its_own_origin(site: str) -> None:
    with on_site_client(site, timeout_s=2) as client:
        assert client.get("/here").text == "ok"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.2:{port}/", "other_host"),
        ("http://localhost:{port}/", "other_host"),
        ("http://127.0.0.1:1/", "other_port"),
        ("http://127.0.0.1/", "other_port"),
        ("https://127.0.0.1:{port}/", "other_scheme"),
        ("http://127.0.0.1:{port}@example.org/", "other_host"),
        ("http://example.org:{port}/", "other_host"),
    ],
)
def test_it_refuses_every_other_origin(site: str, url: str, code: str) -> None:
    port = httpx.URL(site).port
    with on_site_client(site, timeout_s=2) as client, pytest.raises(EgressDeniedError) as denied:
        client.get(url.format(port=port))
    assert denied.value.code == code
    assert "example" not in str(denied.value)


@given(host=st.from_regex(r"[a-z][a-z0-9-]{0,10}\.(com|org|net)", fullmatch=True))
def test_no_off_site_name_makes_a_client(host: str) -> None:
    with pytest.raises(EgressDeniedError, match="off_site"):
        on_site_client(f"http://{host}", timeout_s=1)


@pytest.mark.parametrize("url", ["http://8.8.8.8", "ftp://127.0.0.1", "http://", "127.0.0.1:80"])
def test_a_public_or_malformed_address_makes_no_client(url: str) -> None:
    with pytest.raises(EgressDeniedError):
        on_site_client(url, timeout_s=1)


def test_it_does_not_follow_a_redirect(site: str) -> None:
    with on_site_client(site, timeout_s=2) as client:
        assert client.get("/away").status_code == 302


def test_it_ignores_a_proxy_in_the_environment(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with on_site_client(site, timeout_s=2) as client:
        assert client.get("/direct").status_code == 200


def test_a_time_limit_is_required() -> None:
    with pytest.raises(ValueError, match="time limit"):
        on_site_client("http://127.0.0.1:1", timeout_s=0)


def test_listens_tells_an_open_port_from_a_closed_one(site: str) -> None:
    assert listens(site)
    assert not listens("http://127.0.0.1:1")
    with pytest.raises(EgressDeniedError):
        listens("http://example.org")
