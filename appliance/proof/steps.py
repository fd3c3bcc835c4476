"""The journey: what is done with the real processes, once for each phase, each time with other files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.config import ROOT, config
from appliance.processes.catalogue import child_environment
from appliance.proof.allowed import COMMAND
from appliance.proof.callers import QUESTIONS, Callers, RefusedError, decoded
from appliance.proof.shapes import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.proof.shapes import Plan

_PATIENTS: Final = ("amina-yusuf", "bruno-keller", "carlos-mendes", "david-osei")
_COMMAND_S: Final = 900.0
_LEAK: Final = "a planted leak"


class Steps:
    """Makes the journey; `kinds` learns the process ids of the commands it runs."""

    def __init__(self, plan: Plan, kinds: dict[int, str]) -> None:
        self._plan = plan
        self._kinds = kinds
        self._made = 0
        self._secrets: dict[str, str] = {}

    def prepare(self) -> None:
        """Make databases, users and the clinic's files.

        Raises:
            OSError: it did not work; the end of what it said is in the message.
        """
        self._secrets = decoded(self._ran(f"{COMMAND} migrate", [sys.executable, "-m", "appliance.proof.prepare"]))

    def make(self) -> list[Step]:
        """Make the journey once and say how each step went."""
        made = [self._step(name, act) for name, act in self._acts()]
        self._made += 1
        return made

    def _acts(self) -> list[tuple[str, Callable[[], str]]]:
        leak: list[tuple[str, Callable[[], str]]] = [(_LEAK, self._leak)] if self._plan.leak else []
        if self._plan.bare:
            return leak
        patient, other = _PATIENTS[2 * self._made], _PATIENTS[2 * self._made + 1]
        callers = Callers(config(), self._secrets)
        clinic = config().var / "clinic"
        notes = [str(path) for path in sorted((clinic / "notes").glob(f"{patient}-*"))]
        whole: list[tuple[str, Callable[[], str]]] = [
            ("the whole clinic", lambda: self._manage("load_demo")),
            ("index compared", lambda: self._manage("verify_index")),
            ("question on the command line", lambda: self._ask(patient)),
            ("audit chain walked", lambda: self._manage("audit", "verify")),
        ]
        first = self._made == 0
        commands = first or self._plan.whole  # they take longest; the short form runs them once
        files: list[tuple[str, Callable[[], str]]] = [
            ("files", lambda: self._ingest([str(clinic / "patients" / f"{patient}.json"), *notes]))
        ]
        return [
            *(files if commands else []),
            ("FHIR Bundle", lambda: callers.bundle(clinic / "patients" / f"{other}.json")),
            ("HL7 v2 message", lambda: callers.message(f"proof-{self._made}")),
            ("taken in by the worker", callers.taken_in),
            ("question over the API", lambda: callers.api_question(other.partition("-")[2], QUESTIONS[0])),
            ("question on a page", lambda: callers.page_question(QUESTIONS[1])),
            ("decision support", lambda: callers.hook(other)),
            *(whole if self._plan.whole else []),
            *([("backup", self._backup)] if commands else []),
            *leak,
        ]

    def _step(self, name: str, act: Callable[[], str]) -> Step:
        begun = time.monotonic()
        try:
            told, worked = act(), True
        except (RefusedError, OSError, ValueError, KeyError) as error:
            told, worked = f"{type(error).__name__}: {error}"[:400], False
        except Exception as error:  # what a library says of a request may repeat it
            told, worked = type(error).__name__, False
        return Step(name, worked, round(time.monotonic() - begun, 2), told)

    def _ingest(self, paths: list[str]) -> str:
        counts = decoded(self._manage("ingest", *paths, "--wait", "--json"))
        return f"received {counts['received']}, stored {counts['stored']}"

    def _ask(self, patient: str) -> str:
        words = ("ask", "--patient", patient, "--as", "demo-clinician", "--json", QUESTIONS[1])
        return str(decoded(self._manage(*words))["status"])

    def _backup(self) -> str:
        held = decoded(self._manage("backup", "--json"))
        return f"{held['record']['versions']} versions, {held['trail']['rows']} rows of the trail"

    def _leak(self) -> str:
        self._ran("web", list(self._plan.leak))
        return "let go"

    def _manage(self, *words: str) -> str:
        return self._ran(f"{COMMAND} {words[0]}", [sys.executable, str(ROOT / "manage.py"), *words])

    def _ran(self, kind: str, command: list[str]) -> str:
        """Run a command to its end and return what it printed.

        Raises:
            OSError: it failed; its last line follows.
        """
        log = Path(self._plan.folder) / "log"
        log.mkdir(exist_ok=True, mode=0o700)
        with (log / "commands.log").open("ab") as errors:
            process = subprocess.Popen(
                command, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, stderr=errors, text=True
            )
            self._kinds[process.pid] = kind
            out, _ = process.communicate(timeout=_COMMAND_S)
        if process.returncode:
            raise OSError(f"{kind} ended with {process.returncode}")
        return out
