"""Reads of the record. Everything that returns a patient's words takes the grant to read them."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import connection

from clinical.domain import narrative
from clinical.domain.demographics import demographics_of
from clinical.domain.facts import Fact
from clinical.domain.pages import Page, pages_between, pages_of, place_in_words
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.projection import read_payload
from clinical.keys import cipher_of, cipher_of_id, site_cipher
from clinical.models import FactRow, PassageRow, Patient, ResourceVersion
from clinical.record import facts_held
from clinical.record.addenda import Addenda

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from django.db.models import QuerySet

    from clinical.domain.access import AccessGrant
    from clinical.domain.demographics import Demographics
    from clinical.keys import Cipher


_PLACE: Final = itemgetter(0, 1)  # version and ordinal: the order in which rows were written


class NotHeldError(Exception):
    """There is no such resource version in this patient's record, or it may not be shown."""


def content_of(version: ResourceVersion) -> bytes:
    """Return the stored R4 bytes of a version."""
    if version.patient_id is None:
        cipher = site_cipher()
    elif "patient" in version._state.fields_cache and version.patient is not None:
        cipher = cipher_of(version.patient)
    else:
        cipher = cipher_of_id(version.patient_id)
    return cipher.decrypt(version.content, binding=version.key)


def resource_of(version: ResourceVersion) -> dict[str, Any]:
    """Return a version's resource as decoded JSON."""
    decoded: dict[str, Any] = msgspec.json.decode(content_of(version))
    return decoded


def part_text(version: ResourceVersion, part: Part) -> str:
    """Return the decoded part in which a span's offsets count."""
    content = content_of(version)
    if part is Part.JSON:
        return content.decode()
    return narrative.text_part(msgspec.json.decode(content))


def current_patient_resource(patient: Patient) -> dict[str, Any] | None:
    """Return the patient's current Patient resource; None while only references have named him."""
    version = ResourceVersion.objects.filter(
        patient=patient, resource_type="Patient", is_current=True, deleted=False
    ).first()
    return None if version is None else resource_of(version)


def demographics_held(patient: Patient) -> Demographics | None:
    """Return the demographics held for a patient."""
    resource = current_patient_resource(patient)
    return None if resource is None else demographics_of(resource)


def facts_of(grant: AccessGrant, kinds: Iterable[str] = ()) -> list[Fact]:
    """Return the typed rows of the granted patient's current record; all kinds when none is named."""
    cipher = cipher_of_id(grant.patient_id)
    hiding, wanted = bool(grant.hidden_labels), frozenset(kinds)
    stamp = facts_held.stamp_of(grant.patient_id)
    held = facts_held.kept(grant.patient_id, stamp, hiding=hiding)
    if held is not None:
        return [fact for fact in held if fact.row.kind in wanted] if wanted else list(held)
    rows = FactRow.objects.filter(patient_id=grant.patient_id)
    if hiding:
        rows = rows.filter(version__restricted=False)
    if wanted:
        rows = rows.filter(kind__in=wanted)
    facts = _decoded(rows, cipher)
    if not wanted:
        facts_held.keep(grant.patient_id, stamp, tuple(facts), hiding=hiding)
    return facts


def _decoded(rows: QuerySet[FactRow], cipher: Cipher) -> list[Fact]:
    columns = (
        "version_id",
        "ordinal",
        "kind",
        "payload",
        "version__server",
        "version__resource_type",
        "version__logical_id",
        "version__number",
        "version__sha256",
    )
    # Without the model layer's own loop over the rows, which takes as long as the database does.
    sql, parameters = rows.values_list(*columns).query.sql_with_params()
    with connection.cursor() as cursor, _no_collections():
        cursor.execute(sql, parameters)
        decrypt = cipher.decrypt
        return [
            Fact(
                read_payload(kind, decrypt(payload, binding=f"{server}|{type_}/{id_}|{sha256}#{ordinal}:{kind}")),
                f"{type_}/{id_}",
                str(number),
            )
            for _, ordinal, kind, payload, server, type_, id_, number, sha256 in sorted(cursor.fetchall(), key=_PLACE)
        ]


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector from walking thousands of rows again and again while they are made.

    None of them refers to another, so that there is nothing to find; it took a third of the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def passages_of(grant: AccessGrant, ids: Sequence[UUID]) -> list[Passage]:
    """Return the passages with these ids, in the order given; ids of other patients find nothing."""
    rows = {
        row.id: row
        for row in PassageRow.objects.filter(patient_id=grant.patient_id, id__in=ids).select_related(
            "version__patient__data_key"
        )
        if not (grant.hidden_labels and row.version.restricted)
    }
    parts = _Parts()
    return [parts.passage(rows[one]) for one in ids if one in rows]


