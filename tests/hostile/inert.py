"""What a page or a piece of one may hold: our own elements, and links and files of our own only."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from clinical.domain.visible import visible

_ELEMENT_WORDS: Final = (
    "a article aside b body button caption code dd details dialog div dl dt em footer form h1 h2 h3 h4 h5 h6 head "
    "header hr html img input kbd label li link main mark meta nav noscript ol optgroup option p pre q script "
    "section select small span strong summary table tbody td textarea tfoot th thead time title tr ul"
)
ELEMENTS: Final = frozenset(_ELEMENT_WORDS.split())
# Attributes that make a browser fetch, go somewhere, or swap something in.
_ADDRESS_WORDS: Final = (
    "href src srcset action formaction data poster background cite ping hx-get hx-post hx-put hx-patch hx-delete "
    "sse-connect ws-connect xlink:href"
)
_ADDRESSES: Final = frozenset(_ADDRESS_WORDS.split())
_FILES: Final = frozenset({"script", "img", "link"})


class _Faults(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.words: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in ELEMENTS:
            self.found.append(f"element {tag}")
        self._in_script = tag == "script"
        for name, value in values.items():
            if name.startswith(("on", "hx-on")) or name in {"style", "srcdoc"}:
                self.found.append(f"attribute {name} of {tag}")
            if name in _ADDRESSES and not _ours(tag, value or ""):
                self.found.append(f"{name} of {tag} leads to {value}")
            self.words.append(value or "")
        if tag == "meta" and "http-equiv" in values:
            self.found.append("a meta that acts")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append("an inline script")
        self.words.append(data)


def _ours(tag: str, address: str) -> bool:
    if tag in _FILES:
        return address.startswith("/static/")
    return address.startswith("#") or (address.startswith("/") and not address.startswith(("//", "/\\")))


def faults(html: str) -> list[str]:
    """Return what makes this HTML more than text in our own elements; [] when it is inert."""
    parser = _Faults()
    parser.feed(html)
    parser.close()
    hidden = [] if visible(html) == html else ["a hidden character"]
    return parser.found + hidden


def words_of(html: str) -> str:
    """Return all text and attribute values of the HTML, white space folded."""
    parser = _Faults()
    parser.feed(html)
    parser.close()
    return " ".join(" ".join(parser.words).split())
