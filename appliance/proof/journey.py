"""One run inside the sealed namespace: starts the real processes, makes the journey, lets the canaries go.

Usage: python -m appliance.proof.journey PLAN.json, started by the stage, with which it speaks over its pipes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.config import config
from appliance.model_server.serve import ModelServerError
from appliance.processes import catalogue
from appliance.processes.model_server import model_server
from appliance.processes.spec import ProcessError
from appliance.processes.supervisor import Supervisor
from appliance.proof import world
from appliance.proof.allowed import CALLERS
from appliance.proof.capture import Capture, interfaces, no_route
from appliance.proof.releasing import release_canaries
from appliance.proof.shapes import OPENED, SEALED, TEMPTED, Phase, Plan, Result, Watched
from appliance.proof.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.processes.spec import ProcessSpec

RESULT: Final = "result.json"
_READY_S: Final = 180.0


class Journey:
    """One run."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._folder = Path(plan.folder)
        self._kinds = {os.getpid(): CALLERS}
        self._phases: list[Phase] = []
        self._remarks: list[str] = []
        self._environments: dict[str, dict[str, str]] = {"manage.py": catalogue.child_environment()}
        self._supervisor = Supervisor(self._folder / "log", _say)
        self._steps = Steps(plan, self._kinds)

    def run(self) -> Result:
        """Do it; whatever stops it is told in the result."""
        fault = ""
        try:
            world.loopback_up()
            with self._supervisor:
                if SEALED in self._plan.journeys:
                    self._sealed()
                self._tempted()
        except (world.StagingError, ProcessError, ModelServerError, OSError) as error:
            fault = f"{type(error).__name__}: {error}"
        return Result(self._phases, self._kinds, self._endpoints(), remarks=self._remarks, fault=fault)

    def _sealed(self) -> None:
        """Make the journey where there is nothing but loopback."""
        capture, lost, links = Capture(), no_route(), interfaces()
        self._start()
        made = self._steps.make()
        if TEMPTED not in self._plan.journeys:
            self._supervisor.stop()
        seen, missed = capture.since(0), no_route()
        journey = Watched(seen.packets, seen.shown, missed - lost)
        canaries = release_canaries(self._environments, self._kinds)
        canary = Watched(capture.since(seen.packets).packets, [], no_route() - missed)
        capture.stop()
        self._phases.append(Phase(SEALED, links, made, journey, canaries, canary))

    def _tempted(self) -> None:
        """Open a way out, and make the journey where every name is known and every door answers."""
        _asked(f"attach {os.getpid()}", expected="attached")
        world.be_tempted()
        before, lost = world.settle(lambda: _since(0).packets), no_route()
        made = []
        if TEMPTED in self._plan.journeys:
            if not self._environments.keys() - {"manage.py"}:
                self._start()
            made = self._steps.make()
        self._supervisor.stop()
        seen, missed = _since(before), no_route()
        journey = Watched(seen.packets, seen.shown, missed - lost)
        canaries = release_canaries(self._environments, self._kinds)
        canary = Watched(_since(before + seen.packets).packets, [], no_route() - missed)
        name = TEMPTED if TEMPTED in self._plan.journeys else OPENED
        self._phases.append(Phase(name, interfaces(), made, journey, canaries, canary))

    def _start(self) -> None:
        """Start every process, the slowest first; wait until each answers."""
        if self._plan.bare:
            return
        settings = config()
        first = [catalogue.redis(settings), catalogue.vectors(settings)]
        if self._plan.model:
            first.insert(0, model_server(settings))
        for spec in first:
            self._run(spec)
        self._steps.prepare()
        doors = [
            catalogue.machines(settings),
            catalogue.web(settings),
            catalogue.worker(),
            catalogue.mllp(settings),
        ]
        for spec in doors:
            self._run(spec)
        for name in ("redis", "vectors", "machines", "web", "mllp", *(["vllm"] if self._plan.model else [])):
            self._supervisor.wait_ready(name)

    def _run(self, spec: ProcessSpec) -> None:
        # A traced process starts more slowly, and several start at once.
        self._supervisor.start(replace(spec, ready_within_s=max(spec.ready_within_s, _READY_S)))
        self._kinds[self._supervisor.pids()[spec.name]] = spec.name
        self._environments[spec.name] = dict(spec.environment)

    def _endpoints(self) -> dict[str, str]:
        settings = config()
        urls = {"redis": settings.redis_url, "vectors": settings.vector_url, "vllm": settings.vllm_url}
        places = {url.partition("//")[2].partition("/")[0]: name for name, url in urls.items()}
        ports = {"web": settings.port, "machines": settings.machine_port, "mllp": settings.mllp_port}
        return places | {f"{settings.host}:{port}": name for name, port in ports.items()}


def _asked(words: str, *, expected: str = "") -> str:
    """Ask the stage and return its reply.

    Raises:
        StagingError: it is not the expected one.
    """
    sys.stdout.write(words + "\n")
    sys.stdout.flush()
    reply = sys.stdin.readline().strip()
    if expected and reply != expected:
        raise world.StagingError(reply or "the stage is gone")
    return reply


def _since(count: int) -> Watched:
    return msgspec.json.decode(_asked(f"since {count}"), type=Watched)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(made: Callable[[Plan], Journey] = Journey) -> None:
    """Run the plan and leave the result beside it."""
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    result = made(plan).run()
    (Path(plan.folder) / RESULT).write_bytes(msgspec.json.encode(result))
    raise SystemExit(1 if result.fault else 0)


if __name__ == "__main__":
    main()
