"""What the whole-chart summary leaves out, over the synthetic clinic or over Bundles given."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.demo_clinic import REFERENCE_DATE, build
from clinical.domain.facts import Fact
from clinical.domain.projection import project
from clinical.domain.summary import compose
from clinical.evaluation.omission import Kind, Recall, Shown, items_of, measure, total

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable, Iterator
    from datetime import date

TARGET = 0.99  # of the items of each class


class Command(BaseCommand):
    """`manage.py omission [PATH...] [--json]`; needs no database."""

    help = "Recall of the whole-chart summary by class, from raw FHIR Bundles; without a path, of the demo clinic."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("paths", nargs="*", type=Path, help="FHIR Bundles of one patient each, or folders of them")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *, paths: list[Path], as_json: bool, **_options: Any) -> None:
        """Measure every patient, print recall by class.

        Raises:
            CommandError: a path cannot be read as a Bundle (exit code 2), or a class is below the target (1).
        """
        if paths:
            recalls = list(_of_files(paths, timezone.now().date()))
        else:
            with tempfile.TemporaryDirectory() as folder:
                build(Path(folder))
                recalls = list(_of_files([Path(folder) / "patients"], REFERENCE_DATE, Path(folder) / "updates"))
        report = _report(recalls)
        if as_json:
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(f"patients: {report['patients']}")
            for kind, row in report["classes"].items():
                share = "none held" if row["recall"] is None else f"{100 * row['recall']:.1f} %"
                self.stdout.write(f"{kind}: {row['shown']} of {row['held']} shown, {share}")
        if any(row["recall"] is not None and row["recall"] < TARGET for row in report["classes"].values()):
            raise CommandError("a class is recalled below its target", returncode=1)


def _report(recalls: list[Recall]) -> dict[str, Any]:
    whole = total(recalls)
    return {
        "patients": len(recalls),
        "classes": {
            kind.value: {"held": whole.held[kind], "shown": whole.shown[kind], "recall": whole.of(kind)}
            for kind in Kind
        },
        "missed": [{"class": item.kind.value, "resource": item.resource} for item in whole.missed],
    }


def _of_files(paths: Iterable[Path], today: date, updates: Path | None = None) -> Iterator[Recall]:
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            resources = _current(file)
            if updates is not None and (updates / file.name).exists():
                resources |= _current(updates / file.name)
            if any(reference.startswith("Patient/") for reference in resources):
                yield _recall(resources, today)


def _current(file: Path) -> dict[str, dict[str, Any]]:
    """Return the resources of a Bundle by "Type/id", the last of each."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["entry"]
        found = [entry["resource"] | {"_url": entry.get("fullUrl", "")} for entry in entries]
        return {f"{one['resourceType']}/{one.get('id') or one['_url']}": one for one in found}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"cannot read a Bundle: {type(error).__name__}", returncode=2) from error


def _recall(resources: dict[str, dict[str, Any]], today: date) -> Recall:
    related = resources | {one["_url"]: one for one in resources.values() if one["_url"]}
    facts = [Fact(row, reference, "1") for reference, one in resources.items() for row in project(one, related)]
    lines = [
        Shown(line.text, frozenset(fact.resource for fact, _ in line.places)) for line in compose(facts, today=today)
    ]
    return measure(items_of(resources.values(), today=today), lines)
