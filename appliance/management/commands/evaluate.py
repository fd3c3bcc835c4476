"""Run a gold set and print the figures."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.config import ROOT, config
from appliance.processes.throwaway import is_throwaway, throwaway_environment
from clinical.answering import stored
from clinical.answering.services import ask, events
from clinical.domain.access import AccessDeniedError, Role
from clinical.evaluation.cases import GoldCase, load_cases
from clinical.evaluation.json_lines import CaseFileError
from clinical.evaluation.scoring import score
from clinical.identity.services import find_by_fhir_id, patient_of_reference
from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from clinical.record.wipe import wipe_record
from ingestion.domain.items import ParseContext
from ingestion.files import take_in_files

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

USER: Final = "demo-clinician"
Results = dict[str, dict[str, Any]]


class Command(BaseCommand):
    """`manage.py evaluate CASES.jsonl`."""

    help = "Run a gold set; cases that name records run in a throwaway record and index."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("cases", type=Path, metavar="CASES.jsonl")
        parser.add_argument("--model", choices=["served", "none"], default="served")
        parser.add_argument("--answers", type=Path, help="write each answer with its case id")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--throwaway", action="store_true", help="this record may be emptied: internal")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run every case, score, print."""
        path: Path = options["cases"]
        try:
            cases = load_cases(path.read_text().splitlines())
        except (OSError, CaseFileError) as error:
            raise CommandError(str(error)) from None
        if options["model"] == "none":
            settings.CLINICAL_DRAFTING = False
        if options["throwaway"]:
            if not is_throwaway(config()):
                raise CommandError("this record is kept: it will not be emptied")
            results = self._throwaway_results([case for case in cases if case.records], path.parent)
        else:
            results = self._own_results([case for case in cases if not case.records])
            if any(case.records for case in cases):
                results |= self._in_throwaway(path, model=options["model"])
        if options["answers"]:
            _write(options["answers"], results)
        if options["throwaway"]:
            return
        report = score(cases, [results[case.case_id] for case in cases]).as_json()
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else _plain(report))

    def _own_results(self, cases: list[GoldCase]) -> Results:
        """Ask about the patients held here."""
        user = User.objects.filter(username=USER).first()
        if cases and user is None:
            raise CommandError(f"no user {USER}: run `make demo` first, or give cases that name records")
        return {case.case_id: _ask(case, user) for case in cases if user is not None}

    def _in_throwaway(self, path: Path, *, model: str) -> Results:
        """Run the cases that name records in a process of their own, over an empty record and index."""
        with throwaway_environment(self.stderr.write) as environment:
            answers = Path(environment["APPLIANCE_VAR"]) / "answers.jsonl"
            manage = [sys.executable, str(ROOT / "manage.py")]
            for database in ("default", "audit"):
                command = [*manage, "migrate", "--verbosity", "0", "--database", database]
                subprocess.run(command, env=environment, check=True)
            command = [*manage, "evaluate", str(path), "--throwaway", "--model", model]
            subprocess.run([*command, "--answers", str(answers)], env=environment, check=True)
            lines = [json.loads(line) for line in answers.read_text().splitlines()]
        return {line.pop("id"): line for line in lines}

    def _throwaway_results(self, cases: list[GoldCase], folder: Path) -> Results:
        """Take each group's records in, ask its questions, and empty the record again."""
        user = User.objects.create(username=USER)
        user.groups.add(Group.objects.get_or_create(name=Role.CLINICIAN)[0])
        results: Results = {}
        ordered = sorted(cases, key=lambda case: case.records)
        for number, (records, group) in enumerate(groupby(ordered, key=lambda case: case.records), start=1):
            for case_patients, same in groupby(group, key=lambda case: case.patient):
                self._take_in([_found(name, folder) for name in records], case_patients)
                results |= {case.case_id: _ask(case, user) for case in same}
                wipe_record()
            self.stderr.write(f"group {number}: {len(results)}/{len(cases)} cases")
        return results

    def _take_in(self, paths: list[Path], patient: str) -> None:
        missing = [str(path) for path in paths if not path.exists()]
        if missing:
            raise CommandError(f"no such records: {', '.join(missing)}")
        patient_of_reference("", patient)  # notes of the case may name him before his Patient resource does
        take_in_files(
            paths,
            context=ParseContext(patient_reference=f"Patient/{patient}"),
            limits=settings.INGESTION_LIMITS,
            clock=timezone.now,
            progress=lambda *_: None,
        )
        try:
            while apply_due(now=timezone.now()):
                pass
        except BackendUnavailableError as error:
            raise CommandError(f"the throwaway index did not answer ({error})") from None


def _found(name: str, folder: Path) -> Path:
    """Return a record's path: beside the file of cases, else as seen from the working directory."""
    beside = folder / name
    return beside if beside.exists() else Path(name)


def _ask(case: GoldCase, user: User) -> dict[str, Any]:
    """Return one answer in the `ask` shape with the whole time it took."""
    patient = find_by_fhir_id(case.patient)
    if patient is None:
        return stored.as_json([]) | {"reason": "patient-unknown"}
    begun = perf_counter()
    try:
        question = ask(user, patient.id, case.question, clock=timezone.now)
        result = stored.as_json(events(question.id, user, clock=timezone.now))
    except AccessDeniedError as denial:
        return stored.as_json([]) | {"reason": denial.reason}
    result["timings_ms"]["whole"] = round((perf_counter() - begun) * 1000, 2)
    return result


def _write(path: Path, results: Results) -> None:
    lines = [json.dumps({"id": one, **result}, ensure_ascii=False) for one, result in results.items()]
    path.write_text("".join(f"{line}\n" for line in lines))


def _plain(report: dict[str, Any]) -> str:
    """Return the figures as a table, then what failed."""
    rows = []
    for name, value in report.items():
        if name in ("by_route", "by_class"):
            rows += [f"{name} {group:14} {json.dumps(figures)}" for group, figures in value.items()]
        elif name != "failures":
            rows.append(f"{name:22} {json.dumps(value)}")
    rows += [f"failed {failure['id']}: {failure['why']}" for failure in report["failures"]]
    return "\n".join(rows)
