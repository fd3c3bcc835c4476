"""The text of a document page by page, the cited words marked on theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.pages import pages_between, place_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.pages import Page
    from clinical.selectors import SourceView

WHOLE: Final = 40_000  # characters up to which all pages are shown; of a longer document, the cited ones and one around


@dataclass(frozen=True, slots=True)
class PageShown:
    """One page: `before + quote + after` are its words. `is_first` marks the first page with cited words."""

    label: str
    before: str
    quote: str
    after: str
    is_first: bool


@dataclass(frozen=True, slots=True)
class PagesShown:
    """The pages to show; `place` says in words where the cited words stand, `left_out` how many pages are not shown."""

    pages: list[PageShown]
    place: str
    by_ocr: bool
    left_out: int


def shown_pages(view: SourceView, pages: Sequence[Page]) -> PagesShown | None:
    """Return the pages of a source; None where its text has none."""
    if not pages:
        return None
    text = view.before + view.quote + view.after
    start, end = len(view.before), len(view.before) + len(view.quote)
    cited = pages_between(pages, start, end)
    wanted = list(pages) if len(text) <= WHOLE else _around(pages, cited)
    return PagesShown(
        pages=[_shown(page, text, start, end, is_first=page in cited[:1]) for page in wanted],
        place=place_in_words(cited) if view.quote else "",
        by_ocr=any(page.ocr is not None for page in (cited if view.quote else wanted)),
        left_out=len(pages) - len(wanted),
    )


def _around(pages: Sequence[Page], cited: Sequence[Page]) -> list[Page]:
    first = pages.index(cited[0]) if cited else 0
    last = pages.index(cited[-1]) if cited else 0
    return list(pages[max(0, first - 1) : last + 2])


def _shown(page: Page, text: str, start: int, end: int, *, is_first: bool) -> PageShown:
    first, last = max(page.start, min(start, page.end)), max(page.start, min(end, page.end))
    sure = f" ({page.ocr} % sure)" if page.ocr else ""
    return PageShown(
        label=f"Page {page.number}" + (f", read by OCR{sure}" if page.ocr is not None else ""),
        before=text[page.start : first],
        quote=text[first:last].rstrip(),
        after=text[last : page.end].rstrip(),
        is_first=is_first,
    )
