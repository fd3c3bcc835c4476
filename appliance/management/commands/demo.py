"""`manage.py demo`: the whole appliance with the synthetic clinic, in one command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError

from appliance.config import ROOT, config
from appliance.model_server.prepare import models_missing
from appliance.model_server.serve import ModelServerError
from appliance.processes import catalogue
from appliance.processes.demo_users import DEMO_USERS, demo_password, ensure_demo_users
from appliance.processes.model_server import model_server
from appliance.processes.spec import ProcessError
from appliance.processes.supervisor import Supervisor

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import FrameType

QUESTIONS: Final = (
    "What is her latest potassium, and what is the trend?",
    "Why was apixaban stopped?",
    "Has she ever had a colonoscopy?",
)
_CLINIC: Final = "load_demo"
_READY_S: Final = 120.0


class _StopRequestedError(Exception):
    """SIGINT, SIGTERM or SIGHUP arrived."""


class Command(BaseCommand):
    """Set up what is missing, start every process, and keep them running until Ctrl-C."""

    help = "Run the appliance with the synthetic clinic; Ctrl-C stops every process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--prepare-only", action="store_true", help="set up, start nothing")
        parser.add_argument("--without-model", action="store_true", help="answers are facts and quotations only")

    def handle(self, *_args: str, **options: bool) -> None:
        """Run until interrupted.

        Raises:
            CommandError: something is missing or a process does not stay up; the message says which.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _request_stop)
        try:
            self._prepare()
            if not options["prepare_only"]:
                self._run(with_model=not options["without_model"])
        except _StopRequestedError:
            self._say("stopped")
        except (ProcessError, ModelServerError) as error:
            raise CommandError(str(error)) from error

    def _prepare(self) -> None:
        settings = config()
        if models_missing(settings):  # in a process of its own: it needs 1 GB for a moment
            command = [sys.executable, "-m", "appliance.model_server.prepare"]
            if subprocess.run(command, cwd=ROOT, env=catalogue.child_environment(), check=False).returncode:
                raise CommandError("the models were not prepared; see above")
        for database in ("default", "audit"):
            call_command("migrate", database=database, interactive=False, verbosity=0)
        ensure_demo_users(demo_password(settings.var / "secrets"))
        self._say("databases and users are ready")

    def _run(self, *, with_model: bool) -> None:
        settings = config()
        with Supervisor(settings.var / "log", self._say) as supervisor:
            try:
                specs = [catalogue.redis(settings), catalogue.vectors(settings)]
                if with_model:  # first: it needs longest, the rest goes on meanwhile
                    specs.insert(0, model_server(settings))
                for spec in specs:
                    supervisor.start(spec)
                supervisor.wait_ready("redis")
                supervisor.wait_ready("vectors")
                self._load_clinic()
                supervisor.start(catalogue.worker())
                supervisor.start(catalogue.web(settings))
                supervisor.start(catalogue.machines(settings))
                supervisor.start(catalogue.mllp(settings))
                supervisor.wait_ready("web")
                supervisor.wait_ready("machines")
                supervisor.wait_ready("mllp")
                if with_model:
                    supervisor.wait_ready("vllm")
                    self._wait_for_readiness(supervisor)
                self._welcome()
                supervisor.watch()
            finally:
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C does not leave half behind
                self._say("stopping")

    def _load_clinic(self) -> None:
        if _CLINIC not in get_commands():
            self._say("no synthetic clinic in this installation; the record stays as it is")
            return
        started = time.monotonic()
        command = [sys.executable, str(ROOT / "manage.py"), _CLINIC]
        if subprocess.run(command, env=catalogue.child_environment(), check=False).returncode:
            raise CommandError(f"loading the clinic failed: run {' '.join(command)} to see why")
        self._say(f"clinic is loaded, {time.monotonic() - started:.0f} s")

    def _wait_for_readiness(self, supervisor: Supervisor) -> None:
        settings = config()
        limit = time.monotonic() + _READY_S
        while not catalogue.answers(f"http://{settings.host}:{settings.port}", "/readyz"):
            if time.monotonic() > limit:
                raise CommandError(f"/readyz is not 200 after {_READY_S:.0f} s; logs are in {settings.var / 'log'}")
            supervisor.look()
            time.sleep(0.25)

    def _welcome(self) -> None:
        settings = config()
        lines = [
            "",
            f"  http://{settings.host}:{settings.port}/",
            f"  users     {', '.join(DEMO_USERS)}",
            f"  password  {demo_password(settings.var / 'secrets')}",
            "",
            "  Log in as demo-clinician, open YUSUF, Amina and ask:",
            *[f"    {question}" for question in QUESTIONS],
            "",
            "  Ctrl-C stops everything.",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise _StopRequestedError
