"""Cards and questions of two records that are made one, and to whom each belongs when they are parted.

A card belongs to the patient whom the call named; what was given before the merge goes back with him. A question that
was asked since goes with the entries its answer rests on; one that rests on entries of both is removed, since
neither record may hold the other's words. The trail keeps that it was asked.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from clinical.models import AnswerCitation, CardFeedback, CardGiven, PatientIdentifier, Question, ResourceVersion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from uuid import UUID

    from clinical.keys import Cipher
    from clinical.models import Patient, PatientMerge

_TOGETHER: Final = 400


def asked_for(authority: str, value_digest: str) -> str:
    """Return what a card keeps of the identifier by which a call named its patient."""
    return hashlib.sha256(f"{authority}|{value_digest}".encode()).hexdigest()


def cards_of(patient: Patient) -> list[str]:
    """Return the ids of the cards given on a patient."""
    return [str(one) for one in CardGiven.objects.filter(patient=patient).values_list("id", flat=True)]


def move_cards(ids: Iterable[str], source: Patient, target: Patient, ciphers: tuple[Cipher, Cipher]) -> None:
    """Move cards with what was said of them; the ciphers of both patients in the same order."""
    before, after = ciphers
    chosen = CardGiven.objects.filter(id__in=list(ids), patient=source)
    for row in CardFeedback.objects.filter(card__in=chosen).exclude(comment=b""):
        row.comment = after.encrypt(before.decrypt(row.comment, binding=row.binding), binding=row.binding)
        row.save(update_fields=["comment"])
    chosen.update(patient=target)


def cards_since(record: PatientMerge, identifiers: Collection[int]) -> list[str]:
    """Return the cards given since a merge on calls that named the patient by one of these identifiers."""
    rows = PatientIdentifier.objects.filter(pk__in=identifiers).values_list("authority", "value_digest")
    named = {asked_for(authority, digest) for authority, digest in rows}
    since = CardGiven.objects.filter(patient=record.survivor, given_at__gte=record.merged_at, asked_for__in=named)
    return [str(one) for one in since.values_list("id", flat=True)]


def questions_since(record: PatientMerge, versions: Collection[int]) -> tuple[list[str], list[str]]:
    """Return the questions asked since a merge that rest on these versions alone, and those that rest on others too."""
    keys = _keys(versions)
    since = Question.objects.filter(patient=record.survivor, asked_at__gte=record.merged_at)
    ids: list[UUID] = list(since.values_list("id", flat=True))
    resting: dict[UUID, set[bool]] = {}
    for start in range(0, len(ids), _TOGETHER):
        rows = AnswerCitation.objects.filter(answer__question__in=ids[start : start + _TOGETHER])
        for question_id, key in rows.values_list("answer__question_id", "version_key"):
            resting.setdefault(question_id, set()).add(key in keys)
    alone = [str(one) for one, on in resting.items() if on == {True}]
    both = [str(one) for one, on in resting.items() if on == {True, False}]
    return alone, both


def remove_questions(ids: Iterable[str], *, survivor: Patient) -> int:
    """Remove questions with their answers; returns how many."""
    chosen = Question.objects.filter(id__in=list(ids), patient=survivor)
    count = chosen.count()
    chosen.delete()
    return count


def _keys(versions: Collection[int]) -> set[str]:
    chosen, found = sorted(versions), set()
    for start in range(0, len(chosen), _TOGETHER):
        rows = ResourceVersion.objects.filter(pk__in=chosen[start : start + _TOGETHER]).defer("content")
        found |= {row.key for row in rows}
    return found
