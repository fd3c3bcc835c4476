"""Reads of the guideline library: the editions that may be used, and why others may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.criteria.edition import RESOURCE, Edition, Standing, newest
from clinical.domain.guideline import GuidelineSection
from clinical.models import GuidelineEdition, GuidelinePassageRow

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID


def editions() -> list[Edition]:
    """Return the newest edition of each guideline, expired and unapproved ones too; superseded ones are left out."""
    return newest(map(_edition, GuidelineEdition.objects.filter(is_current=True)))


def in_force(held: list[Edition], today: date) -> list[Edition]:
    """Return those that may be used on `today`."""
    return [one for one in held if one.standing(today) is Standing.IN_FORCE]


def edition_of(reference: str, version: str) -> Edition | None:
    """Return the edition a citation points into, whatever its standing; None when the library never held it.

    Args:
        reference: "Guideline/<id>".
        version: its number in the library.
    """
    kind, _, row = reference.partition("/")
    if kind != RESOURCE or not row.isdecimal() or not version.isdecimal():
        return None
    found = GuidelineEdition.objects.filter(pk=int(row), number=int(version)).first()
    return None if found is None else _edition(found)


def sections_of(edition: Edition) -> list[GuidelineSection]:
    """Return the stored passages of an edition, in order, each under its heading path."""
    rows = GuidelinePassageRow.objects.filter(guideline_id=int(edition.reference.partition("/")[2]))
    return [GuidelineSection(row.heading, row.start, row.end) for row in rows.defer("vector").order_by("start")]


def held_by(ids: list[UUID]) -> list[str]:
    """Return the references of the editions that hold these passages, in the order given, each once."""
    rows = dict(GuidelinePassageRow.objects.filter(id__in=ids).values_list("id", "guideline_id"))
    return list(dict.fromkeys(f"{RESOURCE}/{rows[one]}" for one in ids if one in rows))


def _edition(row: GuidelineEdition) -> Edition:
    return Edition(
        reference=f"{RESOURCE}/{row.pk}",
        version=str(row.number),
        title=row.title,
        edition=row.edition,
        source=row.source,
        approver=row.approver,
        jurisdiction=row.jurisdiction,
        expires=row.expires,
        text=row.text,
    )
