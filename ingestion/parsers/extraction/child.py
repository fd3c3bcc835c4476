"""The process that reads one document: limits first, then its pages as lines of JSON, then the end.

Started as `python -m ingestion.parsers.extraction.child KIND IN_FD OUT_FD TESSERACT LANGUAGES` by `run`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.html_words import plain_text_of_html
from ingestion.domain.ccda.document import narrative_of
from ingestion.domain.ccda.xml import CcdaError
from ingestion.domain.documents import docx, kinds, rtf
from ingestion.domain.documents.extracted import (
    MOST_CHARACTERS,
    Extracted,
    ExtractionError,
    PageFault,
    PageText,
)
from ingestion.parsers.text_bytes import decode_markup

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU_S: Final = {kinds.PDF: 120}  # seconds of processor time, pictures apart; 30 for all others
MEMORY: Final = 2 << 30  # bytes of address space
OUTPUT: Final = 256 * 2**20  # bytes
HTML_METHOD: Final = "html 1"
CDA_METHOD: Final = "c-cda sections 1"


def main(kind: str, read_from: int, write_to: int, tesseract: str, languages: str) -> None:
    """Read the document and say what it holds."""
    seconds = CPU_S.get(kind, 30)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(write_to, "w", encoding="utf-8", errors="replace") as out:
        for line in _lines(kind, read_from, tesseract, languages):
            out.write(json.dumps(line) + "\n")
            out.flush()


def _lines(kind: str, read_from: int, tesseract: str, languages: str) -> Iterator[dict[str, Any]]:
    try:
        yield from _pdf(read_from, tesseract, languages) if kind == kinds.PDF else _whole(kind, read_from)
    except ExtractionError as error:
        yield {"error": error.reason, "place": error.place}
    except CcdaError as error:
        yield {"error": error.reason, "place": error.place}
    except (MemoryError, RecursionError):
        yield {"error": "document-too-costly", "place": ""}
    except Exception as error:
        yield {"error": "extraction-failed", "place": type(error).__name__}


def _whole(kind: str, read_from: int) -> Iterator[dict[str, Any]]:
    found = _READERS[kind](_content(read_from))
    if sum(len(page.text) for page in found.pages) > MOST_CHARACTERS:
        raise ExtractionError("too-much-text")
    for page in found.pages:
        yield {"page": page.text, "ocr": page.ocr}
    yield {"done": found.method, "paged": found.paged}


def _content(read_from: int) -> bytes:
    with os.fdopen(read_from, "rb") as file:
        file.seek(0)
        return file.read()


def _html(raw: bytes) -> Extracted:
    return Extracted(HTML_METHOD, (PageText(plain_text_of_html(decode_markup(raw))),), paged=False)


def _cda(raw: bytes) -> Extracted:
    return Extracted(CDA_METHOD, (PageText(narrative_of(raw)),), paged=False)


_READERS: Final = {kinds.DOCX: docx.read_docx, kinds.RTF: rtf.read_rtf, kinds.HTML: _html, kinds.CDA: _cda}


def _pdf(read_from: int, tesseract: str, languages: str) -> Iterator[dict[str, Any]]:
    from ingestion.parsers.extraction import pdf_pages
    from ingestion.parsers.extraction.ocr import Recogniser

    recogniser = Recogniser(tesseract, languages) if tesseract else None
    method = pdf_pages.METHOD
    for found in pdf_pages.read_pages(_content(read_from), recogniser):
        if isinstance(found, PageFault):
            yield {"fault": found.reason, "pages": found.pages}
            continue
        if found.ocr and recogniser is not None and recogniser.method not in method:
            method = f"{method}; {recogniser.method}"
        yield {"page": found.text, "ocr": found.ocr}
    yield {"done": method, "paged": True}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
