"""The supervisor starts, restarts and stops, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from appliance.config import ROOT, environment
from appliance.processes.spec import ProcessError, ProcessSpec
from appliance.processes.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import pathlib, signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
    "time.sleep(60)\n"
)


def spec(code: str, *arguments: str, address: str = "", ready: Callable[[], bool] = lambda: True) -> ProcessSpec:
    return ProcessSpec(
        name="child",
        argv=(sys.executable, "-S", "-c", code, *arguments),
        environment=environment(),
        address=address,
        ready=ready,
        ready_within_s=10,
        stop_within_s=0.5,
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - not a file of ours
        return file.read().rpartition(")")[2].split()[0] != "Z"


def eventually(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    limit = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "log", lines.append, restarts=2, pause_s=0.01) as supervisor:
        yield supervisor


def test_a_process_that_ended_is_started_again(supervisor: Supervisor, lines: list[str]) -> None:
    supervisor.start(spec(SLEEP))
    first = supervisor.pids()["child"]
    os.kill(first, signal.SIGKILL)

    def restarted() -> bool:
        supervisor.look()
        return supervisor.pids()["child"] != first

    assert eventually(restarted)
    assert alive(supervisor.pids()["child"])
    assert lines == ["child ended with code -9; starting it again"]


def test_a_process_that_keeps_ending_is_given_up_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start(spec("raise SystemExit('no disk')"))

    def look_for_ever() -> bool:
        supervisor.look()
        return False

    with pytest.raises(ProcessError, match="no disk") as given_up:
        eventually(look_for_ever)
    assert given_up.value.code == "keeps_ending"


def test_readiness_is_waited_for(supervisor: Supervisor, tmp_path: Path, lines: list[str]) -> None:
    flag = tmp_path / "flag"
    supervisor.start(spec(f"open({str(flag)!r}, 'w'); {SLEEP}", ready=flag.exists))
    supervisor.wait_ready("child")
    assert lines[0].startswith("child is ready after ")


def test_a_process_that_ends_before_it_is_ready_is_reported(supervisor: Supervisor) -> None:
    supervisor.start(spec("raise SystemExit('bad option')", ready=lambda: False))
    with pytest.raises(ProcessError, match="bad option") as failed:
        supervisor.wait_ready("child")
    assert failed.value.code == "not_ready"


def test_a_taken_address_is_refused_before_anything_starts(supervisor: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ProcessError) as refused:
            supervisor.start(spec(SLEEP, address=address))
    assert refused.value.code == "address_in_use"
    assert supervisor.pids() == {}


def test_a_missing_program_is_named(supervisor: Supervisor) -> None:
    missing = ProcessSpec("child", ("no-such-program-here",), environment(), "", lambda: True)
    with pytest.raises(ProcessError, match="no-such-program-here"):
        supervisor.start(missing)


def test_stopping_kills_what_ignores_sigterm_and_what_it_started(tmp_path: Path, lines: list[str]) -> None:
    note = tmp_path / "grandchild"
    with Supervisor(tmp_path / "log", lines.append) as supervisor:
        supervisor.start(spec(STUBBORN, str(note)))
        assert eventually(lambda: note.exists() and note.read_text() != "")
        pids = [supervisor.pids()["child"], int(note.read_text())]
        assert all(map(alive, pids))
    assert eventually(lambda: not any(map(alive, pids)))
    assert "child did not stop when asked; killed" in lines


def test_processes_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from appliance.config import environment\n"
        "from appliance.processes.spec import ProcessSpec\n"
        "from appliance.processes.supervisor import Supervisor\n"
        "s = Supervisor(Path(sys.argv[1]), print)\n"
        f"argv = (sys.executable, '-S', '-c', {SLEEP!r})\n"
        "s.start(ProcessSpec('child', argv, environment(), '', lambda: True))\n"
        "print(s.pids()['child'], flush=True)\n"
        "time.sleep(60)\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    assert eventually(lambda: not alive(child))
