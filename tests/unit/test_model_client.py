"""How the client reads a stream, against a small server that misbehaves on purpose."""

from __future__ import annotations

import http.server
import json
import threading
from typing import TYPE_CHECKING

import pytest

from appliance.backends.vllm import VllmChatModel
from clinical.domain.prompt import Prompt
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "Mrs Example has a secret illness"


def event(text: str, reason: str | None = None) -> bytes:
    choice = {"delta": {"content": text}, "finish_reason": reason}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


DONE = b"data: [DONE]\n\n"
BODIES = {
    "whole": event("Hel") + b": keep-alive\n\n" + event("lo", "stop") + b'data: {"choices": []}\n\n' + DONE,
    "cut": event("Hel"),
    "not-json": event("Hel") + f"data: {SECRET}\n\n".encode(),
    "error": b'data: {"error": {"message": "' + SECRET.encode() + b'"}}\n\n',
    "list": b"data: []\n\n",
}


class _Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = BODIES.get(asked["model"])
        self.send_response(200 if body is not None else 503)
        self.end_headers()
        self.wfile.write(SECRET.encode() if body is None else body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def read(url: str, model: str) -> list[str]:
    chat = VllmChatModel(url=url, model=model, api_key="k", timeout_s=5, digest="", concurrent=1)
    try:
        return list(chat.stream(Prompt("", SECRET), max_tokens=8, seed=1))
    finally:
        chat.close()


def test_pieces_are_read_and_everything_else_is_skipped(url: str) -> None:
    assert read(url, "whole") == ["Hel", "lo"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("cut", "interrupted"),
        ("not-json", "malformed"),
        ("list", "malformed"),
        ("error", "engine_error"),
        ("unknown", "status_503"),
    ],
)
def test_what_goes_wrong_is_a_code_without_text(url: str, model: str, code: str) -> None:
    with pytest.raises(BackendUnavailableError) as failed:
        read(url, model)
    assert str(failed.value) == f"vllm: {code}"


@pytest.mark.parametrize("model", ["whole", "cut", "unknown"])
def test_every_way_to_end_frees_the_place(url: str, model: str) -> None:
    chat = VllmChatModel(url=url, model=model, api_key="k", timeout_s=5, digest="", concurrent=1)
    for _attempt in range(3):
        try:
            list(chat.stream(Prompt("", ""), max_tokens=8, seed=1))
        except BackendUnavailableError as error:
            assert error.reason != "busy"  # noqa: PT017 - the point is which of several codes it is
    chat.close()


def test_a_stream_never_read_frees_its_place_when_closed(url: str) -> None:
    chat = VllmChatModel(url=url, model="whole", api_key="k", timeout_s=5, digest="", concurrent=1)
    chat.stream(Prompt("", ""), max_tokens=8, seed=1).close()
    assert list(chat.stream(Prompt("", ""), max_tokens=8, seed=1)) == ["Hel", "lo"]
    chat.close()
