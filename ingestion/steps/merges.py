"""A merge that a message asks for: whose records, and whether it can be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.versions import Effect
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.identity.merge import named_by, rows_of_pair
from clinical.identity.services import UnassignedError
from clinical.models import PatientMerge
from clinical.record.merging import MergeError, merge, undo

if TYPE_CHECKING:
    from datetime import datetime

    from clinical.models import Patient
    from ingestion.domain.items import MergeItem
    from ingestion.models import IngestJob
    from ingestion.steps.same_file import SameFile

Pairs = list[tuple[str, str]]
UNLINKED: Final = "unlinked by a message"


@dataclass(frozen=True, slots=True)
class PreparedMerge:
    """Whose record becomes part of whose, or which merge is undone; None where it is so already."""

    pair: tuple[Patient, Patient] | None
    by: str
    original_sha256: str
    undone: PatientMerge | None = None

    def write(self, *, now: datetime) -> Effect:
        """Make the merge in the caller's transaction.

        Raises:
            MergeError: another merge was made meanwhile; decide again.
        """
        if self.undone is not None:
            undo(self.undone, by=self.by, reason=UNLINKED, now=now)
            return Effect.STORED
        if self.pair is None:
            return Effect.UNCHANGED
        merge(*self.pair, by=self.by, original_sha256=self.original_sha256, now=now)
        return Effect.STORED


def prepare_merge(item: MergeItem, job: IngestJob, file: SameFile | None) -> PreparedMerge:
    """Decide over a merge.

    The same message again changes nothing, nor does it make a merge again that a person has undone.

    Raises:
        UnassignedError: why it has to wait for a person.
    """
    if item.hold:
        raise UnassignedError(item.hold)
    if file is not None and any(
        file.is_refused(item.server, value) for authority, value in item.surviving if not authority
    ):
        raise UnassignedError("patient-unassigned")
    surviving, merged = _known(item.surviving, item.server), _known(item.merged, item.server)
    if not surviving or not merged:
        raise UnassignedError("unknown-authority")
    survivor, other = named_by(surviving), named_by(merged)
    if survivor is None or other is None:
        raise UnassignedError("merge-names-unknown-patient")
    if item.undo:
        undone = _merge_between(survivor, surviving, merged) if survivor.id == other.id else None
        return PreparedMerge(None, f"feed:{job.feed}", job.original_id, undone)
    made = PatientMerge.objects.filter(original_sha256=job.original_id, survivor=survivor, merged=other)
    again = survivor.id == other.id or made.exists()
    return PreparedMerge(None if again else (survivor, other), f"feed:{job.feed}", job.original_id)


def _merge_between(survivor: Patient, one: Pairs, other: Pairs) -> PatientMerge:
    """Return the merge that made two sets of identifiers one patient's.

    Raises:
        UnassignedError: `unlink-names-no-merge`; `a-later-merge-stands`, which has to be undone first.
    """
    sides = [{pk for pair in pairs for pk in rows_of_pair(*pair, survivor)} for pairs in (one, other)]
    standing = list(PatientMerge.objects.filter(survivor=survivor, undone_at=None).order_by("-pk"))
    for record in standing:
        came = set(record.moved["identifiers"])
        if {bool(side & came) for side in sides} == {True, False}:
            if record is not standing[0]:
                raise UnassignedError("a-later-merge-stands")
            return record
    raise UnassignedError("unlink-names-no-merge")


def _known(pairs: tuple[tuple[str, str], ...], server: str) -> Pairs:
    full = [(authority or FHIR_ID + server, value) for authority, value in pairs]
    return [pair for pair in full if is_known(pair[0])]


__all__ = ["MergeError", "PreparedMerge", "prepare_merge"]
