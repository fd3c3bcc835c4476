"""Two records made one, and parted again.

A merge moves everything held of the merged patient to the survivor, under the survivor's key, in one transaction:
no reader sees half of it. The merged patient stays as an empty shell whose key his own things go back to when the
merge is undone. Saved answers of both are marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from clinical.audit import trail
from clinical.identity.merge import give_identifiers
from clinical.keys import cipher_of
from clinical.models import (
    CareTeamMember,
    Handle,
    Patient,
    PatientIdentifier,
    PatientMerge,
    PatientSearchTerm,
    Question,
    ResourceVersion,
)
from clinical.record import facts_held
from clinical.record.given_since import cards_of, cards_since, move_cards, questions_since, remove_questions
from clinical.record.parting import what_goes_back
from clinical.record.rekey import Rekeying
from clinical.record.retired import put_back, take_out
from clinical.record.staleness import StaleReason, mark_patient

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

MERGE: Final = "patient.merge"
UNMERGE: Final = "patient.unmerge"


class MergeError(Exception):
    """The merge cannot be made or undone. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def merge(survivor: Patient, merged: Patient, *, by: str, original_sha256: str = "", now: datetime) -> PatientMerge:
    """Move what is held of `merged` to `survivor`, in the caller's transaction.

    Args:
        survivor: whose record goes on.
        merged: whose identifiers name the survivor from now on.
        by: the feed ("feed:mllp:WEST") or user who said so.
        original_sha256: of the message that said so, if any.
        now: timezone-aware.

    Raises:
        MergeError: `same-patient`; `merged-already`, when one of them is the empty side of another merge.
        clinical.keys.KeyDestroyedError: one of them was erased.
    """
    _only_in_a_transaction()
    if survivor.id == merged.id:
        raise MergeError("same-patient")
    _locked(survivor.id, merged.id)
    if PatientMerge.objects.filter(merged__in=(survivor, merged), undone_at=None).exists():
        raise MergeError("merged-already")
    record = PatientMerge(survivor=survivor, merged=merged, by=by[:150], original_sha256=original_sha256, merged_at=now)
    record.save(force_insert=True)
    _note(MERGE, "STARTED", record, by, now=now)
    for one in (survivor, merged):
        mark_patient(one.id, StaleReason.MERGED, now=now)
    moved = _ids_of(merged)
    # One person has one current Patient resource: what the survivor's own says is what is shown.
    moved["retired"] = _described(merged) if _described(survivor) else []
    take_out(moved["retired"], now=now)
    moving = Rekeying(merged, survivor, (cipher_of(merged), cipher_of(survivor)))
    moving.versions(moved["versions"], now=now)
    moving.questions(moved["questions"])
    move_cards(moved["cards"], merged, survivor, (cipher_of(merged), cipher_of(survivor)))
    give_identifiers(moved["identifiers"], merged, survivor)
    moved["team_added"] = _give_team(survivor, moved["team"])
    moved["terms_added"] = _give_terms(survivor, moved["terms"])
    for model in (CareTeamMember, PatientSearchTerm, Handle):
        model.objects.filter(patient=merged).delete()
    moved["last_version"] = ResourceVersion.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    record.moved = moved
    record.save(update_fields=["moved"])
    _forget(survivor, merged)
    _note(MERGE, "SUCCESS", record, by, now=now)
    return record


