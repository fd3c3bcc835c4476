"""What every ChatModel promises; the same for the fake and for the real server."""

from __future__ import annotations

import re
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from appliance.backends.vllm import VllmChatModel
from appliance.egress import on_site_client
from appliance.processes.model_server import chat_model
from clinical.domain.prompt import Prompt
from clinical.ports import BackendUnavailableError
from tests.fakes import ScriptedChatModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config import Config
    from clinical.ports import ChatModel

PROMPT = Prompt("You answer in short sentences.", "Write a long story about a ship at sea.")
SAYS = "The ship left the harbour at dawn. The sea was calm. Nobody spoke for a long time."
LONG = 1500


@pytest.fixture(params=["fake", pytest.param("real", marks=[pytest.mark.vllm, pytest.mark.timeout(360)])])
def model(request: pytest.FixtureRequest) -> Iterator[ChatModel]:
    if request.param == "fake":
        yield ScriptedChatModel(SAYS)
        return
    with closing(chat_model(request.getfixturevalue("server"))) as model:
        yield model


@pytest.fixture
def real(server: Config) -> Iterator[VllmChatModel]:
    with closing(chat_model(server, concurrent=1)) as model:
        yield model


def test_it_has_a_name_and_a_digest_and_is_ready(model: ChatModel) -> None:
    assert model.name
    assert re.fullmatch("[0-9a-f]{64}", model.digest)
    assert model.ready()


def test_a_completion_comes_in_pieces_and_ends(model: ChatModel) -> None:
    pieces = list(model.stream(PROMPT, max_tokens=16, seed=1))
    assert 1 < len(pieces) <= 16
    assert all(pieces)


def test_the_same_request_gives_the_same_text(model: ChatModel) -> None:
    one, two = ("".join(model.stream(PROMPT, max_tokens=24, seed=1)) for _ in range(2))
    assert one == two


def test_a_closed_stream_yields_nothing_more_and_may_be_closed_again(model: ChatModel) -> None:
    stream = model.stream(PROMPT, max_tokens=LONG, seed=1)
    pieces = iter(stream)
    assert next(pieces)
    stream.close()
    assert list(pieces) == []
    stream.close()


@pytest.mark.parametrize("down", ["fake", "real"])
def test_a_server_that_is_down_is_unavailable_and_not_ready(down: str) -> None:
    nobody = VllmChatModel(url="http://127.0.0.1:9", model="m", api_key="k", timeout_s=5, digest="0" * 64)
    with closing(nobody):
        model: ChatModel = ScriptedChatModel(down=True) if down == "fake" else nobody
        started = time.monotonic()
        assert not model.ready()
        with pytest.raises(BackendUnavailableError) as error:
            list(model.stream(PROMPT, max_tokens=8, seed=1))
        assert (error.value.service, error.value.reason) == ("vllm", "unreachable")
        assert time.monotonic() - started < 1


def running(settings: Config) -> float:
    with on_site_client(settings.vllm_url, timeout_s=5) as client:
        found = re.search(r"^vllm:num_requests_running\{.*\} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def seconds_until_idle(settings: Config) -> float:
    started = time.monotonic()
    while running(settings):
        assert time.monotonic() - started < 5
        time.sleep(0.02)
    return time.monotonic() - started


@pytest.mark.vllm
@pytest.mark.timeout(360)
class TestTheRealServer:
    def test_closing_the_stream_frees_its_place_within_a_second(self, server: Config, real: VllmChatModel) -> None:
        stream = real.stream(PROMPT, max_tokens=LONG, seed=1)
        pieces = iter(stream)
        next(pieces)
        assert running(server) == 1
        stream.close()
        assert seconds_until_idle(server) < 1

    def test_a_reader_that_waits_is_woken_when_another_thread_closes(self, server: Config, real: VllmChatModel) -> None:
        stream = real.stream(PROMPT, max_tokens=LONG, seed=1)
        timer = threading.Timer(0.3, stream.close)
        started = time.monotonic()
        timer.start()
        assert len(list(stream)) < LONG
        assert time.monotonic() - started < 1.5
        timer.join()
        assert seconds_until_idle(server) < 1

    def test_a_reader_that_leaves_the_loop_frees_its_place(self, server: Config, real: VllmChatModel) -> None:
        for _piece in real.stream(PROMPT, max_tokens=LONG, seed=1):
            break
        assert seconds_until_idle(server) < 1

    def test_beyond_its_places_it_is_busy_at_once_and_recovers(self, real: VllmChatModel) -> None:
        first = real.stream(PROMPT, max_tokens=LONG, seed=1)
        with pytest.raises(BackendUnavailableError, match="busy"):
            real.stream(PROMPT, max_tokens=8, seed=1)
        first.close()
        assert list(real.stream(PROMPT, max_tokens=8, seed=1))

    def test_the_end_by_length_is_told(self, real: VllmChatModel) -> None:
        stream = real.stream(PROMPT, max_tokens=4, seed=1)
        assert len(list(stream)) <= 4
        assert stream.finish_reason == "length"

    def test_a_whole_completion_has_a_time_limit(self, server: Config) -> None:
        hurried = server.model_copy(update={"vllm_timeout_s": 0.5})
        with closing(chat_model(hurried)) as model, pytest.raises(BackendUnavailableError, match="timeout"):
            list(model.stream(PROMPT, max_tokens=LONG, seed=1))
        assert seconds_until_idle(server) < 1

    def test_a_prompt_beyond_the_window_is_refused_with_a_code(self, real: VllmChatModel) -> None:
        with pytest.raises(BackendUnavailableError, match="status_400"):
            real.stream(Prompt("", "word " * 5000), max_tokens=8, seed=1)

    def test_a_wrong_key_is_not_ready(self, server: Config) -> None:
        other = server.model_copy(update={"vllm_api_key": SecretStr("wrong")})
        with closing(chat_model(other)) as model:
            assert not model.ready()
            with pytest.raises(BackendUnavailableError, match="status_401"):
                model.stream(PROMPT, max_tokens=8, seed=1)
