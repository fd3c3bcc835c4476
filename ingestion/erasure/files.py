"""The kept files and their ledger without one patient.

A file of his alone is deleted: its jobs keep their counts and point to the stand-in ERASED, which has no
bytes. One that holds others too is kept anew without him, under another key, and its jobs point there; a job
that was still open starts again over what is left. The row with the old key goes before the old bytes do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError

from clinical.domain.traces import PATIENT_REFERENCE
from clinical.models import ResourceVersion
from clinical.ports import backends
from ingestion.domain.items import ParseContext
from ingestion.models import IngestJob, Original, QuarantinedItem, UnassignedItem
from ingestion.originals import OriginalDamagedError, keep, objects_of, open_original
from ingestion.receive import context_of, name_of, sealed_name
from ingestion.steps.redact import Outcome, Redaction, is_named_in, redact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from clinical.domain.traces import Traces
    from clinical.models import DeletionReceipt

ERASED: Final = "erased"
ERASED_CODE: Final = "original-erased"
REWRITTEN_CODE: Final = "original-rewritten"
_TO_REMOVE: Final = "objects_to_remove"
_OPEN: Final = (IngestJob.State.RECEIVED, IngestJob.State.RUNNING)
_COUNTS: Final = ("received", "stored", "unchanged", "superseded", "unassigned", "quarantined")
_UNREADABLE: Final = (KeyError, InvalidTag, OriginalDamagedError)
# A file of which something waits is searched for the name too, up to this size; above it for ids only.
_READ_WHOLE: Final = 64 * 2**20
_REPORT_EVERY: Final = 1000


class KeptFiles:
    """Takes one patient out of every kept file."""

    def __init__(self, receipt: DeletionReceipt, traces: Traces) -> None:
        """Remember for whom.

        Args:
            receipt: the open one; it counts the files, and keeps the names of objects that are still to be
                removed, so that an interrupted erasure finds them again.
            traces: by which the patient is recognised.
        """
        assert receipt.patient_id is not None  # noqa: S101 - receipts of patients name one
        self._receipt, self._traces, self._patient_id = receipt, traces, receipt.patient_id
        came_from = ResourceVersion.objects.filter(patient_id=self._patient_id)
        self._sources = set(came_from.values_list("original_sha256", flat=True))
        receipt.before = {"originals": 0, "held_items": 0} | receipt.before

    def clear(self, *, clock: Callable[[], datetime], progress: Callable[[str], None]) -> Counter[Outcome]:
        """Go through the files until none is left to look at, those kept meanwhile included.

        Returns:
            How many became what; what was written anew is looked at again and counts as untouched then.
        """
        remove_objects(self._receipt)
        found: Counter[Outcome] = Counter()
        seen = {ERASED}
        while waiting := sorted(set(Original.objects.values_list("sha256", flat=True)) - seen):
            for number, sha256 in enumerate(waiting, start=1):
                seen.add(sha256)
                try:
                    found[self._clear_one(sha256, now=clock())] += 1
                except (ProtectedError, IntegrityError):  # the same bytes were received again just now
                    seen.discard(sha256)
                if number % _REPORT_EVERY == 0:
                    progress(f"{number} of {len(waiting)} files looked at")
        return found

    def _clear_one(self, sha256: str, *, now: datetime) -> Outcome:
        original = Original.objects.filter(sha256=sha256).first()
        if original is None:
            return Outcome.UNTOUCHED
        try:
            redaction = self._redaction(original) if self._may_hold(original) else Redaction(Outcome.UNTOUCHED)
        except _UNREADABLE:
            redaction = Redaction(Outcome.DELETED if sha256 in self._sources else Outcome.UNTOUCHED)
        if redaction.outcome is Outcome.UNTOUCHED:
            return Outcome.UNTOUCHED
        new = _stand_in(now) if redaction.left is None else keep(redaction.left(), now=now)
        if new.sha256 == sha256:  # it holds him, and what is left of it would be the same bytes
            redaction, new = Redaction(Outcome.DELETED), _stand_in(now)
        self._replace(original, new, redaction, now=now)
        remove_objects(self._receipt)
        return redaction.outcome

    def _may_hold(self, original: Original) -> bool:
        if original.sha256 in self._sources:
            return True
        held = any(model.objects.filter(job__original=original).exists() for model in (QuarantinedItem, UnassignedItem))
        with open_original(original) as file:
            return is_named_in(file, self._traces, whole=held and original.size <= _READ_WHOLE)

    def _redaction(self, original: Original) -> Redaction:
        said = [(name_of(job), context_of(job, settings.INGESTION_LIMITS)) for job in original.jobs.all()]
        decision = Redaction(Outcome.UNTOUCHED)
        for name, context in said or [("", ParseContext())]:
            decision = redact(
                lambda: open_original(original),
                name,
                context,
                self._traces,
                self._patient_id,
            )
            if decision.outcome is not Outcome.UNTOUCHED:
                break
        return decision

    def _replace(self, old: Original, new: Original, redaction: Redaction, *, now: datetime) -> None:
        with transaction.atomic():
            held_items = sum(
                self._repoint(job, new, redaction, now=now)
                for job in IngestJob.objects.select_for_update().filter(original=old)
            )
            ResourceVersion.objects.filter(original_sha256=old.sha256).update(original_sha256=new.sha256)
            self._receipt.before["originals"] += 1
            self._receipt.before["held_items"] += held_items
            self._receipt.after = {_TO_REMOVE: objects_of(old)}
            self._receipt.save(update_fields=["before", "after"])
            old.delete()

    def _repoint(self, job: IngestJob, new: Original, redaction: Redaction, *, now: datetime) -> int:
        """Point a job to what is left of its file; returns how many held items went."""
        deleted, opened = redaction.outcome is Outcome.DELETED, job.state in _OPEN
        name = name_of(job)
        values: dict[str, Any] = {
            "original": new,
            "name": sealed_name("(erased)" if deleted or self._names_him(name) else name, new.sha256),
            "error": ERASED_CODE if deleted else REWRITTEN_CODE,
        }
        said = PATIENT_REFERENCE.match(job.context.get("patient") or "")
        if deleted or (said and any(said[2] == logical_id for _, logical_id in self._traces.ids)):
            values["context"] = ({} if deleted else job.context) | {"patient": "", "guideline": None}
        if opened:
            # Whoever has the job loses it: what he read is no more.
            values |= {"attempts": F("attempts") + 1, "lease_until": None}
            values |= (
                {"state": IngestJob.State.DONE, "finished_at": now}
                if deleted
                else {"state": IngestJob.State.RECEIVED, "cursor": 0, **dict.fromkeys(_COUNTS, 0)}
            )
        gone = 0
        for model in (QuarantinedItem, UnassignedItem):
            rows = model.objects.filter(job=job)
            if not (deleted or opened):
                rows = rows.filter(position__in={position[:64] for position in redaction.dropped})
            gone += rows.delete()[0]
        IngestJob.objects.filter(pk=job.pk).update(**values)
        return gone

    def _names_him(self, name: str) -> bool:
        return self._traces.are_hinted_at_in(name)


def remove_objects(receipt: DeletionReceipt) -> None:
    """Remove from the store the objects whose rows are gone."""
    if names := receipt.after.get(_TO_REMOVE):
        for name in names:
            backends().originals.delete(name)
        receipt.after = {}
        receipt.save(update_fields=["after"])


def _stand_in(now: datetime) -> Original:
    """Return the row that jobs of deleted files point to; nothing is held under it."""
    values = {"size": 0, "wrapped_key": b"", "received_at": now}
    return Original.objects.get_or_create(sha256=ERASED, defaults=values)[0]
