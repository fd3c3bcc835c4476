"""The numbered sources of one answer, and sentences by code with their citations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.answering.events import By, SentenceReady, Source
from clinical.domain.prompt import Labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.answering.fact_citations import FactCiter
    from clinical.domain.passages import Citation, Passage
    from clinical.domain.route import CodeSentence

MOST_SOURCES: Final = 6


class Sources:
    """The numbered list of sources of one answer: one number a resource version."""

    def __init__(self) -> None:
        self.listed: list[Source] = []
        self._known: set[tuple[str, str]] = set()

    def add(self, citation: Citation, title: str, effective: str) -> None:
        """Number the version a citation points into, unless it has a number."""
        version = (citation.span.resource, citation.span.version)
        if version not in self._known:
            self._known.add(version)
            self.listed.append(Source(len(self.listed) + 1, title, effective, citation))


def cited(sentence: CodeSentence, citer: FactCiter, sources: Sources) -> SentenceReady:
    """Return a sentence by code with its citations, their versions numbered."""
    citations = citer.cite(sentence.citations_from)
    facts = {(fact.resource, fact.version): fact for fact, _path in sentence.citations_from}
    for citation in citations:
        fact = facts[citation.span.resource, citation.span.version]
        sources.add(citation, fact.row.text, fact.row.effective)
    return SentenceReady(sentence.text, By.CODE, citations, sentence.heading)


def holding(citation: Citation, passages: Sequence[Passage]) -> Passage:
    """Return the passage a quote was taken from."""
    wanted = citation.span
    return next(
        passage
        for passage in passages
        if (passage.span.resource, passage.span.version, passage.span.part)
        == (wanted.resource, wanted.version, wanted.part)
        and passage.span.start <= wanted.start < passage.span.end
    )


def labelled(passages: Sequence[Passage]) -> list[Labelled]:
    """Return the first passages under the numbers the prompt gives them, each once."""
    different = {passage.passage_id: passage for passage in passages}.values()
    return [Labelled(number, passage) for number, passage in enumerate(different, start=1)][:MOST_SOURCES]