def all_passages_of(grant: AccessGrant) -> list[Passage]:
    """Return every passage of the granted patient: what the record says when the index cannot be asked."""
    rows = PassageRow.objects.filter(patient_id=grant.patient_id).select_related("version__patient__data_key")
    if grant.hidden_labels:
        rows = rows.filter(version__restricted=False)
    parts = _Parts()
    return [parts.passage(row) for row in rows.order_by("version_id", "part", "start")]


def version_of(grant: AccessGrant, resource: str, number: str) -> ResourceVersion:
    """Return one version of the granted patient's record.

    Raises:
        NotHeldError: no such version, another patient's, or one whose label hides it.
    """
    resource_type, _, logical_id = resource.partition("/")
    rows = ResourceVersion.objects.filter(
        patient_id=grant.patient_id,
        resource_type=resource_type,
        logical_id=logical_id,
        number=int(number) if number.isdecimal() else 0,
    )
    version = rows.select_related("patient__data_key").first()
    if version is None or (grant.hidden_labels and version.restricted):
        raise NotHeldError
    return version


class _Parts:
    """Decodes each part of each version once while passages are cut from it."""

    def __init__(self) -> None:
        self._decoded: dict[tuple[int, str], tuple[str, str, tuple[Page, ...]]] = {}
        self._addenda: Addenda | None = None

    def passage(self, row: PassageRow) -> Passage:
        """Return the passage a row stands for."""
        version = row.version
        known = self._decoded.get((version.pk, row.part))
        if known is None:
            content = content_of(version)
            resource = msgspec.json.decode(content)
            text = content.decode() if row.part == Part.JSON else narrative.text_part(resource)
            pages = () if row.part == Part.JSON else pages_of(resource)
            known = self._decoded[version.pk, row.part] = (text, self._title(version, resource), pages)
        text, title, pages = known
        place = place_in_words(pages_between(pages, row.start, row.end))
        return Passage(
            passage_id=row.id,
            span=Span(version.reference, str(version.number), Part(row.part), row.start, row.end),
            text=text[row.start : row.end],
            resource_type=version.resource_type,
            effective=version.effective,
            title=f"{title}, {place}" if place else title,
            section=row.section,
        )

    def _title(self, version: ResourceVersion, resource: dict[str, Any]) -> str:
        """Return the title with what its source says of the document's standing, and what adds to it."""
        if version.resource_type != "DocumentReference" or version.patient_id is None:
            return title_of(resource)
        if self._addenda is None:
            self._addenda = Addenda(version.patient_id)
        said = ["superseded"] if version.status == "superseded" else []
        return ", ".join(filter(None, (title_of(resource), *said, self._addenda.in_words(version))))


def title_of(resource: dict[str, Any]) -> str:
    """Return what a person would call the resource; a document by its attachment's title."""
    for item in resource.get("content", ()) if resource.get("resourceType") == "DocumentReference" else ():
        if isinstance(item, dict) and (item.get("attachment") or {}).get("title"):
            return str(item["attachment"]["title"])
    for key in ("description", "title"):
        if isinstance(resource.get(key), str):
            return str(resource[key])
    for key in ("type", "code", "vaccineCode", "medicationCodeableConcept", "category"):
        concept = resource.get(key)
        concept = concept[0] if isinstance(concept, list) and concept else concept
        if isinstance(concept, dict):
            texts = [concept.get("text"), *(c.get("display") for c in concept.get("coding", ()))]
            found = next((text for text in texts if text), "")
            if found:
                return str(found)
    return str(resource.get("resourceType", ""))
