"""The words of an HTML document in reading order, with its headings and meta fields."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup, Comment, Tag
from bs4.element import NavigableString, PreformattedString

from clinical.domain.html_words import is_unseen, raised
from ingestion.domain.guideline_text import Heading

_DROPPED = ("noscript", "iframe", "object", "svg")  # and what `is_unseen`
_BLOCKS = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "caption",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tr",
    "ul",
]
_CELLS = ("td", "th")
_SPACE = re.compile(r"\s+")
_BREAK, _CELL = "\x1e", "\x1f"
_META = "guideline:"


@dataclass(frozen=True, slots=True)
class HtmlDocument:
    """`fields` are the `<meta name="guideline:...">` of the document, and its title."""

    text: str
    headings: tuple[Heading, ...]
    fields: dict[str, str]


def read_html(content: bytes) -> HtmlDocument:
    """Return text (one line a block, cells apart by " | "), headings with offsets in it, and fields."""
    soup = BeautifulSoup(content, "html.parser")
    fields = _fields(soup)
    for tag in soup.find_all(lambda tag: tag.name in _DROPPED or is_unseen(tag.name, tag.attrs)):
        tag.decompose()
    for tag in soup.find_all("sup"):
        before, words = tag.previous_sibling, tag.get_text()
        if isinstance(before, NavigableString):
            tag.string = raised(words, before)
    heads: dict[int, tuple[int, str]] = {}
    for tag in soup.find_all(re.compile(r"^h[1-6]$")):
        words = _SPACE.sub(" ", tag.get_text()).strip()
        first = next((s for s in tag.strings if s.strip()), None)
        if first is not None:
            heads[id(first)] = (int(tag.name[1]), words)
    for tag in soup.find_all(_BLOCKS):
        tag.insert_before(NavigableString(_BREAK))
        tag.insert_after(NavigableString(_BREAK))
    for tag in soup.find_all(_CELLS):
        tag.insert_after(NavigableString(_CELL))
    text, headings = _joined(soup, heads)
    if "title" not in fields and headings:
        fields["title"] = headings[0].words
    return HtmlDocument(text, tuple(headings), fields)


def _fields(soup: BeautifulSoup) -> dict[str, str]:
    fields: dict[str, str] = {}
    if isinstance(soup.title, Tag) and soup.title.get_text().strip():
        fields["title"] = _SPACE.sub(" ", soup.title.get_text()).strip()
    for meta in soup.find_all("meta"):
        name = str(meta.get("name", "")).lower()
        if name.startswith(_META):
            fields[name.removeprefix(_META)] = str(meta.get("content", ""))
            fields.setdefault("kind", "guideline")
    return fields


def _joined(soup: BeautifulSoup, heads: dict[int, tuple[int, str]]) -> tuple[str, list[Heading]]:
    parts: list[str] = []
    headings: list[Heading] = []
    length = 0
    waiting = ""  # white space that is written only before a further word

    for node in soup.descendants:
        if not isinstance(node, NavigableString) or isinstance(node, Comment | PreformattedString):
            continue
        if node in {_BREAK, _CELL}:
            if node == _BREAK:
                waiting = "\n"
            elif waiting != "\n":
                waiting = " | "
            continue
        words = _SPACE.sub(" ", str(node))
        if not words.strip():
            waiting = waiting or " "
            continue
        if words[0] == " ":
            waiting = waiting or " "
        if length:
            parts.append(waiting)
            length += len(waiting)
        if id(node) in heads:
            headings.append(Heading(length, *heads[id(node)]))
        bare = words.strip()
        parts.append(bare)
        length += len(bare)
        waiting = " " if words[-1] == " " else ""
    return "".join(parts), headings
