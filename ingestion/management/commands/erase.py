"""Erase one patient, take up interrupted erasures, or show the receipts of what was deleted."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from django.utils import timezone

from clinical.domain.access import AccessDeniedError
from clinical.identity.services import UnassignedError, find_by_fhir_id
from clinical.models import DeletionReceipt, Patient
from clinical.record.erase import survivor_of
from ingestion.erasure.services import Erasing, ReasonError, erase, resume

if TYPE_CHECKING:
    from datetime import datetime

    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py erase --patient ID --reason WORDS --as USER`, `erase --resume --as USER`, `erase --receipts`."""

    help = "Erase one patient from record, kept files, index and keys, for good; or show the receipts of deletions."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--patient", help="FHIR Patient.id, or the id by which receipts and audit rows name him")
        what.add_argument("--resume", action="store_true", help="take up the erasures that were interrupted")
        what.add_argument("--receipts", action="store_true", help="show what was deleted, with counts")
        parser.add_argument("--reason", default="", help="a code or short words that name nobody")
        parser.add_argument("--as", dest="user", default="", help="login name of the privacy officer")
        parser.add_argument("--wait", type=float, default=30.0, help="seconds to wait for the index")
        parser.add_argument("--json", action="store_true", help="print the receipts as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Erase or show.

        Raises:
            CommandError: refused, nobody found, or something is left; the message says how to go on.
        """
        if options["receipts"]:
            self._print(list(DeletionReceipt.objects.order_by("begun_at")), options)
            return
        by = self._by(options)
        try:
            receipts = resume(by=by) if options["resume"] else self._erase(options, by)
        except AccessDeniedError as denial:
            raise CommandError(f"refused: {denial.reason}; an erasure is the privacy officer's") from None
        except ReasonError as error:
            raise CommandError(f"--reason refused: {error.reason}") from None
        except (Error, OSError) as error:
            raise CommandError(f"interrupted ({type(error).__name__}); run it again, it goes on from there") from None
        except KeyboardInterrupt:
            raise CommandError("interrupted; run it again, it goes on from there", returncode=130) from None
        self._print(receipts, options)
        if any(receipt.finished_at is None for receipt in receipts):
            raise CommandError(
                "the index could not be checked: run `manage.py erase --resume --as USER` when it answers"
            )

    def _by(self, options: dict[str, Any]) -> Erasing:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"no user {options['user']!r}; name one with --as")
        return Erasing(
            user=user,
            acting=f"os:{getpass.getuser()}",
            clock=timezone.now,
            wait_s=options["wait"],
            progress=self.stderr.write,
        )

    def _erase(self, options: dict[str, Any], by: Erasing) -> list[DeletionReceipt]:
        if not options["reason"]:
            raise CommandError("--patient needs --reason")
        patient = self._patient(options["patient"])
        if patient is not None:
            return [erase(patient, reason=options["reason"], by=by)]
        # An erasure that was killed at its very end has left nobody to be found by the id he had.
        finished = resume(by=by)
        known = _receipts_of(options["patient"])
        if not (finished or known):
            raise CommandError(f"no patient {options['patient']!r}")
        return finished or known

    def _patient(self, given: str) -> Patient | None:
        try:
            found = find_by_fhir_id(given.removeprefix("Patient/"))
        except UnassignedError as error:
            raise CommandError(f"Patient.id {given!r}: {error.reason}; give the id of the record instead") from None
        by_record = _uuid(given)
        if found is None and by_record is not None:
            found = Patient.objects.filter(id=by_record).first()
        return None if found is None else survivor_of(found)

    def _print(self, receipts: list[DeletionReceipt], options: dict[str, Any]) -> None:
        if options["json"]:
            shapes = [_as_json(receipt) for receipt in receipts]
            self.stdout.write(json.dumps(shapes if options["receipts"] or options["resume"] else shapes[0], indent=2))
            return
        for receipt in receipts:
            whom = f"{receipt.kind} {receipt.resource or receipt.patient_id}"
            ended = f"finished {receipt.finished_at:%d-%b-%Y %H:%M:%S}" if receipt.finished_at else "NOT FINISHED"
            self.stdout.write(
                f"{receipt.begun_at:%d-%b-%Y %H:%M:%S} {whom}: {receipt.reason} ({receipt.user_id}); {ended}"
            )
            self.stdout.write("    before " + _counts(receipt.before) + "; after " + _counts(receipt.after))
        if not receipts:
            self.stdout.write("Nothing to show.")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _receipts_of(given: str) -> list[DeletionReceipt]:
    known = _uuid(given)
    if known is None:
        return []
    return list(DeletionReceipt.objects.filter(kind=DeletionReceipt.Kind.PATIENT, patient_id=known)[:1])


def _counts(counts: dict[str, int | None]) -> str:
    shown = {name: count for name, count in counts.items() if count != 0}
    return ", ".join(f"{name} {'not known' if count is None else count}" for name, count in shown.items()) or "nothing"


def _as_json(receipt: DeletionReceipt) -> dict[str, Any]:
    return {
        "receipt": str(receipt.id),
        "kind": receipt.kind,
        "patient": str(receipt.patient_id) if receipt.patient_id else None,
        "resource": receipt.resource,
        "reason": receipt.reason,
        "user": receipt.user_id,
        "begun": _time(receipt.begun_at),
        "finished": _time(receipt.finished_at),
        "complete": receipt.finished_at is not None,
        "before": receipt.before,
        "after": receipt.after,
        "audit_id": str(receipt.audit_id) if receipt.audit_id else None,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
