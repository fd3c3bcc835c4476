"""The text layer of a PDF, page by page, and pictures of the pages that have none.

Scripts are not run and embedded files not opened: this build of PDFium knows no JavaScript, and nobody asks it
for attachments. What is written into forms and notes on a page is read as part of the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.domain.documents.extracted import MOST_CHARACTERS, ExtractionError, PageFault, PageText
from ingestion.domain.documents.lines import tidy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.parsers.extraction.ocr import Recogniser

METHOD: Final = f"pdf-text 1 (PDFium {pypdfium2.version.PDFIUM_INFO.build})"
MOST_PAGES: Final = 2000
MOST_OCR_PAGES: Final = 200
MOST_PIXELS: Final = 12_000_000  # of a page's picture: A4 at 300 dpi has 8.7 million
MOST_OBJECTS: Final = 3000  # looked at on one page
DPI: Final = (150, 300)  # least and most; a scan is read at its own resolution within these
FEW_CHARACTERS: Final = 16  # a page with fewer is looked at as a picture
_UNUSABLE: Final = re.compile(r"[\x00-\x08\x0e-\x1f\ufffd\ue000-\uf8ff]")
MOST_UNUSABLE: Final = 0.2  # share of characters that fonts without a character map leave
_HYPHEN: Final = re.compile("[\x02\ufffe]\r?\n?")  # PDFium's sign for a hyphen at the end of a line
_SHOWN: Final = frozenset({pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING})


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a page holds. `unusable` counts characters that mean nothing: of fonts without a character map.

    `drawn` says whether anything is, `pictures` whether anything but text; `dpi` is the resolution of its scan.
    `invisible` marks a layer that no reader sees: put under a scan by a recogniser.
    """

    text: str
    unusable: int
    drawn: bool
    pictures: bool
    invisible: bool
    dpi: float


def read_pages(content: bytes, recogniser: Recogniser | None) -> Iterator[PageText | PageFault]:
    """Yield each page's words in order, and faults between them.

    Args:
        content: the PDF.
        recogniser: reads pages without words; None where there is none.

    Raises:
        ExtractionError: broken-pdf, encrypted-document, too-many-pages, too-much-text.
    """
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise ExtractionError("encrypted-document" if "password" in str(error).lower() else "broken-pdf") from None
    count = len(document)
    if not 0 < count <= MOST_PAGES:
        raise ExtractionError("too-many-pages" if count else "broken-pdf", f"{count} pages")
    left, ocr_left = MOST_CHARACTERS, MOST_OCR_PAGES
    for number in range(1, count + 1):
        found = _page(document, number, recogniser if ocr_left else None, over=not ocr_left)
        ocr_left -= isinstance(found, PageText) and bool(found.ocr)
        if isinstance(found, PageFault):
            yield found
            found = PageText("")
        left -= len(found.text)
        if left < 0:
            raise ExtractionError("too-much-text", f"page {number}")
        yield found


def _page(
    document: pypdfium2.PdfDocument, number: int, recogniser: Recogniser | None, *, over: bool
) -> PageText | PageFault:
    try:
        page = _with_notes(document, number)
        layer = _layer(page)
        if _is_usable(layer):
            # What a recogniser put under a scan is a recogniser's reading, whoever ran it; how sure it was is unknown.
            return PageText(layer.text, 0 if layer.invisible else None)
        if not layer.drawn:
            return PageText("")
        if recogniser is None:
            return PageFault((number,), "ocr-page-limit" if over else "ocr-not-available")
        return _recognised(page, number, recogniser, layer.dpi)
    except pypdfium2.PdfiumError:
        return PageFault((number,), "broken-page")


def _is_usable(layer: _Layer) -> bool:
    letters = len("".join(layer.text.split()))
    if letters < FEW_CHARACTERS and layer.pictures:
        return False
    return letters > 0 and layer.unusable <= MOST_UNUSABLE * (letters + layer.unusable)


def _with_notes(document: pypdfium2.PdfDocument, number: int) -> pypdfium2.PdfPage:
    """Return a page with what is written into its forms and notes drawn upon it."""
    page = document[number - 1]
    if pdfium.FPDFPage_GetAnnotCount(page) == 0:
        return page
    pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    page.close()
    return document[number - 1]


def _layer(page: pypdfium2.PdfPage) -> _Layer:
    layer = page.get_textpage()
    words = layer.get_text_range()
    layer.close()
    words = _HYPHEN.sub("-", words.replace("\r\n", "\n"))
    pictures, invisible, visible, dpi = False, 0, 0, 0.0
    for seen, item in enumerate(page.get_objects(max_depth=4)):
        if seen >= MOST_OBJECTS:
            break
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            hidden = pdfium.FPDFTextObj_GetTextRenderMode(item) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
            invisible, visible = invisible + hidden, visible + (not hidden)
        pictures = pictures or item.type in _SHOWN
        if item.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            dpi = max(dpi, _resolution(page, item))
    unusable = len(_UNUSABLE.findall(words))
    return _Layer(tidy(words), unusable, pictures or visible > 0, pictures, invisible > visible, dpi)


def _resolution(page: pypdfium2.PdfPage, image: pypdfium2.PdfImage) -> float:
    """Return the dots per inch of an image that covers most of the page's width; 0 for a smaller one."""
    left, _, right, _ = image.get_bounds()
    width = right - left
    if width < 0.6 * page.get_width():
        return 0.0
    return float(72 * image.get_px_size()[0] / width)


def _recognised(page: pypdfium2.PdfPage, number: int, recogniser: Recogniser, dpi: float) -> PageText | PageFault:
    width, height = page.get_size()
    wanted = min(max(dpi or DPI[1], DPI[0]), DPI[1])
    most = 72 * (MOST_PIXELS / max(width * height, 1.0)) ** 0.5
    wanted = min(wanted, most)
    bitmap = page.render(scale=wanted / 72, grayscale=True, may_draw_forms=False)
    try:
        return recogniser.read(bitmap.to_numpy(), dpi=round(wanted), page=number)
    finally:
        bitmap.close()
