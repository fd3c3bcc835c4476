"""From a typed row to the exact words of the stored JSON it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.json_spans import locate_member
from clinical.domain.passages import Citation, Part, Span
from clinical.record.selectors import part_text, version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact


class FactCiter:
    """Cites rows of the granted patient's record; reads each stored version once."""

    def __init__(self, grant: AccessGrant) -> None:
        self._grant = grant
        self._texts: dict[tuple[str, str], str] = {}

    def cite(self, places: Iterable[tuple[Fact, Sequence[str | int]]]) -> tuple[Citation, ...]:
        """Return one citation a (fact, JSON path), with `quote == part[start:end]`."""
        citations = []
        for fact, path in places:
            text = self._text(fact.resource, fact.version)
            start, end = locate_member(text, path)
            span = Span(fact.resource, fact.version, Part.JSON, start, end)
            citations.append(Citation(span, text[start:end]))
        return tuple(dict.fromkeys(citations))

    def _text(self, resource: str, version: str) -> str:
        key = (resource, version)
        if key not in self._texts:
            self._texts[key] = part_text(version_of(self._grant, resource, version), Part.JSON)
        return self._texts[key]
