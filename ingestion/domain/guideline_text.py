"""Provenance and sections of a guideline document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from clinical.domain.guideline import GuidelineDocument, GuidelineSection
from ingestion.domain.items import GuidelineItem, RejectedItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REQUIRED = ("title", "edition", "source", "approver", "expires")
LONGEST = {"title": 255, "edition": 64, "source": 255, "approver": 255, "jurisdiction": 64}  # characters
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_JOINT = " > "


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at offset `start` (code points of the text), level 1 to 6."""

    start: int
    level: int
    words: str


def is_declared(fields: Mapping[str, str]) -> bool:
    """Return whether a document's own fields say that it is a guideline."""
    return fields.get("kind", "").strip().lower() == "guideline"


def markdown_headings(text: str, start: int = 0) -> list[Heading]:
    """Return the headings (`#`, underlined) of Markdown from offset `start`; fenced code is passed over."""
    found: list[Heading] = []
    fence = ""
    offset = start
    previous = ""
    for line in text[start:].splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        mark = _FENCE.match(bare)
        if mark:
            fence = "" if fence == mark[1] else fence or mark[1]
        elif not fence:
            heading, underline = _HEADING.match(bare), _UNDERLINE.match(bare)
            if heading:
                found.append(Heading(offset, len(heading[1]), heading[2]))
            elif underline and previous.strip() and not _HEADING.match(previous.rstrip("\r\n")):
                level = 1 if underline[1][0] == "=" else 2
                found.append(Heading(offset - len(previous), level, previous.strip()))
        previous = line if not mark and not fence else ""
        offset += len(line)
    return found


def sections_of(text: str, headings: Iterable[Heading], start: int = 0) -> tuple[GuidelineSection, ...]:
    """Cut the text from `start` into sections that touch each other, each under its heading path."""
    sections: list[GuidelineSection] = []
    path: list[Heading] = []
    begin, title = start, ""
    for heading in headings:
        if text[begin : heading.start].strip():
            sections.append(GuidelineSection(title, begin, heading.start))
        while path and path[-1].level >= heading.level:
            path.pop()
        path.append(heading)
        begin, title = heading.start, _JOINT.join(h.words for h in path)
    if text[begin:].strip():
        sections.append(GuidelineSection(title, begin, len(text)))
    return tuple(sections)


def guideline_item(
    text: str,
    sections: tuple[GuidelineSection, ...],
    *,
    own: Mapping[str, str],
    declared: Mapping[str, str] | None,
    position: str = "",
) -> GuidelineItem | RejectedItem:
    """Return the guideline, or why it cannot be taken in.

    What the operator declared comes before what the document says of itself. Rejected as
    "guideline-provenance-missing" (the names that are missing), "guideline-provenance-invalid" (`expires`
    is not a date YYYY-MM-DD, or the names whose words are too long) or "empty-guideline". Whether it has
    expired is the library's decision, not made here.
    """
    fields = {k: v.strip() for k, v in own.items() if v.strip()}
    fields.update({k: v.strip() for k, v in (declared or {}).items() if v.strip()})
    missing = [name for name in REQUIRED if name not in fields]
    if missing:
        return RejectedItem(position, "guideline-provenance-missing", ", ".join(missing))
    try:
        expires = date.fromisoformat(fields["expires"])
    except ValueError:
        return RejectedItem(position, "guideline-provenance-invalid", "expires")
    if too_long := [name for name, most in LONGEST.items() if len(fields.get(name, "")) > most]:
        return RejectedItem(position, "guideline-provenance-invalid", ", ".join(too_long))
    if not text.strip():
        return RejectedItem(position, "empty-guideline")
    document = GuidelineDocument(
        title=fields["title"],
        edition=fields["edition"],
        source=fields["source"],
        approver=fields["approver"],
        jurisdiction=fields.get("jurisdiction", ""),
        expires=expires,
        text=text,
        sections=sections,
    )
    return GuidelineItem(position, document)
