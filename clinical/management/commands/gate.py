"""Run only the answer gate over pairs of evidence and sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from clinical.domain.gate.pairs import BadPairError, Pair, all_words_occur, counts, is_substring, judge, read_pairs

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from clinical.domain.gate.verdict import Verdict


class Command(BaseCommand):
    """`manage.py gate PAIRS.jsonl [--json]`; needs no database."""

    help = "Does the evidence bear the sentence out? One verdict a pair, then counts and two baselines."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "pairs", help='JSON lines: {"id", "evidence", "sentence", "supported"}; - reads standard input'
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")

    def handle(self, *, pairs: str, as_json: bool, **_options: Any) -> None:
        """Judge every pair.

        Raises:
            CommandError: the file cannot be read or a line is no pair; exit code 2.
        """
        read = _read(pairs)
        verdicts = [(pair, judge(pair)) for pair in read]
        shown = {pair.id: verdict.shown for pair, verdict in verdicts}
        baselines = {"substring": counts(read, is_substring), "all_words_occur": counts(read, all_words_occur)}
        report: dict[str, Any] = {
            "verdicts": [_row(pair, verdict) for pair, verdict in verdicts],
            "counts": counts(read, lambda pair: shown[pair.id]),
            "baselines": baselines,
        }
        if as_json:
            self.stdout.write(json.dumps(report, ensure_ascii=False))
            return
        for pair, verdict in verdicts:
            mark = " " if verdict.shown == pair.supported else "*"
            self.stdout.write(f"{mark} {pair.id}  {'shown' if verdict.shown else f'withheld: {verdict.reason}'}")
        for name, found in (("gate", report["counts"]), *baselines.items()):
            self.stdout.write(f"{name}: {_line(found)}")


def _read(path: str) -> list[Pair]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read the pairs: {type(error).__name__}", returncode=2) from error
    try:
        return list(read_pairs(text.split("\n")))
    except BadPairError as error:
        raise CommandError(str(error), returncode=2) from error


def _row(pair: Pair, verdict: Verdict) -> dict[str, Any]:
    return {"id": pair.id, "shown": verdict.shown, "reason": None if verdict.reason is None else str(verdict.reason)}


def _line(found: dict[str, int]) -> str:
    wrong = found["supported_withheld"] + found["unsupported_shown"]
    total = sum(found.values())
    share = 100 * wrong / total if total else 0.0
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in found.items()) + f"; wrong {share:.1f} %"
