"""A document and its Binary that come apart, in either order, are put together when both are there.

The Binary that comes first is held as nobody's, under the site's key. Once a document of a patient names it, it
becomes part of his record: kept under his key, recognised as his when he is erased. The document that comes first is
kept without words; when its Binary arrives, its original is taken in once more. A Binary that came in the document's
own Bundle is part of the document; when it is corrected by itself, the original is taken in once more with the new one.

Source: HL7 FHIR R4 4.0.1, Binary (https://hl7.org/fhir/R4/binary.html) and Attachment.url.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Min

from clinical.domain.relations import RelationKind
from clinical.domain.versions import Effect
from clinical.identity.authorities import FHIR_ID, is_known
from clinical.identity.services import UnassignedError
from clinical.keys import cipher_of, site_cipher
from clinical.models import DocumentRelation, ResourceVersion
from clinical.ports import backends
from clinical.record.related_documents import take_content_out
from clinical.record.selectors import content_of
from ingestion.domain.documents.binaries import filled, names_binary, refilled
from ingestion.domain.items import ResourceItem
from ingestion.models import IngestJob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from clinical.domain.relations import Relation
    from clinical.models import Patient
    from clinical.record.incoming import Prepared
    from ingestion.domain.documents.binaries import Place
    from ingestion.domain.items import Item

BINARY: Final = "Binary"
INGEST_TASK: Final = "ingestion.ingest"
OTHERS_BINARY: Final = "binary-belongs-to-another-patient"
MOST_TAKEN_AGAIN: Final = 20  # originals that one Binary may bring in again


def joined(items: Iterable[Item], *, original: str) -> Iterator[Item]:
    """Yield every item; a document whose attachment names a Binary held here gets its bytes.

    A Binary that came in the document's own Bundle gives way to one that has come by itself since: a correction.

    Args:
        items: of one original.
        original: its sha256.
    """

    def corrected(place: Place) -> bytes | None:
        held = _held(*place).filter(is_current=True).values_list("original_sha256", flat=True).first()
        return _content(place) if held is not None and _first_job(held) > _first_job(original) else None

    for item in items:
        if isinstance(item, ResourceItem) and names_binary(item):
            yield refilled(item, corrected) if item.parts else filled(item, _content)[0]
        else:
            yield item


def _first_job(original: str) -> int:
    """Return the number of the job by which an original came first, 0 for one that is gone."""
    return IngestJob.objects.filter(original_id=original).aggregate(first=Min("pk"))["first"] or 0


def _held(server: str, logical_id: str) -> QuerySet[ResourceVersion]:
    return ResourceVersion.objects.filter(server=server, resource_type=BINARY, logical_id=logical_id)


def _content(place: Place) -> bytes | None:
    server, logical_id = place
    if not is_known(FHIR_ID + server):  # ids of a file of no known server are its own
        return None
    row = _held(server, logical_id).filter(is_current=True, deleted=False).select_related("patient__data_key").first()
    if row is None or (row.patient is not None and row.patient.data_key.destroyed_at is not None):
        return None
    return content_of(row)


def refuse_others_binary(relations: Sequence[Relation], patient: Patient) -> None:
    """Let a document wait whose Binary stands in another patient's record.

    Raises:
        UnassignedError: `binary-belongs-to-another-patient`.
    """
    for one in relations:
        if one.kind is RelationKind.CONTENT:
            owners = _held(one.server, one.target_id).filter(patient__isnull=False)
            if owners.exclude(patient=patient).exists():
                raise UnassignedError(OTHERS_BINARY)


def put_together(versions: Sequence[Prepared], effects: Sequence[Effect], *, now: datetime) -> None:
    """Give Binaries to the patients whose documents name them, and take documents in again whose Binary has come.

    The words of a document whose Binary was deleted leave the answers. In the caller's transaction, after the
    versions were written.
    """
    for prepared, effect in zip(versions, effects, strict=True):
        incoming = prepared.incoming
        if effect is not Effect.STORED:
            continue
        if incoming.resource_type == BINARY and incoming.deleted:
            take_content_out(incoming.server, incoming.logical_id, feed=incoming.feed, now=now)
        elif incoming.deleted:
            continue
        elif incoming.resource_type == BINARY:
            _take_again(incoming.server, incoming.logical_id, feed=incoming.feed, now=now)
        elif incoming.patient is not None:
            for one in prepared.relations:
                if one.kind is RelationKind.CONTENT and is_known(FHIR_ID + one.server):
                    _give(one, incoming.patient)


def _give(relation: Relation, patient: Patient) -> None:
    """Move a Binary that was nobody's into the record of the patient whose document names it."""
    nobodys = list(_held(relation.server, relation.target_id).filter(patient=None))
    if not nobodys:
        return
    before, after = site_cipher(), cipher_of(patient)
    for row in nobodys:
        row.content = after.encrypt(before.decrypt(row.content, binding=row.key), binding=row.key)
        row.patient = patient
        row.save(update_fields=["content", "patient"])


def _take_again(server: str, logical_id: str, *, feed: str, now: datetime) -> None:
    """Write a job over each original of a document in effect that names this Binary."""
    naming = DocumentRelation.objects.filter(
        kind=RelationKind.CONTENT, server=server, target_id=logical_id, version__is_current=True
    )
    originals = list(naming.values_list("version__original_sha256", flat=True).distinct()[:MOST_TAKEN_AGAIN])
    for sha256 in originals:
        former = IngestJob.objects.filter(original_id=sha256, original__size__gt=0).order_by("pk").last()
        if former is None:
            continue
        job = IngestJob.objects.create(
            original_id=sha256, name=former.name, feed=feed, context=former.context, created_at=now
        )
        transaction.on_commit(lambda pk=job.pk: backends().wake(INGEST_TASK, pk))  # type: ignore[misc]  # bound now
