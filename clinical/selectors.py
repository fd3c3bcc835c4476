"""What the pages and commands read: the patient list, the chart, a source, the feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clinical.access.services import patients_open_to
from clinical.domain.chart import Chart, build_chart
from clinical.domain.passages import Part
from clinical.guidelines.library import edition_of, editions
from clinical.identity.search_terms import search
from clinical.models import Feed, PassageRow, Patient, ResourceVersion
from clinical.record.selectors import (
    NotHeldError,
    current_patient_resource,
    facts_of,
    part_text,
    resource_of,
    title_of,
    version_of,
)

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser

    from clinical.domain.access import AccessGrant
    from clinical.domain.criteria.edition import Edition

LIST_LIMIT = 200


@dataclass(frozen=True, slots=True)
class PatientLine:
    """One line of the patient list; texts are empty where the record gives none."""

    id: UUID
    family: str
    given: str
    birth_date: str
    gender: str
    identifier: str


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One document of the chart, newest first; `effective` as recorded."""

    resource: str
    version: str
    title: str
    effective: str


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source with the cited words: `before + quote + after` is the whole part.

    `about` says what a person has to know of the source beside its date, such as who approved a guideline.
    """

    resource: str
    version: str
    is_current: bool
    part: Part
    title: str
    effective: str
    before: str
    quote: str
    after: str
    about: str = ""


def patient_list(user: AbstractBaseUser, query: str) -> list[PatientLine]:
    """Return the user's patients who match every word of the query, by family name, at most 200."""
    ids = search(query, among=patients_open_to(user))
    lines = [patient_line(patient) for patient in Patient.objects.filter(id__in=ids)]
    return sorted(lines, key=lambda line: (line.family, line.given, line.birth_date))[:LIST_LIMIT]


def patient_line(patient: Patient) -> PatientLine:
    """Return what identifies a patient to a person."""
    resource: dict[str, Any] = current_patient_resource(patient) or {}
    name: dict[str, Any] = next(iter(resource.get("name", ())), {})
    identifier: dict[str, Any] = next((i for i in resource.get("identifier", ()) if i.get("value")), {})
    return PatientLine(
        id=patient.id,
        family=str(name.get("family") or name.get("text") or ""),
        given=" ".join(name.get("given", ())),
        birth_date=str(resource.get("birthDate", "")),
        gender=str(resource.get("gender", "")),
        identifier=str(identifier.get("value", "")),
    )


def chart_of(grant: AccessGrant, *, today: date) -> Chart:
    """Return the chart page's contents."""
    return build_chart(facts_of(grant), today=today)


def notes_of(grant: AccessGrant) -> list[NoteLine]:
    """Return the documents that have narrative, newest first."""
    with_text = PassageRow.objects.filter(patient_id=grant.patient_id, part=Part.TEXT).values("version_id")
    versions = ResourceVersion.objects.filter(id__in=with_text, is_current=True)
    if grant.hidden_labels:
        versions = versions.filter(restricted=False)
    lines = []
    for version in versions:
        resource = resource_of(version)
        lines.append(
            NoteLine(
                version.reference,
                str(version.number),
                title_of(resource),
                str(resource.get("date") or resource.get("effectiveDateTime") or version.effective),
            )
        )
    return sorted(lines, key=lambda line: line.effective, reverse=True)


def source_view(grant: AccessGrant, resource: str, version: str, part: Part, start: int, end: int) -> SourceView:
    """Return a source with [start, end) marked; an empty span marks nothing.

    Raises:
        NotHeldError: no such version in this patient's record, or the span lies outside the part.
    """
    edition = edition_of(resource, version)
    if edition is not None:
        return _guideline_view(edition, start, end)
    row = version_of(grant, resource, version)
    text = part_text(row, part)
    if not 0 <= start <= end <= len(text):
        raise NotHeldError
    return SourceView(
        resource=row.reference,
        version=str(row.number),
        is_current=row.is_current,
        part=part,
        title=title_of(resource_of(row)),
        effective=row.effective,
        before=text[:start],
        quote=text[start:end],
        after=text[end:],
    )


def _guideline_view(edition: Edition, start: int, end: int) -> SourceView:
    """Return a guideline edition: no patient's words, but opened under the same decision as the answer."""
    if not 0 <= start <= end <= len(edition.text):
        raise NotHeldError
    return SourceView(
        resource=edition.reference,
        version=edition.version,
        is_current=edition in editions(),
        part=Part.TEXT,
        title=f"{edition.title}, edition {edition.edition}",
        effective="",
        before=edition.text[:start],
        quote=edition.text[start:end],
        after=edition.text[end:],
        about=f"{edition.in_words}. Source: {edition.source}",
    )


def feeds() -> list[tuple[str, datetime]]:
    """Return each feed with the time of its last message, by name."""
    return list(Feed.objects.order_by("name").values_list("name", "last_message_at"))
