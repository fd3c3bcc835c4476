"""Documents made to do harm: refused with a reason and a place, in bounded time and memory, the worker unharmed."""

from __future__ import annotations

import io
import resource
import time
import zipfile
import zlib
from collections.abc import Callable

import pytest

from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.extraction import run
from ingestion.parsers.registry import parse_bytes
from tests.documents import FONT, assembled, docx, page_of, paragraph, pdf, scan, stream, wordml

LONGEST_S = 60
MOST_MEMORY = 600 * 2**20  # bytes by which this process may grow


def items(content: bytes) -> list[Item]:
    return list(parse_bytes(content, ParseContext(patient_reference="Patient/p"), "file"))


def reason_of(content: bytes) -> str:
    [item] = items(content)
    assert isinstance(item, RejectedItem), item
    return item.reason


@pytest.fixture(autouse=True)
def _bounded() -> object:
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_MEMORY
    assert time.monotonic() - begun < LONGEST_S


def encrypted() -> bytes:
    """A PDF behind a password that nobody knows (standard security handler, revision 2)."""
    secret = f"/Filter /Standard /V 1 /R 2 /O <{'ab' * 32}> /U <{'cd' * 32}> /P -4"
    return assembled(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>", f"<< {secret} >>".encode()],
        trailer=f"/Encrypt 3 0 R /ID [<{'00' * 16}><{'00' * 16}>]",
    )


def zip_bomb() -> bytes:
    return docx(paragraph("x"), header1=wordml("hdr", " " * 60_000_000))


def many_pages(count: int) -> bytes:
    """A PDF with many pages that share one content."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", FONT.encode(), stream(page_of(["Words on a page."]))]
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
    objects += [page] * count
    kids = " ".join(f"{number} 0 R" for number in range(5, 5 + count))
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode()
    return assembled(objects)


def entity_bomb() -> bytes:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return docx(paragraph("x"), header1=f'<!DOCTYPE a [<!ENTITY a0 "boom">{entities}]><a>&a9;</a>')


def nested_archive() -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", b"\0" * 50_000_000)
    content = inner.getvalue()
    for _ in range(5):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("word/next.zip", content)
        content = outer.getvalue()
    return content


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (encrypted, "encrypted-document"),
        (zip_bomb, "archive-too-large"),
        (entity_bomb, "document-type-declared"),
        (nested_archive, "not-docx"),
        (lambda: many_pages(2001), "too-many-pages"),
        (lambda: b"{\\rtf1" + b"{" * 100_000, "nested-too-deep"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096, "old-or-encrypted-office-file"),
        (lambda: b"%PDF-1.4\n" + b"\xff" * 100_000, "broken-pdf"),
        (lambda: docx("<w:p>" * 100_000), "nested-too-deep"),
        (lambda: b"%PDF-1.4\n" + b"\0" * (run.MOST_BYTES + 1), "file-too-large"),
    ],
    ids=["encrypted", "zip", "entities", "archives", "pages", "rtf groups", "ole", "noise", "xml depth", "size"],
)  # fmt: skip
def test_it_is_refused_with_its_reason(make: Callable[[], bytes], reason: str) -> None:
    assert reason_of(make()) == reason


def test_a_thousand_pages_are_read() -> None:
    [item] = items(many_pages(1000))

    assert isinstance(item, ResourceItem)


def test_five_hundred_megabytes_are_refused_without_reading_them() -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            Endless.read_so_far += size
            assert Endless.read_so_far < 300 * 2**20
            return (b"%PDF-1.4\n" if size < 2**20 else b"") + b"\0" * (size - (9 if size < 2**20 else 0))

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

    from ingestion.parsers.registry import parse_stream

    found = list(parse_stream(Endless(), "scan.pdf", ParseContext()))  # type: ignore[arg-type]  # reads and rewinds

    assert found == [RejectedItem("", "file-too-large")]


def test_a_file_of_twenty_thousand_pictures_is_read_for_its_words() -> None:
    out = io.BytesIO(docx(paragraph("Potassium 4.1 mmol/L")))
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(20_000):
            archive.writestr(f"word/media/image{number}.png", b"\x89PNG")

    [item] = items(out.getvalue())

    assert isinstance(item, ResourceItem)


def test_scripts_and_embedded_files_of_a_pdf_are_left_alone() -> None:
    more = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /Names << /EmbeddedFiles << /Names [] >> >>"

    [item] = items(pdf(["Potassium 4.1 mmol/L today"], more=more))

    assert isinstance(item, ResourceItem)
    assert b"app.alert" not in item.content


def test_a_picture_that_unpacks_to_gigabytes_costs_only_its_page() -> None:
    bomb = zlib.compress(b"\0" * 200 * 2**20, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 9000 9000] >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>",
        stream(b"q 9000 0 0 9000 0 0 cm /I Do Q"),
        b"<< /Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        b"/Filter /FlateDecode /Length " + str(len(bomb)).encode() + b" >>\nstream\n" + bomb + b"\nendstream",
    ]  # fmt: skip

    found = items(assembled(objects))

    assert [item for item in found if isinstance(item, RejectedItem)]


def test_a_process_that_dies_says_at_which_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "WALL_S", 0.0)
    monkeypatch.setattr(run, "_recent", type(run._recent)())

    assert items(many_pages(900)) == [RejectedItem("page 1", "too-slow", "page 1")]


def test_fonts_without_a_character_map_leave_no_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "recogniser_path", lambda: "")
    codes = "".join(f"{number:02x}" for number in range(1, 32))
    page = f"BT /F1 12 Tf 72 700 Td <{codes}> Tj ET".encode()

    found = items(pdf(page))

    assert RejectedItem("page 1", "ocr-not-available") in found


@pytest.mark.parametrize("content", [scan(["Words"])[:3000], pdf(["Words"])[:400], docx(paragraph("Words"))[:200]])
def test_a_file_that_was_cut_off_never_stops_the_worker(content: bytes) -> None:
    assert items(content)
