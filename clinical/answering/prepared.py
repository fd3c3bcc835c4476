"""Answers put together before their first sentence is shown: a summary, for and against, a guideline's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.answering.events import By, SentenceReady, Source, Status
from clinical.answering.fact_citations import FactCiter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import Citation
    from clinical.domain.summary import Line


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the caller shows: the sources first, then the sentences in order, grouped by their `heading`.

    `route` and `reason` are for RouteChosen. A `status` other than ANSWERED stands for the whole answer; its
    sentences say why. Citations whose resource is "Guideline/<id>" point into the library, not into the record.
    """

    route: str
    reason: str
    status: Status
    sentences: tuple[SentenceReady, ...]
    sources: tuple[Source, ...]


def prepare(
    lines: Iterable[Line], *, grant: AccessGrant, route: str, reason: str, status: Status = Status.ANSWERED
) -> Prepared:
    """Turn lines into sentences with citations, and number their sources: one number a resource version."""
    citer = FactCiter(grant)
    sources: dict[tuple[str, str], Source] = {}

    def add(citation: Citation, title: str, effective: str) -> None:
        version = (citation.span.resource, citation.span.version)
        if version not in sources:
            sources[version] = Source(len(sources) + 1, title, effective, citation)

    sentences = []
    for line in lines:
        cited = citer.cite(line.places)
        facts = {(fact.resource, fact.version): fact for fact, _path in line.places}
        for citation in cited:
            row = facts[citation.span.resource, citation.span.version].row
            add(citation, row.text, row.effective)
        for one in line.told:
            add(one.citation, one.title, one.effective)
        citations = (*cited, *(one.citation for one in line.told))
        by = By.QUOTE if line.quoted else By.CODE
        sentences.append(SentenceReady(line.text, by, citations, line.heading))
    return Prepared(route, reason, status, tuple(sentences), tuple(sources.values()))
