"""The words of a DOCX document (Office Open XML), one paragraph or table row a line.

Source: ECMA-376, Office Open XML File Formats, part 1, chapter 17 (WordprocessingML); from memory. Hidden text and
text that the revision marks delete or move away are no part of the document. Comments, embedded files and
pictures are not read. The archive is never unpacked: parts are read as a stream, within bounds.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from clinical.domain.html_words import raised
from ingestion.domain.documents.extracted import MOST_CHARACTERS, Extracted, ExtractionError, PageText
from ingestion.domain.documents.lines import tidy

METHOD: Final = "docx 1"
MOST_ENTRIES: Final = 50_000
MOST_XML: Final = 256 * 2**20  # bytes of all parts read, unpacked
MOST_DEPTH: Final = 200
HIGHEST_RATIO: Final = 500  # XML of documents packs 5 to 50 to one
_RATIO_COUNTS_FROM: Final = 2**20
_CHUNK: Final = 1 << 16
_NAMESPACES: Final = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
}
_MAIN: Final = "word/document.xml"
_BESIDES: Final = ("word/footnotes", "word/endnotes", "word/footer")
_GONE: Final = frozenset({"w:del", "w:moveFrom", "mc:Fallback", "w:rPrChange", "w:pPrChange"})
_TEXT: Final = frozenset({"w:t", "m:t"})
_BREAKS: Final = {"w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-", "w:ptab": "\t"}
_OFF: Final = ("false", "0", "off", "none")


@dataclass(slots=True)
class _Words:
    """Collects the words of one part as its elements go by."""

    left: int
    parts: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    gone: int = 0  # open elements whose content is no part of the document
    cells: int = 0
    in_text: bool = False
    hidden: bool = False
    raised: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        tag = _tag(name)
        self.stack.append(tag)
        if len(self.stack) > MOST_DEPTH:
            raise ExtractionError("nested-too-deep")
        self.gone += tag in _GONE
        value = next((one for key, one in attributes.items() if _tag(key) == "w:val"), "")
        if tag in _TEXT:
            self.in_text = True
        elif tag == "w:r":
            self.hidden = self.raised = False
        elif tag == "w:vanish" and self.stack[-3:-1] == ["w:r", "w:rPr"]:
            self.hidden = value not in _OFF
        elif tag == "w:vertAlign":
            self.raised = value == "superscript"
        elif tag == "m:sup":
            self.put("^")
        elif tag == "w:txbxContent":
            self.put("\n")
        elif tag in _BREAKS and (len(self.stack) < 2 or self.stack[-2] != "w:tabs"):
            self.put(" " if self.cells and _BREAKS[tag] == "\n" else _BREAKS[tag])
        self.cells += tag == "w:tc"

    def end(self, name: str) -> None:
        """End an element."""
        tag = _tag(name)
        self.stack.pop()
        self.gone -= tag in _GONE
        self.cells -= tag == "w:tc"
        if tag in _TEXT:
            self.in_text = False
        elif tag == "w:tc":
            self.put(" | ")
        elif tag in ("w:p", "w:tr", "w:txbxContent"):
            self.put(" " if self.cells else "\n")

    def text(self, data: str) -> None:
        """Take in the characters of an element."""
        if self.in_text and not self.hidden:
            self.put(raised(data, self.parts[-1] if self.parts else "") if self.raised else data)

    def put(self, text: str) -> None:
        """Add text that belongs to the document."""
        if self.gone:
            return
        self.parts.append(text)
        self.left -= len(text)
        if self.left < 0:
            raise ExtractionError("too-much-text")


def read_docx(raw: bytes) -> Extracted:
    """Return the words of a DOCX document; it has no pages before it is printed.

    Headers come first, then the body, then notes and footers.

    Raises:
        ExtractionError: not-docx, broken-archive, encrypted-document, archive-too-large, not-xml,
            document-type-declared, nested-too-deep, too-much-text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return Extracted(METHOD, (PageText(_read(archive)),), paged=False)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError, KeyError) as error:
        if isinstance(error, ExtractionError):
            raise
        raise ExtractionError("broken-archive") from None


def _read(archive: zipfile.ZipFile) -> str:
    entries = {entry.filename: entry for entry in archive.infolist()[: MOST_ENTRIES + 1]}
    if len(entries) > MOST_ENTRIES:
        raise ExtractionError("archive-too-large", f"more than {MOST_ENTRIES} entries")
    if _MAIN not in entries:
        raise ExtractionError("not-docx")
    headers = sorted(one for one in entries if one.startswith("word/header") and one.endswith(".xml"))
    besides = [name for start in _BESIDES for name in sorted(entries) if name.startswith(start)]
    texts: list[str] = []
    bytes_left, characters_left = MOST_XML, MOST_CHARACTERS
    for name in [*headers, _MAIN, *(one for one in besides if one.endswith(".xml"))]:
        words = _Words(characters_left)
        bytes_left = _feed(archive, entries[name], words, bytes_left)
        characters_left = words.left
        text = tidy("".join(words.parts))
        if text and (name == _MAIN or text not in texts):  # first, odd and even pages repeat one header
            texts.append(text)
    return "\n\n".join(texts)


def _feed(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, words: _Words, left: int) -> int:
    """Read one part as a stream and return how many unpacked bytes the others may have."""
    if entry.flag_bits & 0x1:
        raise ExtractionError("encrypted-document")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = words.start, words.end
    parser.CharacterDataHandler = words.text
    parser.StartDoctypeDeclHandler = _refuse
    size = 0
    try:
        with archive.open(entry) as part:
            while chunk := part.read(_CHUNK):
                size += len(chunk)
                if size > left or (size > _RATIO_COUNTS_FROM and size > HIGHEST_RATIO * max(entry.compress_size, 1)):
                    raise ExtractionError("archive-too-large", entry.filename[:40])
                parser.Parse(chunk, False)  # noqa: FBT003 - expat's signature
        parser.Parse(b"", True)  # noqa: FBT003 - as above
    except (expat.ExpatError, LookupError) as error:
        place = f"line {error.lineno}" if isinstance(error, expat.ExpatError) else ""
        raise ExtractionError("not-xml", place) from None
    return left - size


def _refuse(*_declared: object) -> None:
    raise ExtractionError("document-type-declared")


def _tag(name: str) -> str:
    namespace, _, local = name.rpartition(" ")
    return f"{_NAMESPACES.get(namespace, namespace)}:{local}"
