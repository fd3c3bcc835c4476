"""The words of HTML as a reader sees them: not what is struck out or hidden, and with raised digits apart.

Revision marks, hidden text and raised digits decide what a dose is: "<del>50</del> 5 mg" is 5 mg, "10<sup>3</sup>/uL"
is 10^3/uL. Hidden text is also where instructions to a machine are put.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSEEN: Final = frozenset({"script", "style", "head", "template", "del", "s", "strike"})
_BLOCKS: Final = frozenset({
    "address", "article", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "section", "table", "tbody", "thead", "tr",
    "ul",
})  # fmt: skip
_VOID: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_ENDS_THE_SAME: Final = frozenset({"p", "li", "td", "th", "tr", "dd", "dt", "option"})  # whose end may be left out
_HIDING: Final = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?:\.0*)?(?:[a-z%]*)"
    r"|opacity\s*:\s*0(?:\.0*)?)\s*(?:!important\s*)?(?:;|$)",
    re.IGNORECASE,
)
_STRUCK: Final = re.compile(r"text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)
_EXPONENT: Final = re.compile(r"[+\-\u2212]?\d+")


def plain_text_of_html(markup: str) -> str:
    """Return the visible text of HTML or XHTML, one line a block; deterministic."""
    parser = _TextOnly()
    parser.feed(markup)
    parser.close()
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def is_unseen(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element is no part of what the page says: struck out, hidden, or not text."""
    style = attributes.get("style") or ""
    return tag in UNSEEN or "hidden" in attributes or bool(_HIDING.search(style) or _STRUCK.search(style))


def raised(text: str, before: str) -> str:
    """Return raised text with a "^" where it would otherwise become part of a number: 10 with a raised 9 is 10^9."""
    return f"^{text}" if _EXPONENT.fullmatch(text.strip()) and before[-1:].isalnum() else text


class _TextOnly(HTMLParser):
    """Collects the visible text; block elements end a line, table cells are set apart by " | "."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[tuple[str, bool]] = []  # elements that have an end, and whether they are unseen
        self._unseen = 0
        self._raised = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ENDS_THE_SAME and self._open and self._open[-1][0] == tag:
            self._close(tag)
        if tag not in _VOID:
            unseen = is_unseen(tag, dict(attrs))
            self._open.append((tag, unseen))
            self._unseen += unseen
            self._raised += tag == "sup"
        if tag in _BLOCKS:
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" | " if self.parts and not self.parts[-1].endswith("\n") else "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in `<p/>`, which XHTML closes at once."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._close(tag)
        if tag in _BLOCKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        words = re.sub(r"\s+", " ", data)
        self.parts.append(raised(words, self.parts[-1] if self.parts else "") if self._raised else words)

    def _close(self, tag: str) -> None:
        """Close the nearest open element of this name with those left open inside it, if there is one."""
        at = next((at for at in range(len(self._open) - 1, -1, -1) if self._open[at][0] == tag), None)
        if at is None:
            return
        for name, unseen in self._open[at:]:
            self._unseen -= unseen
            self._raised -= name == "sup"
        del self._open[at:]
