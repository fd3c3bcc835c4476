"""A model server to talk to: the one that runs, else one started for as long as it is needed."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from appliance.backends.vllm import VllmChatModel
from appliance.model_server.manifest import known_digest
from appliance.model_server.serve import start_command
from appliance.processes.spec import ProcessSpec
from appliance.processes.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from appliance.config import Config


def chat_model(settings: Config, *, concurrent: int = 8) -> VllmChatModel:
    """Return a client of the configured model server; nothing is sent yet."""
    return VllmChatModel(
        url=settings.vllm_url,
        model=settings.vllm_model,
        api_key=settings.secret("vllm_api_key"),
        timeout_s=settings.vllm_timeout_s,
        digest=known_digest(settings.model_path),
        concurrent=concurrent,
    )


def model_answers(settings: Config) -> bool:
    """Return whether the server serves the configured model to the configured key."""
    with closing(chat_model(settings)) as client:
        return client.ready()


def model_server(settings: Config) -> ProcessSpec:
    """Return the model server's process, its weights verified.

    Raises:
        ModelServerError: environment or weights are not fit to be started.
    """
    start = start_command(settings)
    return ProcessSpec(
        name="vllm",
        argv=start.argv,
        environment=start.environment,
        address=settings.vllm_url,
        ready=lambda: model_answers(settings),
        ready_within_s=300.0,
        stop_within_s=15.0,
    )


@contextmanager
def running_model_server(settings: Config, log_folder: Path, say: Callable[[str], None]) -> Iterator[Config]:
    """Yield the configuration of a server that answers; one started here is stopped again.

    Args:
        settings: names the server that may be running already.
        log_folder: where a server started here writes its log.
        say: takes one line of progress.

    Raises:
        ModelServerError: environment or weights are missing.
        ProcessError: the server did not start.
    """
    if model_answers(settings):
        yield settings
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = settings.model_copy(update={"vllm_url": f"http://127.0.0.1:{port}"})
    with Supervisor(log_folder, say) as supervisor:
        supervisor.start(model_server(own))
        supervisor.wait_ready("vllm")
        yield own
