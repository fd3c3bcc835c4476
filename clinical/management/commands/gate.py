"""Run only the answer gate over pairs of evidence and sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from clinical.domain.gate.pairs import (
    BadPairError,
    Pair,
    all_words_occur,
    counts,
    counts_by_kind,
    is_substring,
    judge,
    read_pairs,
    share_wrong,
)
from clinical.evaluation.note_pairs import notes_of, pairs_of_notes

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from clinical.domain.gate.verdict import Verdict


class Command(BaseCommand):
    """`manage.py gate PAIRS.jsonl [--json]` or `manage.py gate --from-notes NOTES.csv`; needs no database."""

    help = "Does the evidence bear the sentence out? One verdict a pair, then counts by class and two baselines."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "pairs",
            nargs="?",
            default="",
            help='JSON lines: {"id", "evidence", "sentence", "supported"}; - reads standard input',
        )
        parser.add_argument(
            "--from-notes",
            default="",
            dest="notes",
            metavar="PATH",
            help="make the pairs from notes: a CSV file with a column `note`, a text file, or a folder of these",
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *, pairs: str, notes: str, as_json: bool, **_options: Any) -> None:
        """Judge every pair.

        Raises:
            CommandError: the file cannot be read, a line is no pair, or not one source is named; exit code 2.
        """
        if bool(pairs) == bool(notes):
            raise CommandError("name a file of pairs or --from-notes, not both", returncode=2)
        read = _of_notes(notes) if notes else _read(pairs)
        verdicts = [(pair, judge(pair)) for pair in read]
        shown = {pair.id: verdict.shown for pair, verdict in verdicts}
        baselines = {"substring": counts(read, is_substring), "all_words_occur": counts(read, all_words_occur)}
        report: dict[str, Any] = {
            "verdicts": [_row(pair, verdict) for pair, verdict in verdicts],
            "counts": counts(read, lambda pair: shown[pair.id]),
            "by_class": counts_by_kind(read, lambda pair: shown[pair.id]),
            "baselines": baselines,
        }
        if as_json:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        if not notes:
            self._write_verdicts(verdicts)
        for name, found in report["by_class"].items():
            self.stdout.write(f"{name}: {', '.join(f'{word} {number}' for word, number in found.items())}")
        for name, found in (("gate", report["counts"]), *baselines.items()):
            self.stdout.write(f"{name}: {_line(found)}")

    def _write_verdicts(self, verdicts: Sequence[tuple[Pair, Verdict]]) -> None:
        for pair, verdict in verdicts:
            mark = " " if verdict.shown == pair.supported else "*"
            self.stdout.write(f"{mark} {pair.id}  {'shown' if verdict.shown else f'withheld: {verdict.reason}'}")


def _read(path: str) -> list[Pair]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read the pairs: {type(error).__name__}", returncode=2) from error
    try:
        return list(read_pairs(text.split("\n")))
    except BadPairError as error:
        raise CommandError(str(error), returncode=2) from error


def _of_notes(path: str) -> list[Pair]:
    place = Path(path)
    files = sorted(one for one in place.glob("*") if one.suffix in {".csv", ".txt"}) if place.is_dir() else [place]
    try:
        pairs = [pair for one in files for pair in pairs_of_notes(notes_of(one))]
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read the notes: {type(error).__name__}", returncode=2) from error
    if not pairs:
        raise CommandError("no note to make pairs of", returncode=2)
    return pairs


def _row(pair: Pair, verdict: Verdict) -> dict[str, Any]:
    return {"id": pair.id, "shown": verdict.shown, "reason": None if verdict.reason is None else str(verdict.reason)}


def _line(found: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in found.items()) + (
        f"; wrong {100 * share_wrong(found):.1f} %"
    )
