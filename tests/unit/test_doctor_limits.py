"""Whatever hangs, the doctor says so and goes on."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from appliance.doctor import service_checks
from appliance.doctor.examine import examine
from appliance.doctor.finding import right
from appliance.doctor.limit import TooLongError, at_most
from tests.unit import doctor_findings
from tests.unit.doctor_findings import changed, named_wrong, only

if TYPE_CHECKING:
    from appliance.doctor.finding import Finding, Look
    from appliance.doctor.service_checks import Stats

look = doctor_findings.look


def hangs(_look: Look) -> Finding:
    try:
        time.sleep(60)
    except Exception:  # as a library would that retries for ever
        return right("hangs", "it came through")
    return right("hangs", "it came through")


def well(_look: Look) -> Finding:
    return right("well", "it is")


def test_a_check_that_never_ends_is_a_line_and_the_next_one_is_made(look: Look) -> None:
    begun = time.monotonic()
    found = list(examine(look, (hangs, well), longest_s=0.2))
    assert time.monotonic() - begun < 5
    named_wrong(found, "hangs", "no answer within 0 seconds")
    assert only(found, "well").words == "it is"


def test_a_queue_that_takes_connections_and_says_nothing_is_named_with_what_restarts_it(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> Stats:
        connection.recv(1)
        return {}

    monkeypatch.setattr(service_checks, "_WORKER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        given = changed(look, redis_url=f"redis://127.0.0.1:{address[1]}/0", sweep_s=0.1)
        with socket.create_connection(address) as connection:
            named_wrong(service_checks.worker(given, silent), "worker", "takes connections and does not answer")
            assert "redis" in service_checks.worker(doctor_findings.site(given), silent).mend


def test_an_outer_limit_goes_on_counting_after_an_inner_one() -> None:
    begun = time.monotonic()
    with pytest.raises(TooLongError), at_most(0.3):
        with at_most(30):
            pass
        time.sleep(30)
    assert time.monotonic() - begun < 5


def test_in_another_thread_nothing_is_interrupted_and_nothing_breaks() -> None:
    done = threading.Event()

    def run() -> None:
        with at_most(0.01):
            time.sleep(0.05)
        done.set()

    threading.Thread(target=run).start()
    assert done.wait(timeout=5)
