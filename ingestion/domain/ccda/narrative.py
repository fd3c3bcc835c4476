"""Section text as plain lines, the words as they stand: one row of a table a line, one item of a list a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.html_words import raised
from ingestion.domain.ccda.xml import name, one

if TYPE_CHECKING:
    from ingestion.domain.ccda.xml import Element

_BLOCKS: Final = frozenset({"paragraph", "table", "list", "tr", "item", "caption", "thead", "tbody", "tfoot", "text"})
_CELLS: Final = frozenset({"td", "th"})
_SPACE: Final = re.compile(r"\s+")
_IGNORED: Final = frozenset({"renderMultiMedia", "colgroup", "col"})


def section_text(section: Element) -> str:
    """Return a section's narrative block as lines."""
    text = one(section, "v:text")
    return "" if text is None else _lines(_walk(text))


def referred_texts(root: Element) -> dict[str, str]:
    """Return the words of each narrative element that has an ID."""
    found = {}
    for element in root.iter():
        key = element.get("ID")
        if key:
            found[key] = " ".join(_walk(element).replace(" | ", " ").split())
    return found


def _walk(element: Element) -> str:
    tag = name(element)
    if tag in _IGNORED or element.get("revised") == "delete":
        return ""
    parts = [_SPACE.sub(" ", element.text or "")]
    for child in element:
        inner, child_tag = _walk(child), name(child)
        if child_tag == "sup":
            inner = raised(inner, parts[-1])
        if child_tag == "br":
            parts.append("\n")
        elif child_tag in _CELLS:
            parts.append(f"{inner.strip()} | ")
        else:
            parts.append(f"\n{inner}\n" if child_tag in _BLOCKS else inner)
        parts.append(_SPACE.sub(" ", child.tail or ""))  # line breaks of the XML are layout
    return "".join(parts)


def _lines(text: str) -> str:
    lines = (" ".join(line.split()).strip("| ").replace(" | |", " |") for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
