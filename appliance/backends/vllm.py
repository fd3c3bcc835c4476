"""The language model: vLLM's OpenAI-compatible server, reached over one on-site connection pool."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import httpx

from appliance.egress import on_site_client
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.domain.prompt import Prompt

_SERVICE: Final = "vllm"
_READY_S: Final = 0.45
_LONGEST_CHOICE: Final = 64  # tokens of one option
_SILENCE_S: Final = 20.0  # longest wait for the next piece; a long prompt on CPU needs about 2 s


def _unavailable(code: str) -> BackendUnavailableError:
    return BackendUnavailableError(_SERVICE, code)


def _code(error: httpx.HTTPError) -> str:
    """Return a reason code; the library's message may repeat what was sent."""
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    return "unreachable" if isinstance(error, httpx.ConnectError) else "interrupted"


class VllmStream:
    """One running completion. Close it and the server stops generating within about 0.1 s.

    Attributes:
        finish_reason: `stop` or `length` once ended by the server, else None.
    """

    def __init__(self, response: httpx.Response, gate: threading.Semaphore, deadline: float) -> None:
        self._response = response
        self._gate = gate
        self._deadline = deadline  # on the monotonic clock
        self._closing = threading.Lock()
        self._closed = False
        self.finish_reason: str | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield text pieces as they are generated; ends early, without error, once closed.

        Raises:
            BackendUnavailableError: `timeout`, `interrupted`, `malformed` or `engine_error`.
        """
        try:
            for line in self._response.iter_lines():
                if not line.startswith("data:"):
                    continue
                data = line[5:].strip()
                if data == "[DONE]":
                    return
                piece, reason = _piece(data)
                self.finish_reason = reason or self.finish_reason
                if piece:
                    yield piece
                if time.monotonic() > self._deadline:
                    raise _unavailable("timeout")
            if not self._closed:
                raise _unavailable("interrupted")
        except (httpx.HTTPError, httpx.StreamError) as error:
            if self._closed:
                return
            code = _code(error) if isinstance(error, httpx.HTTPError) else "interrupted"
            raise _unavailable(code) from None
        finally:
            self.close()

    def close(self) -> None:
        """Stop the generation and free the place; harmless twice, and from another thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        try:
            # A thread that waits in recv() is not woken by close(), only by shutdown().
            network = self._response.extensions.get("network_stream")
            raw = network.get_extra_info("socket") if network is not None else None
            if raw is not None and self.finish_reason is None:
                raw.shutdown(socket.SHUT_RDWR)
        except OSError:  # the server was first
            pass
        finally:
            self._response.close()
            self._gate.release()


class VllmChatModel:
    """A chat model behind vLLM's `/v1/chat/completions`.

    At most `concurrent` completions run at once; more are refused as `busy` instead of queued, so
    that the answer falls back to facts and quotations while the clinician still waits.
    """

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str,
        timeout_s: float,
        digest: str,
        concurrent: int = 8,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            url: on-site address of the server, without `/v1`.
            model: the served model's name.
            api_key: sent as a bearer token.
            timeout_s: seconds for one whole completion.
            digest: sha256 over the served weights.
            concurrent: most completions at once.
        """
        headers = {"Authorization": f"Bearer {api_key}"}
        self._client = on_site_client(
            url, timeout_s=min(timeout_s, _SILENCE_S), headers=headers, connections=concurrent + 2
        )
        self._model = model
        self._digest = digest
        self._timeout_s = timeout_s
        self._gate = threading.Semaphore(concurrent)

    @property
    def name(self) -> str:
        """The served model's name."""
        return self._model

    @property
    def digest(self) -> str:
        """Sha256 over the served weights."""
        return self._digest

    def ready(self) -> bool:
        """Return whether the server answers to our key and serves this model, within half a second."""
        try:
            reply = self._client.get("/v1/models", timeout=_READY_S)
            served = {entry["id"] for entry in reply.json()["data"]} if reply.is_success else set()
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
        return self._model in served

    def stream(self, prompt: Prompt, *, max_tokens: int, seed: int) -> VllmStream:
        """Start a completion at temperature 0.

        Raises:
            BackendUnavailableError: `busy`, `unreachable`, `timeout`, `interrupted`, or
                `status_<number>`; also raised while iterating.
        """
        if not self._gate.acquire(blocking=False):
            raise _unavailable("busy")
        deadline = time.monotonic() + self._timeout_s
        request = self._client.build_request(
            "POST",
            "/v1/chat/completions",
            json=completion_request(self._model, prompt, max_tokens=max_tokens, seed=seed),
        )
        try:
            response = self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            self._gate.release()
            raise _unavailable(_code(error)) from None
        except BaseException:
            self._gate.release()
            raise
        stream = VllmStream(response, self._gate, deadline)
        if not response.is_success:
            stream.close()
            raise _unavailable(f"status_{response.status_code}")
        return stream

    def choose(self, prompt: Prompt, options: Sequence[str], *, seed: int) -> str:
        """Return one of the options by guided decoding at temperature 0.

        Raises:
            BackendUnavailableError: as `stream`, or `no_choice` when the reply is none of the options.
        """
        if not self._gate.acquire(blocking=False):
            raise _unavailable("busy")
        try:
            body = completion_request(self._model, prompt, max_tokens=_LONGEST_CHOICE, seed=seed)
            body |= {"stream": False, "structured_outputs": {"choice": list(options)}}
            reply = self._client.post("/v1/chat/completions", json=body)
            if not reply.is_success:
                raise _unavailable(f"status_{reply.status_code}")
            chosen = str(reply.json()["choices"][0]["message"]["content"]).strip()
        except httpx.HTTPError as error:
            raise _unavailable(_code(error)) from None
        except (ValueError, KeyError, TypeError, IndexError):
            raise _unavailable("malformed") from None
        finally:
            self._gate.release()
        if chosen not in options:
            raise _unavailable("no_choice")
        return chosen

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()


def completion_request(model: str, prompt: Prompt, *, max_tokens: int, seed: int) -> dict[str, Any]:
    """Return the body of one streamed completion; the system text comes first for the prefix cache."""
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        "temperature": 0,
        "seed": seed,
        "max_tokens": max_tokens,
        "stream": True,
    }


def _piece(data: str) -> tuple[str, str | None]:
    """Return the text and the finish reason of one event."""
    try:
        event = json.loads(data)
        if "error" in event:
            raise _unavailable("engine_error")
        choices = event["choices"]
        if not choices:
            return "", None
        return choices[0]["delta"].get("content") or "", choices[0].get("finish_reason")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise _unavailable("malformed") from None
