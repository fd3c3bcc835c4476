"""The order in which a patient is erased, and what is on the trail and the receipt of it.

The trail's first row; the patient unreadable; the files he stands in; what belongs to nobody and refers to
him; the index; then, in one transaction, what he was recognised by, the bytes of his key, the receipt's counts
and the trail's last row. Killed anywhere, it is taken up by running it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clinical.access.services import roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Role
from clinical.identity.search_terms import search
from clinical.models import Patient
from clinical.record import erase as record
from clinical.record.scrub import overwrite_freed, overwrite_what_was_freed
from ingestion.erasure.files import KeptFiles, remove_objects

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from clinical.models import DeletionReceipt

ACTION: Final = "patient.erase"
_REASON: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,./-]{1,63}")


class ReasonError(ValueError):
    """The reason cannot stand on a receipt. `reason` is a code: `not-short-words` or `names-the-patient`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Erasing:
    """Who erases, by which clock, how long the index is waited for (seconds), and who is told how far it is."""

    user: User
    acting: str
    clock: Callable[[], datetime]
    wait_s: float
    progress: Callable[[str], None]

    def note(self, outcome: str, patient_id: UUID | str, **detail: Any) -> UUID:
        """Write a row of the trail."""
        entry = trail.Entry(
            action=ACTION,
            outcome=outcome,
            user_id=self.acting,
            on_behalf_of=self.user.username,
            patient_id=str(patient_id),
            detail=detail,
        )
        return trail.append(entry, now=self.clock())


def erase(patient: Patient, *, reason: str, by: Erasing) -> DeletionReceipt:
    """Erase a patient; takes an interrupted erasure up where it was.

    Args:
        patient: who is to be erased.
        reason: a code or short words, at most 64 characters; none of them may name the patient.
        by: who erases, and how.

    Returns:
        The receipt; `finished_at` is None when something is left (an index that did not answer).

    Raises:
        AccessDeniedError: `no-privacy-role`; audited.
        ReasonError: the reason is refused.
        django.db.Error: the trail or the record cannot be written; run it again.
    """
    _privacy_only(by, patient.id)
    if not _REASON.fullmatch(reason):
        raise ReasonError("not-short-words")
    words = {word for word in (*reason.split(), *re.split(r"[\s,./-]+", reason)) if len(word) > 2}
    if any(search(word, among=[patient.id]) for word in words):
        raise ReasonError("names-the-patient")
    by.note("STARTED", patient.id)
    overwrite_freed()
    receipt = record.begin(patient, reason=reason, user_id=by.user.username, now=by.clock())
    return carry_through(receipt, by)


def resume(*, by: Erasing) -> list[DeletionReceipt]:
    """Take up every erasure that has not come to its end; returns their receipts.

    Raises:
        AccessDeniedError: `no-privacy-role`; audited.
        django.db.Error: as for `erase`.
    """
    _privacy_only(by, "")
    overwrite_freed()
    return [carry_through(receipt, by) for receipt in record.open_receipts().order_by("begun_at")]


def _privacy_only(by: Erasing, patient_id: UUID | str) -> None:
    if Role.PRIVACY not in roles_of(by.user):
        raise AccessDeniedError("no-privacy-role", by.note("DENIED", patient_id, reason="no-privacy-role"))


def carry_through(receipt: DeletionReceipt, by: Erasing) -> DeletionReceipt:
    """Take an erasure that has begun to its end; `finished_at` stays None when something is left.

    Raises:
        django.db.Error: run it again.
    """
    assert receipt.patient_id is not None  # noqa: S101 - receipts of patients name one
    patient_id = receipt.patient_id
    try:
        after = _clear(receipt, patient_id, by)
        record.finish(
            receipt,
            after=after,
            audit=lambda done: by.note(
                "SUCCESS" if done else "INTERRUPTED", patient_id, receipt=str(receipt.id), left=_left(after)
            ),
            now=by.clock(),
        )
    except BaseException:
        by.note("INTERRUPTED", patient_id, receipt=str(receipt.id))
        raise
    if not overwrite_what_was_freed():
        by.progress("somebody was reading: what the database's log still holds is overwritten at its next checkpoint")
    return receipt


def _clear(receipt: DeletionReceipt, patient_id: UUID, by: Erasing) -> dict[str, int | None]:
    """Clear what lies outside the patient's own rows; returns the counts of what is left there."""
    patient = Patient.objects.select_related("data_key").filter(id=patient_id).first()
    remove_objects(receipt)
    if patient is not None:  # else only the index was missing
        traces = record.traces_held(patient)
        by.progress("unreadable; looking through the kept files")
        found = KeptFiles(receipt, traces).clear(clock=by.clock, progress=by.progress)
        by.progress(f"files: {', '.join(f'{count} {what.value}' for what, count in sorted(found.items())) or 'none'}")
        if shared := record.cut_from_shared(traces):
            by.progress(f"taken out of {shared} resources that belong to nobody")
    vectors = record.clear_index(patient_id, wait_s=by.wait_s, clock=by.clock)
    by.progress("the index could not be asked" if vectors is None else f"the index holds {vectors} of his vectors")
    return {"originals": 0, "held_items": 0, "index_vectors": vectors}


def _left(after: dict[str, int | None]) -> list[str]:
    return sorted(name for name, count in after.items() if count != 0)
