"""Notes read sentence by sentence, newest first, only as far as somebody asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.source import read_passage
from clinical.domain.instructions import without_instructions
from clinical.domain.lexicon.tables import concepts, negated_names
from clinical.domain.lexicon.words import tokens
from clinical.domain.passages import Citation, Span
from clinical.domain.summary.line import Cited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source
    from clinical.domain.passages import Passage
    from clinical.domain.summary.matter import Matter

_FEWEST_WORDS: Final = 3
_ASSESSED: Final = r"(?:impressions?|assessments?|plan|a ?/ ?p|a&p|recommendations?|conclusions?|diagnos[ie]s|summary)"
_ASSESSMENT: Final = re.compile(rf"{_ASSESSED}(?: (?:and|&|/) {_ASSESSED})?\s*:", re.IGNORECASE)
# A label at the beginning of a line, and what follows it up to an empty line.
_LABELLED: Final = re.compile(rf"(?im)^[-*\d. ]*{_ASSESSED}(?: (?:and|&|/) {_ASSESSED})?\s*:(?:.|\n(?!\s*\n))*")
_STEM: Final = 5  # letters by which a passage is looked through before it is read


@dataclass(frozen=True, slots=True)
class NoteSentence:
    """One sentence with its citation, its reading, the headings it stands under, and the note's date."""

    cited: Cited
    reading: Reading
    headings: tuple[Mention, ...]
    effective: str


class NotesRead:
    """The passages of one patient. A passage is read at most once, when its words may bear on what is asked."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = sorted(passages, key=lambda one: (one.effective, one.span), reverse=True)
        self._lowered = [f"{one.section}\n{one.text}".lower() for one in self._passages]
        self._read: dict[int, Source] = {}

    def about(self, matter: Matter) -> Iterator[NoteSentence]:
        """Yield the sentences that name the matter, or stand under a heading that does.

        Newest note first; within a passage those that name it come before those under its heading.
        """
        starts = starts_of(matter.wider)
        for place, text in enumerate(self._lowered):
            if any(start in text for start in starts):
                yield from sorted(
                    (one for one in self._sentences(place) if _names(one, matter)),
                    key=lambda one: not any(map(matter.named_by, one.reading.mentions)),
                )

    def holding(self, wanted: Sequence[Mention]) -> Iterator[NoteSentence]:
        """Yield the sentences of passages that may name everything wanted: a concept by any of its names."""
        groups = [starts_of(one.keys) if one.clinical else _word_starts(one) for one in wanted]
        for place, text in enumerate(self._lowered):
            if groups and all(any(start in text for start in group) for group in groups):
                yield from self._sentences(place)

    def matching(self, pattern: re.Pattern[str]) -> Iterator[NoteSentence]:
        """Yield the sentences in which the pattern is found, each wording once."""
        seen: set[str] = set()
        for place, text in enumerate(self._lowered):
            if pattern.search(text):
                for one in self._sentences(place):
                    words = " ".join(one.cited.citation.quote.lower().split())
                    if words not in seen and pattern.search(one.cited.citation.quote):
                        seen.add(words)
                        yield one

    def latest_assessment(self) -> list[NoteSentence]:
        """Return the sentences under assessment and plan of the newest document that has such a part."""
        document = ""
        found: list[NoteSentence] = []
        for place, passage in enumerate(self._passages):
            if found and passage.span.resource != document:
                break
            document = passage.span.resource
            whole = bool(_ASSESSMENT.match(f"{passage.section.strip()}:"))
            spans = [(0, len(passage.text))] if whole else [one.span() for one in _LABELLED.finditer(passage.text)]
            start = passage.span.start
            found += [
                one
                for one in self._sentences(place)
                if any(first <= one.cited.citation.span.start - start < last for first, last in spans)
            ]
        return sorted(found, key=lambda one: one.cited.citation.span)

    def _sentences(self, place: int) -> Iterator[NoteSentence]:
        passage = self._passages[place]
        if place not in self._read:
            self._read[place] = read_passage(replace(passage, text=without_instructions(passage.text)))
        source = self._read[place]
        for sentence in source.sentences:
            text = passage.text[sentence.span.start : sentence.span.end]
            meant = source.passage.text[sentence.span.start : sentence.span.end] == text  # nothing of it is blanked
            if not meant or len(text.split()) < _FEWEST_WORDS or text.endswith("?"):
                continue
            whole = passage.span
            span = Span(
                whole.resource,
                whole.version,
                whole.part,
                whole.start + sentence.span.start,
                whole.start + sentence.span.end,
            )
            cited = Cited(Citation(span, text), passage.title, passage.effective)
            yield NoteSentence(cited, sentence.reading, sentence.headings, passage.effective)


def _word_starts(mention: Mention) -> frozenset[str]:
    if mention.key in concepts():
        return starts_of(frozenset({mention.key}))
    return frozenset(word.stem[:_STEM] for word in tokens(mention.text.lower()) if word.is_word)


def _names(sentence: NoteSentence, matter: Matter) -> bool:
    return any(map(matter.named_by, (*sentence.reading.mentions, *sentence.headings)))


@lru_cache(maxsize=500)
def starts_of(keys: frozenset[str]) -> frozenset[str]:
    """Return how words begin that may name one of these ids: of every name of it and of its kinds."""
    starts = {
        tokens(name)[0].stem[:_STEM]
        for concept in concepts().values()
        if keys & concept.wider
        for name in concept.names
    }
    return frozenset(starts | {word[:_STEM] for word, key in negated_names().items() if key in keys})
