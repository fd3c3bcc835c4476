"""Passages of narrative: whole sentences of one section, about 60 to 180 words each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinical.domain.sentences import SentenceSpan, split

MIN_WORDS, MAX_WORDS = 60, 180
_LONGEST_SENTENCE = 400
_MARKDOWN = re.compile(r"#{1,6}\s+(?P<title>\S.*?)\s*#*\Z")
_LABEL = re.compile(r"(?P<title>[A-Z][^.:;!?\d]{1,60}):\Z")
# Capital abbreviations that are statements, not headings.
_STATEMENTS = frozenset({"NKDA", "NKA", "DNR", "DNAR", "DNACPR", "NAD", "WNL", "NPO", "NONE"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Characters [start, end) of the text, and the section it stands in ("" before the first heading)."""

    start: int
    end: int
    section: str


@dataclass(slots=True)
class _Open:
    start: int
    end: int
    words: int


def heading_of(line: str) -> str | None:
    """Return the title if this whole line is a section heading: `# Plan`, `Plan:` or `PLAN`."""
    line = line.strip()
    if found := _MARKDOWN.match(line):
        return found["title"].rstrip(":")
    if (found := _LABEL.match(line)) and len(line.split()) <= 7:
        return found["title"]
    bare = line.rstrip(":")
    letters = [character for character in bare if character.isalpha()]
    is_title = (
        len(letters) >= 3
        and all(character.isupper() for character in letters)
        and not any(character.isdigit() for character in bare)
        and bare[-1].isalpha()
        and len(bare.split()) <= 8
        and bare not in _STATEMENTS
    )
    return bare.strip() if is_title else None


def chunk(text: str) -> list[Chunk]:
    """Cut a narrative into passages; every word is in exactly one of them, in order.

    A heading goes with the text under it. A section shorter than 60 words is a passage of its own, so
    that a passage never mixes sections; a sentence longer than 400 words is cut at white space.
    """
    chunks: list[Chunk] = []
    section = ""
    open_: _Open | None = None
    for span in _pieces(text):
        title = heading_of(text[span.start : span.end])
        words = len(text[span.start : span.end].split())
        if open_ is not None and (title is not None or (open_.words + words > MAX_WORDS and open_.words >= MIN_WORDS)):
            only_headings = title is not None and _is_headings(text[open_.start : open_.end])
            if not only_headings:
                chunks.append(Chunk(open_.start, open_.end, section))
                open_ = None
        section = title if title is not None else section
        if open_ is None:
            open_ = _Open(span.start, span.end, words)
        else:
            open_.end, open_.words = span.end, open_.words + words
    if open_ is not None:
        chunks.append(Chunk(open_.start, open_.end, section))
    return chunks


def _is_headings(text: str) -> bool:
    return all(heading_of(line) is not None for line in text.splitlines() if line.strip())


def _pieces(text: str) -> list[SentenceSpan]:
    pieces = []
    for span in split(text):
        words = list(re.finditer(r"\S+", text[span.start : span.end]))
        if len(words) <= _LONGEST_SENTENCE:
            pieces.append(span)
            continue
        for first in range(0, len(words), MAX_WORDS):
            last = words[min(first + MAX_WORDS, len(words)) - 1]
            pieces.append(SentenceSpan(span.start + words[first].start(), span.start + last.end()))
    return pieces
