"""Compare what the sending system says it has with what is held here."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.domain.access import AccessDeniedError
from ingestion.reconciliation.expected import ExpectedError, of_counts, of_csv, of_manifest
from ingestion.reconciliation.services import may_name, reconcile

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.management.base import CommandParser

    from ingestion.reconciliation.compare import Difference
    from ingestion.reconciliation.expected import Expected
    from ingestion.reconciliation.services import Reconciled

READERS: Final[dict[str, Callable[[str], list[Expected]]]] = {
    "manifest": of_manifest,
    "csv": of_csv,
    "counts": of_counts,
}


class Command(BaseCommand):
    """`manage.py reconcile --manifest FILE | --csv FILE | --counts FILE`; ends with 1 when something is missing."""

    help = "Compare counts by patient and type with a Bulk Data manifest, a CSV, or totals of searches."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--manifest", type=Path, help="Bulk Data manifest with counts (JSON)")
        source.add_argument("--csv", type=Path, help="patient, resource type, count")
        source.add_argument("--counts", type=Path, help='searchset Bundles, or {"type": count} (JSON)')
        parser.add_argument("--server", default=None, help="count what came from this server (base URL) only")
        parser.add_argument("--identifiers", action="store_true", help="name patients as the list does; audited")
        parser.add_argument("--as", dest="user", default="", help="login name; for --identifiers, a privacy officer's")
        parser.add_argument("--json", action="store_true", help="print as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Compare, keep the result and print it.

        Raises:
            CommandError: the list cannot be read, identifiers are refused, or something is missing (after the result).
        """
        source = next(name for name in READERS if options[name])
        try:
            expected = READERS[source](options[source].read_text("utf-8"))
        except ExpectedError as error:
            raise CommandError(f"the list cannot be read: {error.reason} at {error.place}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"the list cannot be read ({type(error).__name__})") from None
        acting = f"os:{getpass.getuser()}"
        if options["identifiers"]:
            self._may_name(options["user"], acting)
        result = reconcile(
            expected, source=source, server=options["server"], by=options["user"] or acting, now=timezone.now()
        )
        names = result.named if options["identifiers"] else {}
        shown = [_shape(one, names) for one in result.comparison.differences]
        self.stdout.write(json.dumps(_whole(result, shown), indent=2) if options["json"] else _plain(result, shown))
        if result.comparison.missing:
            raise CommandError(f"{result.comparison.missing} of {result.comparison.expected} are not held")

    def _may_name(self, name: str, acting: str) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"no user {name!r}; name one with --as")
        try:
            may_name(user, acting=acting, now=timezone.now())
        except AccessDeniedError as denial:
            raise CommandError(f"refused: {denial.reason}; identifiers are shown to the privacy officer") from None


def _shape(one: Difference, names: dict[str, str]) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "patient": one.whose,
        "type": one.resource_type,
        "expected": one.expected,
        "held": one.held,
        "missing": one.missing,
        "extra": one.extra,
        "held_back_of_this_type": one.held_back,
    }
    return shape | ({"identifier": names[one.whose]} if one.whose in names else {})


def _whole(result: Reconciled, differences: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "reconciliation": result.row.pk,
        "made_at": result.row.made_at.isoformat(),
        "source": result.row.source,
        "expected": result.comparison.expected,
        "held": result.comparison.held,
        "matched": result.comparison.matched,
        "percent": result.row.percent,
        "jobs_open": result.row.jobs_open,
        "unknown_patients": result.row.unknown_patients,
        "differences": differences,
    }


def _plain(result: Reconciled, differences: list[dict[str, Any]]) -> str:
    row = result.row
    lines = [f"held {row.matched} of {row.expected} ({row.percent} %); {row.held} held in all of what was compared"]
    if row.jobs_open:
        lines.append(f"{row.jobs_open} jobs are not done: the picture is not complete yet")
    if row.unknown_patients:
        lines.append(f"{row.unknown_patients} patients of the list are not known here")
    for one in differences:
        whose = one.get("identifier") or one["patient"] or "all patients"
        what = f"{one['missing']} missing" if one["missing"] else f"{one['extra']} extra"
        waits = one["held_back_of_this_type"]
        lines.append(
            f"{whose} {one['type']}: expected {one['expected']}, held {one['held']}: {what}"
            + (f"; {waits} of this type wait unassigned" if waits else "")
        )
    if not differences:
        lines.append("Nothing differs.")
    return "\n".join(lines)
