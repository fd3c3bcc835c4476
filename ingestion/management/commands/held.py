"""Items that are held back: list, show, assign, take in again, correct, dismiss."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.domain.access import AccessDeniedError
from clinical.identity.services import UnassignedError, find_by_fhir_id
from ingestion import pipeline
from ingestion.held import assign as assigning
from ingestion.held.excerpt import open_item
from ingestion.held.listing import QUARANTINED, TABLES, UNASSIGNED, Filter, NoSuchItemError, get, line_of, lines
from ingestion.held.policy import WHY_ASSIGN, WHY_DISMISS, WHY_UNDO, Act, Acting, DecisionError
from ingestion.held.replay import correct, dismiss, replay
from ingestion.models import IngestJob, QuarantinedItem, UnassignedItem
from ingestion.selectors import held_summary

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from django.db.models import QuerySet

ALL: Final = 100_000


class Command(BaseCommand):
    """`manage.py held list|show|assign|undo|replay|correct|dismiss --as USER [--json]`."""

    help = "Look at what is held back from the records, and decide."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_subparsers(dest="what", required=True)
        found = {
            name: what.add_parser(name) for name in ("list", "show", "assign", "undo", "replay", "correct", "dismiss")
        }
        for one in found.values():
            one.add_argument("--as", dest="user", required=True, help="login name of who decides")
            one.add_argument("--json", action="store_true", help="print as JSON")
        for name in ("list", "show", "replay", "dismiss"):
            found[name].add_argument("--queue", choices=list(TABLES), default="", help="which queue")
        for name in ("list", "replay", "dismiss"):
            found[name].add_argument("--reason", default="", help="only items held back for this reason")
            found[name].add_argument("--job", type=int, help="only items of this job")
        for name in ("show", "assign", "undo", "replay", "correct", "dismiss"):
            found[name].add_argument("--id", type=int, help="number of the item")
        found["list"].add_argument("--resolution", default="", help="assigned, dismissed, replaced or sent-again")
        found["show"].add_argument("--original", action="store_true", help="its words, to those allowed; audited")
        found["assign"].add_argument("--patient", required=True, help="FHIR Patient.id")
        found["assign"].add_argument("--job", type=int, help="every unassigned item of this message or file")
        found["assign"].add_argument("--reference-of", type=int, help="every item that names the same patient as this")
        found["assign"].add_argument("--why", required=True, choices=WHY_ASSIGN)
        found["undo"].add_argument("--why", required=True, choices=WHY_UNDO)
        found["dismiss"].add_argument("--why", required=True, choices=WHY_DISMISS)
        found["replay"].add_argument("--all", action="store_true", help="everything that waits")
        found["correct"].add_argument("--with", dest="text", type=Path, required=True, help="the corrected text")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it and print what became of it.

        Raises:
            CommandError: refused, nothing found, or the decision cannot be carried out.
        """
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"no user {options['user']!r}")
        by = Acting(user, timezone.now, f"os:{getpass.getuser()}")
        try:
            shape = getattr(self, f"_{options['what']}")(options, by)
        except AccessDeniedError as denial:
            raise CommandError(f"refused: {denial.reason}") from None
        except (DecisionError, UnassignedError) as error:
            raise CommandError(error.reason) from None
        except NoSuchItemError:
            raise CommandError(f"there is no such item ({_queue(options)} {options['id']})") from None
        if options["json"]:
            self.stdout.write(json.dumps(shape, indent=2, default=str))
        else:
            self.stdout.write("\n".join(_plain(shape)))

    def _list(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        by.check(Act.LIST)
        found, total = lines(_filter(options), limit=ALL)
        return {**held_summary(now=by.clock()), "total": total, "items": [asdict(line) for line in found]}

    def _show(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        by.check(Act.LIST)
        row = get(_queue(options), _id(options))
        shape: dict[str, Any] = {"items": [asdict(line_of(row))]}
        return shape | ({"original": asdict(open_item(row, by=by))} if options["original"] else {})

    def _assign(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        by.check(Act.ASSIGN)
        patient = find_by_fhir_id(options["patient"].removeprefix("Patient/"))
        if patient is None:
            raise DecisionError("no-such-patient")
        done = assigning.assign(_chosen(options), patient.id, why=options["why"], by=by)
        if not done:
            raise NoSuchItemError
        if all(one.refused for one in done):
            raise DecisionError(done[0].refused)
        return {"patient": str(patient.id), "items": [asdict(one) for one in done]}

    def _undo(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        assigning.undo(_id(options), why=options["why"], by=by)
        return {"items": [asdict(line_of(get(UNASSIGNED, options["id"])))]}

    def _replay(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        if not (options["all"] or options["reason"] or options["job"] or options["id"]):
            raise CommandError("say what: --id, --job, --reason or --all")
        return _worked_through(replay(*_tables(options), by=by))

    def _correct(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        try:
            content = options["text"].read_bytes()
        except OSError as error:
            raise CommandError(f"the text cannot be read ({type(error).__name__})") from None
        return _worked_through([correct(_id(options), content, by=by)])

    def _dismiss(self, options: dict[str, Any], by: Acting) -> dict[str, Any]:
        if not (options["reason"] or options["job"] or options["id"]):
            raise CommandError("say what: --id, --job or --reason")
        done = 0
        for rows in _tables(options):
            done += dismiss(rows.model, list(rows.values_list("pk", flat=True)), why=options["why"], by=by)
        return {"dismissed": done}


def _id(options: dict[str, Any]) -> int:
    if options["id"] is None:
        raise CommandError("--id is needed")
    number: int = options["id"]
    return number


def _queue(options: dict[str, Any]) -> str:
    if options.get("queue") or options["what"] in {"assign", "undo", "correct"}:
        return options.get("queue") or (QUARANTINED if options["what"] == "correct" else UNASSIGNED)
    raise CommandError("--id needs --queue: the numbers of the two queues are apart")


def _filter(options: dict[str, Any]) -> Filter:
    return Filter(options["queue"], options["reason"], options["job"], options.get("resolution") or "")


def _tables(options: dict[str, Any]) -> tuple[QuerySet[QuarantinedItem], QuerySet[UnassignedItem]]:
    if options["id"] is not None:
        _queue(options)
    both: list[Any] = []
    for name in (QUARANTINED, UNASSIGNED):
        rows = TABLES[name].objects.filter(resolved_at=None)
        rows = rows.filter(reason=options["reason"]) if options["reason"] else rows
        rows = rows.filter(job_id=options["job"]) if options["job"] is not None else rows
        rows = rows.filter(pk=options["id"]) if options["id"] is not None else rows
        both.append(rows.none() if options["queue"] not in {"", name} else rows)
    return both[0], both[1]


def _chosen(options: dict[str, Any]) -> list[int]:
    waiting = UnassignedItem.objects.filter(resolved_at=None)
    if options["job"] is not None:
        return list(waiting.filter(job_id=options["job"]).values_list("pk", flat=True))
    if options["reference_of"] is not None:
        about = UnassignedItem.objects.filter(pk=options["reference_of"]).exclude(about="").values("about")
        return list(waiting.filter(about__in=about).values_list("pk", flat=True))
    return [_id(options)]


def _worked_through(jobs: list[IngestJob]) -> dict[str, Any]:
    done = [_work_through(job) for job in jobs]
    counts = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
    return {"items": [{"job": job.pk, **{name: getattr(job, name) for name in counts}} for job in done]}


def _work_through(job: IngestJob) -> IngestJob:
    """Bring a job to its end here or, when a worker was quicker, wait for that one."""
    while True:
        try:
            return pipeline.run(job.pk, limits=settings.INGESTION_LIMITS, clock=timezone.now)
        except (pipeline.NotDueError, pipeline.LeaseLostError):
            job.refresh_from_db()
            if job.state in {IngestJob.State.DONE, IngestJob.State.FAILED}:
                return job
            sleep(0.2)


def _plain(shape: dict[str, Any]) -> list[str]:
    head = ", ".join(f"{name} {value}" for name, value in shape.items() if name not in {"items", "original"})
    rows = [
        "  ".join(f"{name}={value}" for name, value in item.items() if value not in (None, ""))
        for item in shape.get("items", ())
    ]
    words = shape.get("original")
    shown = [] if words is None else [words["before"] + "[[" + words["marked"] + "]]" + words["after"]]
    return [line for line in (head, *rows, *shown) if line] or ["nothing"]
