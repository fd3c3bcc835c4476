"""Where a clinical table's row or a formula comes from, and whether it may be used here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


class SourceStatus(StrEnum):
    """How far a row can be relied on."""

    CHECKED = "checked"  # the text of the named source was opened and compared
    FROM_MEMORY = "from memory"  # written without the source at hand: unverified
    APPROVED = "approved"  # a named pharmacist or physician of the site has approved this very row


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a row rests on: the publication, its edition or year, and how it was checked."""

    source: str
    edition: str
    status: SourceStatus


@dataclass(frozen=True, slots=True)
class Trust:
    """Which rows may be used here.

    The demo uses all of them and shows unverified ones as such. A site uses checked rows and those it
    has approved; `approved` are digests of rows (`row_digest`), so that a changed row is unapproved again.
    """

    site: bool
    approved: frozenset[str] = frozenset()

    def status(self, provenance: Provenance, digest: str) -> SourceStatus:
        """Return the row's status here."""
        return SourceStatus.APPROVED if digest in self.approved else provenance.status

    def allows(self, provenance: Provenance, digest: str) -> bool:
        """Return whether the row may be used here."""
        return not self.site or self.status(provenance, digest) is not SourceStatus.FROM_MEMORY


DEMO: Trust = Trust(site=False)


def row_digest(table: str, row: Mapping[str, Any]) -> str:
    """Return the digest that an approval names: of the table's name and the row's whole content."""
    encoded = msgspec.json.encode([table, dict(row)], order="sorted")
    return hashlib.sha256(encoded).hexdigest()


@dataclass(frozen=True, slots=True)
class KnowledgeRow:
    """One row of a clinical table, or one formula: its id, whole content, where it comes from, its digest."""

    id: str
    content: Mapping[str, Any]
    provenance: Provenance
    digest: str


@dataclass(frozen=True, slots=True)
class KnowledgeTable:
    """A clinical table that can be counted and approved row by row. Row ids are unique within it."""

    name: str
    rows: tuple[KnowledgeRow, ...]


def table_of(name: str, document: Mapping[str, Any], *keys: str) -> KnowledgeTable:
    """Return the table that a data file holds.

    `document` gives `source`, `edition` and `status` for all rows; a row may give its own. Rows are the
    items of the lists under `keys` ("rows" unless told). A row that is no object (a line of words) is known by
    its place, one without `id` or `name` too.

    Raises:
        KeyError: neither the document nor a row names source and status.
        ValueError: an unknown status, or two rows with one id.
    """
    rows: dict[str, KnowledgeRow] = {}
    for key in keys or ("rows",):
        for place, item in enumerate(document[key]):
            content = item if isinstance(item, dict) else {"value": item}
            row_id = str(content.get("id") or content.get("name") or f"{key}-{place + 1}")
            if row_id in rows:
                raise ValueError(f"{name}: two rows {row_id}")
            provenance = Provenance(
                source=content.get("source") or document["source"],
                edition=content.get("edition") or document.get("edition") or "none",
                status=SourceStatus(content.get("status") or document["status"]),
            )
            rows[row_id] = KnowledgeRow(row_id, content, provenance, row_digest(name, content))
    return KnowledgeTable(name, tuple(rows.values()))
