"""One line of a longer answer, with everything it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinical.domain.facts.fact import Fact
    from clinical.domain.passages import Citation
    from clinical.domain.projection.elements import Path


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation into a text, with the title and FHIR date of the document for the list of sources."""

    citation: Citation
    title: str
    effective: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence under a heading.

    `places` are (fact, JSON path) pairs in the record, `told` spans of documents and guidelines. `quoted` when
    the text is a document's own words, unchanged: it is then the quote of the first of `told`.
    """

    text: str
    heading: str
    places: tuple[tuple[Fact, Path], ...] = ()
    told: tuple[Cited, ...] = ()
    quoted: bool = False
