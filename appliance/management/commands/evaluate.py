"""Run a gold set and print the figures."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.config import ROOT, config
from appliance.processes.throwaway import throwaway_environment
from clinical.answering import stored
from clinical.answering.services import ask, events
from clinical.domain.access import AccessDeniedError, Role
from clinical.evaluation.cases import CaseError, GoldCase, load_cases
from clinical.evaluation.scoring import score
from clinical.identity.services import find_by_fhir_id, patient_of_reference
from clinical.ports import BackendUnavailableError
from clinical.record.index_changes import apply_due
from clinical.record.wipe import wipe_record
from ingestion.domain.items import ParseContext
from ingestion.files import take_in_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.management.base import CommandParser

USER = "demo-clinician"


class Command(BaseCommand):
    """`manage.py evaluate CASES.jsonl`."""

    help = "Run a gold set; cases that name records run in a throwaway record and index."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("cases", type=Path, metavar="CASES.jsonl")
        parser.add_argument("--model", choices=["served", "none"], default="served")
        parser.add_argument("--answers", type=Path, help="write each answer with its case id")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--throwaway", action="store_true", help="this record may be emptied")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run every case, score, print."""
        path: Path = options["cases"]
        try:
            cases = load_cases(path.read_text().splitlines())
        except (OSError, CaseError) as error:
            raise CommandError(str(error)) from None
        if any(case.records for case in cases) and not options["throwaway"]:
            self._in_throwaway(options, own=[case for case in cases if not case.records])
            return
        if options["model"] == "none":
            settings.CLINICAL_DRAFTING = False
        _ensure_user()
        results = dict(self._results(cases, path.parent))
        if options["answers"]:
            lines = [json.dumps({"id": one, **result}, ensure_ascii=False) for one, result in results.items()]
            options["answers"].write_text("\n".join(lines) + "\n")
        report = score(cases, [results[case.id] for case in cases])
        self.stdout.write(
            json.dumps(report.as_json(), indent=2) if options["json"] else _plain(report.as_json())
        )
