"""A very small PDF writer: one font, left-aligned lines, a text layer; for one demo guideline.

Follows ISO 32000-1 sections 7.5 (file structure) and 9 (text); Latin-1 text only.
"""

from __future__ import annotations

_LINES_A_PAGE = 46
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def text_pdf(lines: list[str]) -> bytes:
    """Return a PDF 1.4 file with these lines in Helvetica 11, 46 a page, the same bytes every time.

    Raises:
        UnicodeEncodeError: a line holds a character outside Latin-1.
    """
    pages = [lines[start : start + _LINES_A_PAGE] for start in range(0, len(lines), _LINES_A_PAGE)] or [[]]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode("ascii"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for index, page in enumerate(pages):
        objects += [_page(5 + 2 * index), _content(page)]
    return _file(objects)


def _page(content: int) -> bytes:
    resources = "<< /Font << /F1 3 0 R >> >>"
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {resources} /Contents {content} 0 R >>"
    return page.encode("ascii")


def _content(lines: list[str]) -> bytes:
    shown = "".join(f"({line.translate(_ESCAPES)}) Tj T*\n" for line in lines)
    stream = f"BT /F1 11 Tf 15 TL 60 780 Td\n{shown}ET".encode("latin-1")
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream)


def _file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
