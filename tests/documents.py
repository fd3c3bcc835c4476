"""Small documents made by hand: PDF with text, with pictures of text, with notes; DOCX; RTF."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

import pypdfium2

FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def page_of(lines: Sequence[str], *, mode: int = 0) -> bytes:
    """Return a page's drawing commands: lines of 12-point Helvetica; mode 3 draws nothing visible."""
    drawn = "".join(f"({line}) Tj 0 -18 Td " for line in lines)
    return f"BT /F1 12 Tf {mode} Tr 72 700 Td {drawn}ET".encode()


def pdf(*pages: Sequence[str] | bytes, more: str = "", page_more: str = "") -> bytes:
    """Return a PDF; each page is its lines or its drawing commands. `more` goes into the catalogue."""
    objects: list[bytes] = [f"<< /Type /Catalog /Pages 2 0 R {more} >>".encode(), b"", FONT.encode()]
    kids = []
    for page in pages:
        content = page if isinstance(page, bytes) else page_of(page)
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects) + 2} 0 R {page_more} >>".encode()
        )
        objects.append(stream(content))
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    return assembled(objects)


def scan(*pages: Sequence[str], dpi: int = 200, under: bytes = b"") -> bytes:
    """Return a PDF whose pages are pictures of these lines; `under` is drawn beneath each picture."""
    drawn = pypdfium2.PdfDocument(pdf(*pages))
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", FONT.encode()]
    kids = []
    for page in drawn:
        bitmap = page.render(scale=dpi / 72, grayscale=True)
        dots = bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width]
        picture = zlib.compress(dots.tobytes())
        kids.append(f"{len(objects) + 1} 0 R")
        at = len(objects)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> "
            f"/XObject << /I {at + 3} 0 R >> >> /Contents {at + 2} 0 R >>".encode()
        )
        objects.append(stream(under + b" q 612 0 0 792 0 0 cm /I Do Q"))
        header = (
            f"<< /Type /XObject /Subtype /Image /Width {bitmap.width} /Height {bitmap.height} /ColorSpace "
            f"/DeviceGray /BitsPerComponent 8 /Filter /FlateDecode /Length {len(picture)} >>"
        )
        objects.append(header.encode() + b"\nstream\n" + picture + b"\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    return assembled(objects)


def stream(content: bytes) -> bytes:
    """Return a stream object."""
    return f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def assembled(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalogue."""
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010d} 00000 n \n".encode() for place in places)
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def docx(body: str, **parts: str | bytes) -> bytes:
    """Return a DOCX whose body is this WordprocessingML; `parts` are others, "header1" for word/header1.xml."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", wordml("document", f"<w:body>{body}</w:body>"))
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", content)
    return out.getvalue()


def wordml(root: str, content: str) -> str:
    """Return a part of a DOCX."""
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    choice = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    return f'<?xml version="1.0"?><w:{root} xmlns:w="{WORD}" xmlns:m="{math}" xmlns:mc="{choice}">{content}</w:{root}>'


def paragraph(*runs: str) -> str:
    """Return a paragraph; a run that begins with "<" is taken as it is."""
    return "<w:p>" + "".join(run if run.startswith("<") else f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"
