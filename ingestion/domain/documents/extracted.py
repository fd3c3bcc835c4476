"""What the reading of one document gave: its words by page, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAGE_BREAK: Final = "\n\f\n"
MOST_CHARACTERS: Final = 8_000_000  # of one document; about 2,500 full pages


class ExtractionError(ValueError):
    """Nothing of the document can be used. `reason` is a code, `place` a page or element, never its words."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason}: {place}" if place else reason)
        self.reason = reason
        self.place = place


@dataclass(frozen=True, slots=True)
class PageText:
    """The words of one page.

    `ocr` says how sure the recogniser was, 1 to 100, or 0 where that is unknown; None for the document's own words.
    """

    text: str
    ocr: int | None = None


@dataclass(frozen=True, slots=True)
class PageFault:
    """Pages, counted from 1, that could not be read, and why (a code)."""

    pages: tuple[int, ...]
    reason: str

    @property
    def place(self) -> str:
        """The pages in words: "page 3", "pages 2, 5-9"."""
        runs: list[list[int]] = []
        for page in self.pages:
            if runs and runs[-1][1] == page - 1:
                runs[-1][1] = page
            else:
                runs.append([page, page])
        said = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
        return f"page {said}" if len(self.pages) == 1 else f"pages {said}"


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document's words. `method` names the readers and their versions; `paged` whether it has pages."""

    method: str
    pages: tuple[PageText, ...]
    faults: tuple[PageFault, ...] = ()
    paged: bool = True

    @property
    def has_words(self) -> bool:
        """Whether any word was read."""
        return any(page.text.strip() for page in self.pages)

    def joined(self) -> tuple[str, tuple[int, ...]]:
        """Return all words, and where each page begins in them (code points); no offsets without pages."""
        starts, length = [], 0
        for page in self.pages:
            starts.append(length)
            length += len(page.text) + len(PAGE_BREAK)
        return PAGE_BREAK.join(page.text for page in self.pages), tuple(starts) if self.paged else ()