def undo(record: PatientMerge, *, by: str, reason: str, now: datetime) -> PatientMerge:
    """Give the merged patient back what came from him, and what was said of him by his own identifiers since.

    Args:
        record: the merge.
        by: login name of who undoes it.
        reason: a code or short words without patient text, at most 64 characters.
        now: timezone-aware.

    Raises:
        MergeError: `undone-already`; `a-later-merge-stands`, which has to be undone first.
    """
    with transaction.atomic():
        _locked(record.survivor_id, record.merged_id)
        record = PatientMerge.objects.select_related("survivor", "merged").get(pk=record.pk)
        survivor, merged = record.survivor, record.merged
        if record.undone_at is not None:
            raise MergeError("undone-already")
        later = PatientMerge.objects.filter(undone_at=None, pk__gt=record.pk)
        involved = (survivor, merged)
        if (later.filter(survivor__in=involved) | later.filter(merged__in=involved)).exists():
            raise MergeError("a-later-merge-stands")
        _note(UNMERGE, "STARTED", record, by, now=now)
        mark_patient(survivor.id, StaleReason.MERGED, now=now)
        moved: dict[str, Any] = record.moved
        back = what_goes_back(record)
        ciphers = (cipher_of(survivor), cipher_of(merged))
        moving = Rekeying(survivor, merged, ciphers)
        asked_since, of_both = questions_since(record, back.versions)
        moving.versions(sorted(back.versions), now=now)
        moving.questions([*moved["questions"], *asked_since])
        removed = remove_questions(of_both, survivor=survivor)
        cards = [*moved.get("cards", ()), *cards_since(record, back.identifiers)]
        move_cards(cards, survivor, merged, ciphers)
        Handle.objects.filter(patient=survivor).delete()  # whom a link was meant for cannot be told
        give_identifiers(back.identifiers, survivor, merged)
        CareTeamMember.objects.filter(patient=survivor, user_id__in=moved["team_added"]).delete()
        PatientSearchTerm.objects.filter(patient=survivor, digest__in=moved["terms_added"]).delete()
        _give_team(merged, moved["team"])
        _give_terms(merged, moved["terms"])
        put_back(moved["retired"], merged, now=now)
        record.undone_at, record.undone_by, record.undo_reason = now, by[:150], reason[:64]
        record.save(update_fields=["undone_at", "undone_by", "undo_reason"])
        _forget(survivor, merged)
        _note(UNMERGE, "SUCCESS", record, by, now=now, reason=reason[:64], removed=removed)
    return record


def refuse_merged(patient_ids: Iterable[UUID]) -> None:
    """Let a batch be prepared again whose patient was merged meanwhile; in the caller's transaction.

    Raises:
        MergeError: `merged-meanwhile`.
    """
    wanted = set(patient_ids)
    if not wanted:
        return
    _locked(*wanted)
    if PatientMerge.objects.filter(merged__in=wanted, undone_at=None).exists():
        raise MergeError("merged-meanwhile")


def _locked(*patient_ids: UUID) -> None:
    """Hold the patients' rows until the transaction ends; SQLite has one writer anyway."""
    list(Patient.objects.select_for_update(no_key=True).filter(id__in=patient_ids).order_by("id").values_list("id"))


def _only_in_a_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("merge() belongs into the caller's transaction")


def _ids_of(patient: Patient) -> dict[str, Any]:
    return {
        "versions": list(ResourceVersion.objects.filter(patient=patient).values_list("pk", flat=True)),
        "identifiers": list(PatientIdentifier.objects.filter(patient=patient).values_list("pk", flat=True)),
        "questions": [str(one) for one in Question.objects.filter(patient=patient).values_list("id", flat=True)],
        "cards": cards_of(patient),
        "team": list(CareTeamMember.objects.filter(patient=patient).values_list("user_id", flat=True)),
        "terms": list(PatientSearchTerm.objects.filter(patient=patient).values_list("digest", flat=True)),
    }


def _described(patient: Patient) -> list[int]:
    """Return the patient's current Patient resources."""
    rows = ResourceVersion.objects.filter(patient=patient, resource_type="Patient", is_current=True, deleted=False)
    return list(rows.values_list("pk", flat=True))


def _give_team(patient: Patient, users: Iterable[str]) -> list[str]:
    """Let users treat a patient, and return those who did not."""
    held = set(CareTeamMember.objects.filter(patient=patient).values_list("user_id", flat=True))
    lacking = [user for user in dict.fromkeys(users) if user not in held]
    CareTeamMember.objects.bulk_create([CareTeamMember(patient=patient, user_id=user) for user in lacking])
    return lacking


def _give_terms(patient: Patient, digests: Iterable[str]) -> list[str]:
    """Make a patient findable by these terms, and return those he was not found by."""
    held = set(PatientSearchTerm.objects.filter(patient=patient).values_list("digest", flat=True))
    lacking = [digest for digest in dict.fromkeys(digests) if digest not in held]
    PatientSearchTerm.objects.bulk_create([PatientSearchTerm(patient=patient, digest=one) for one in lacking])
    return lacking


def _forget(*patients: Patient) -> None:
    for patient in patients:
        facts_held.forget(patient.id)


def _note(
    action: str, outcome: str, record: PatientMerge, by: str, *, now: datetime, reason: str = "", removed: int = 0
) -> None:
    detail: dict[str, Any] = {"merge": record.id, "merged": str(record.merged_id)}
    detail |= {"answers_on_both_removed": removed} if removed else {}
    detail |= {"versions": len(record.moved["versions"])} if outcome == "SUCCESS" else {}
    detail |= {"reason": reason} if reason else {}
    entry = trail.Entry(action, outcome, by[:150], patient_id=str(record.survivor_id), detail=detail)
    trail.append(entry, now=now)
