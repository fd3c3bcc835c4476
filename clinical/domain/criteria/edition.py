"""One edition of one guideline as an answer names it: who approved it, for where, until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - part of a public dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clinical.domain.passages import Citation, Part, Span
from clinical.domain.projection.dates import display_date
from clinical.domain.summary.line import Cited

if TYPE_CHECKING:
    from collections.abc import Iterable

RESOURCE: Final = "Guideline"


class Standing(StrEnum):
    """Whether an edition may be used."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    UNAPPROVED = "unapproved"


@dataclass(frozen=True, slots=True)
class Edition:
    """One stored edition. `expires` is its last valid day, inclusive.

    `reference` is "Guideline/<id>", `version` its number in the library: citations into it count in `text`, so
    that `quote == text[start:end]`.
    """

    reference: str
    version: str
    title: str
    edition: str
    source: str
    approver: str
    jurisdiction: str
    expires: date
    text: str

    def standing(self, today: date) -> Standing:
        """Return whether it may be used on `today`: approved by somebody named, and not past its last day."""
        if not self.approver.strip():
            return Standing.UNAPPROVED
        return Standing.EXPIRED if self.expires < today else Standing.IN_FORCE

    @property
    def named(self) -> str:
        """Title and edition."""
        return f"“{self.title}”, edition {self.edition}"

    @property
    def in_words(self) -> str:
        """Title, edition, approver, jurisdiction and last valid day."""
        place = f" for {self.jurisdiction}" if self.jurisdiction else ""
        until = display_date(self.expires.isoformat())
        return f"{self.named} (approved by {self.approver}{place}; valid to {until})"

    def cite(self, start: int, end: int) -> Cited:
        """Return a citation of characters [start, end) of the text."""
        span = Span(self.reference, self.version, Part.TEXT, start, end)
        return Cited(Citation(span, self.text[start:end]), f"{self.title}, edition {self.edition}")

    def title_cited(self) -> Cited:
        """Return a citation of the first line that is not blank: what the edition calls itself."""
        found = re.search(r"\S[^\n]*", self.text)
        start, end = found.span() if found else (0, len(self.text))
        return self.cite(start, start + len(self.text[start:end].rstrip()))


def not_used(edition: Edition, today: date) -> str:
    """Return why an edition is not used, in words; "" when it is in force."""
    match edition.standing(today):
        case Standing.EXPIRED:
            day = display_date(edition.expires.isoformat())
            return f"{edition.named} expired on {day} and is not used."
        case Standing.UNAPPROVED:
            return f"{edition.named} has no approver and is not used."
        case Standing.IN_FORCE:
            return ""


def newest(editions: Iterable[Edition]) -> list[Edition]:
    """Return one edition of each title and jurisdiction: superseded ones are left out.

    An approved edition goes before an unapproved one (a draft supersedes nothing); then the numbers in the label
    decide ("2026-1" after "2019-1"), then the later last day, then the later entry in the library. The newest stays
    the newest when it has expired: an older one does not come back into force by that.
    """
    held: dict[tuple[str, str], Edition] = {}
    for one in sorted(editions, key=_age):
        held[" ".join(one.title.lower().split()), one.jurisdiction.strip().lower()] = one
    return sorted(held.values(), key=lambda one: one.title)


def _age(one: Edition) -> tuple[bool, tuple[int, ...], date, int]:
    numbers = tuple(int(digits) for digits in re.findall(r"\d{1,9}", one.edition))
    entry = int(one.reference.partition("/")[2] or 0) if one.reference.partition("/")[2].isdecimal() else 0
    return bool(one.approver.strip()), numbers, one.expires, entry
