"""Moves versions, and all that hangs on them, from one patient's record and key to another's.

In the caller's transaction. What a ciphertext is bound to names the version, not the patient, so that only the
key changes; passages keep their ids, and the index writes them anew for the patient they belong to now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from django.db import connection

from clinical.domain import narrative
from clinical.domain.passages import Part
from clinical.models import (
    Answer,
    DocumentRelation,
    FactRow,
    IndexChange,
    PassageRow,
    PassageVector,
    Question,
    ResourceVersion,
)
from clinical.record.in_effect import tell_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model

    from clinical.keys import Cipher
    from clinical.models import Patient

_TOGETHER: Final = 200
_One = TypeVar("_One")


class Rekeying:
    """From one patient to another."""

    def __init__(self, source: Patient, target: Patient, ciphers: tuple[Cipher, Cipher]) -> None:
        """Remember whose; the ciphers in the same order."""
        self._source, self._target = source, target
        self._from, self._to = ciphers

    def versions(self, ids: Sequence[int], *, now: datetime) -> None:
        """Move these versions with their facts, passages and vectors, and tell the index."""
        digests: dict[str, str] = {}
        for chunk in _chunks(ids):
            self._versions(chunk, digests, now=now)
        self._vectors(digests)

    def _versions(self, ids: Sequence[int], digests: dict[str, str], *, now: datetime) -> None:
        rows = list(ResourceVersion.objects.filter(pk__in=ids, patient=self._source))
        moved = [row.pk for row in rows]
        passages: dict[int, list[PassageRow]] = {}
        for passage in PassageRow.objects.filter(version_id__in=moved):
            passages.setdefault(passage.version_id, []).append(passage)
        for row in rows:
            content = self._from.decrypt(row.content, binding=row.key)
            for passage in passages.get(row.pk, ()):
                text = content.decode()
                if passage.part != Part.JSON:
                    text = narrative.text_part(msgspec.json.decode(content))
                former = passage.content_digest
                passage.content_digest = self._to.digest(text[passage.start : passage.end])
                digests[former] = passage.content_digest
                passage.patient, passage.indexed_at = self._target, None
            row.content, row.patient = self._to.encrypt(content, binding=row.key), self._target
        _rewrite(ResourceVersion, ("content", "patient_id"), rows)
        found = [one for listed in passages.values() for one in listed]
        _rewrite(PassageRow, ("content_digest", "patient_id", "indexed_at"), found)
        tell_index(IndexChange.Operation.UPSERT, (one.id for one in found), now=now)
        keys = {row.pk: row.key for row in rows}
        facts = list(FactRow.objects.filter(version_id__in=moved))
        for fact in facts:
            binding = f"{keys[fact.version_id]}#{fact.ordinal}:{fact.kind}"
            fact.payload, fact.patient = self._again(fact.payload, binding), self._target
        _rewrite(FactRow, ("payload", "patient_id"), facts)
        DocumentRelation.objects.filter(version_id__in=moved).update(patient=self._target)

    def _vectors(self, digests: dict[str, str]) -> None:
        """Move the vectors of these texts; where the source's other passages have the same text, copy them."""
        kept = set(
            PassageRow.objects.filter(patient=self._source, content_digest__in=digests).values_list(
                "content_digest", flat=True
            )
        )
        for chunk in _chunks(sorted(digests)):
            rows = PassageVector.objects.filter(patient=self._source, content_digest__in=chunk)
            found = list(rows)
            PassageVector.objects.bulk_create(
                [
                    PassageVector(
                        patient=self._target,
                        content_digest=digests[row.content_digest],
                        embedder_digest=row.embedder_digest,
                        vector=self._to.encrypt(
                            self._from.decrypt(row.vector, binding=f"vector {row.content_digest}"),
                            binding=f"vector {digests[row.content_digest]}",
                        ),
                    )
                    for row in found
                ],
                ignore_conflicts=True,  # both records held the same words
            )
            rows.exclude(content_digest__in=kept).delete()

    def questions(self, ids: Iterable[UUID | str]) -> None:
        """Move these questions with their answers."""
        for question in Question.objects.filter(id__in=list(ids), patient=self._source):
            question.text = self._again(question.text, f"question {question.id}")
            question.patient = self._target
            question.save(update_fields=["text", "patient"])
            for answer in Answer.objects.filter(question=question):
                answer.result = self._again(answer.result, f"answer {question.id}")
                answer.draft = self._again(answer.draft, f"draft {question.id}")
                answer.save(update_fields=["result", "draft"])

    def _again(self, ciphertext: bytes | memoryview, binding: str) -> bytes:
        return self._to.encrypt(self._from.decrypt(ciphertext, binding=binding), binding=binding) if ciphertext else b""


def _rewrite(model: type[Model], columns: Sequence[str], rows: Sequence[Model]) -> None:
    """Write some columns of these rows; one statement a row is a tenth of what one large statement costs here."""
    if not rows:
        return
    by_column = {field.column: field for field in model._meta.concrete_fields}
    fields = [by_column[name] for name in (*columns, "id")]
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields] for row in rows]
    assigned = ", ".join(f"{connection.ops.quote_name(name)} = %s" for name in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {assigned} WHERE id = %s", values)  # noqa: S608 - our own names


def _chunks(values: Sequence[_One]) -> Iterator[Sequence[_One]]:
    return (values[start : start + _TOGETHER] for start in range(0, len(values), _TOGETHER))
