"""The model server under systemd's watchdog: `python -m appliance.processes.watched_model`.

vLLM's loops turn in processes of its own, which know nothing of systemd: this parent asks whether it answers.
"""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

from appliance.config import config, environment
from appliance.model_server.serve import ModelServerError, start_command
from appliance.processes.model_server import chat_model
from appliance.processes.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ASKS_EVERY_S: Final = 5.0
_SYSTEMDS: Final = frozenset({"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})  # for this process, not for the child


def keep(
    argv: Sequence[str],
    given: Mapping[str, str],
    answers: Callable[[], bool],
    *,
    starts_s: float,
    every_s: float = _ASKS_EVERY_S,
) -> int:
    """Run the server until it ends, and tell systemd while it answers or may still be starting.

    Args:
        argv: its command line.
        given: its environment.
        answers: whether it answers now; returns within a few seconds whatever the server does.
        starts_s: seconds a start may take; a server that has not answered by then is told of no more.
        every_s: seconds between two questions.

    Returns:
        Its exit status, 128 and the signal's number where a signal ended it.
    """
    told = Watchdog()
    starting_until = time.monotonic() + starts_s
    child = {name: value for name, value in given.items() if name not in _SYSTEMDS}
    with subprocess.Popen(list(argv), env=child) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.terminate())
        while server.poll() is None:
            if answers():
                starting_until = 0.0  # from now on it has to go on answering
                told()
            elif time.monotonic() < starting_until:
                told()
            try:
                server.wait(every_s)
            except subprocess.TimeoutExpired:
                continue
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


def main() -> None:
    """Start the server for this configuration; what a service unit runs."""
    settings = config()
    try:
        start = start_command(settings)
    except ModelServerError as error:
        raise SystemExit(f"model server: {error}") from error
    starts_s = float(environment().get("APPLIANCE_MODEL_STARTS_S", "600"))
    raise SystemExit(keep(start.argv, start.environment, chat_model(settings).ready, starts_s=starts_s))


if __name__ == "__main__":
    main()
