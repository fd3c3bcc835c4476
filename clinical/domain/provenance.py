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
