"""Documents: C-CDA, DOCX, RTF, HTML by the very readers of the extraction process, PDF through the process itself."""

from __future__ import annotations

import io
import zipfile
from random import Random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ingestion.domain.ccda import CcdaError, read_document
from ingestion.domain.documents.extracted import ExtractionError
from ingestion.domain.documents.kinds import kind_of
from ingestion.domain.items import ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.extraction import child
from ingestion.parsers.registry import parse_bytes
from tests.documents import docx, paragraph, pdf, wordml
from tests.fuzz.alter import CANARY, altered_bytes, altered_text
from tests.fuzz.watch import SLOWEST_S, FaultError
from tests.unit.test_ccda_document import HEAD, SECTION
from tests.unit.test_parser_ccda import MEDICINE

if TYPE_CHECKING:
    from collections.abc import Callable

_PROBLEM: Final = """<act classCode="ACT" moodCode="EVN">
<templateId root="2.16.840.1.113883.10.20.22.4.3"/><entryRelationship>
<observation negationInd="false"><templateId root="2.16.840.1.113883.10.20.22.4.4"/><id root="1.2" extension="p"/>
<effectiveTime><low value="2020"/></effectiveTime><value xsi:type="CD" code="38341003" displayName="Hypertension"
codeSystem="2.16.840.1.113883.6.96"/></observation></entryRelationship></act>"""
_TABLE: Final = (
    f"<table><tbody><tr><td ID='a'>{CANARY}</td><td>7.20 mg</td></tr></tbody></table><list><item>one</item></list>"
)
_CCDA: Final = HEAD.format(
    body=SECTION.format(code="10160-0", text=_TABLE, entries=f"<entry>{MEDICINE}</entry><entry>{_PROBLEM}</entry>")
).encode()
_XML: Final = tuple(
    one.encode()
    for one in (
        *("<entry>", "</entry>", "<section>", "</section>", 'value="', 'root="', "code=", "xsi:type", "<id ", "/>"),
        *("2.16.840.1.113883.6.88", "EVN", "active", "2026", "7.20", "mg", "negationInd", "<text>", "<title>"),
        *("urn:hl7-org:v3", "UTF"),
    )
)
_RTF: Final = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Helvetica;}}{\info{\author x}}\f0\fs24 "
    + CANARY.encode()
    + rb" caf\'e9 \u8364? was seen.\par\trowd\cell Apixaban\cell stopped\row {\*\unknown hidden}\bin3 abc\par}"
)
_RTF_TOKENS: Final = (
    b"{",
    b"}",
    b"\\par",
    b"\\u8364?",
    b"\\'e9",
    b"\\bin3",
    b"\\*",
    b"\\cell",
    b"\\row",
    b"\\ansicpg1252",
    b"\\f0",
    b"3",
)
_HTML: Final = (
    f"<!doctype html><html><head><title>T</title><style>p {{}}</style></head><body><h1>{CANARY}</h1><p>Apixaban &amp; "
    "&#233; &bogus; stopped</p><table><tr><td>a<td>b</table><script>x()</script><ul><li>one<li>two</ul></body></html>"
).encode()
_TAGS: Final = (
    b"<p>",
    b"</p>",
    b"<table>",
    b"<tr>",
    b"<td>",
    b"<script>",
    b"&",
    b"<",
    b">",
    b"</body>",
    b"<h1>",
    b"<li>",
    b"html",
)
_WORDML: Final = paragraph(f"{CANARY} was seen.", "<w:r><w:tab/></w:r>", "Apixaban") + (
    "<w:tbl><w:tr><w:tc>" + paragraph("a") + "</w:tc><w:tc>" + paragraph("b") + "</w:tc></w:tr></w:tbl>"
)
_WORD_TOKENS: Final = (
    b"<w:p>",
    b"</w:p>",
    b"<w:r>",
    b"</w:r>",
    b"<w:t>",
    b"</w:t>",
    b"<w:tbl>",
    b"</w:tbl>",
    b"<w:tc>",
    b"w:",
    b"m:",
)
_PDF: Final = pdf([f"{CANARY} was seen.", "Apixaban was stopped."], ["A second page."])
_PDF_TOKENS: Final = (
    b" 0 R",
    b"/Page",
    b"/Type",
    b"<<",
    b">>",
    b"obj",
    b"endobj",
    b"stream",
    b"/Length",
    b"Tj",
    b"xref",
    b"/Kids",
    b"612",
    b"1",
)
Sample = tuple[str, bytes]


def ccda(chance: Random) -> bytes:
    """Return a C-CDA document, damaged."""
    return altered_bytes(_CCDA, chance) if chance.random() < 0.2 else altered_text(_CCDA, chance, _XML)


def _rtf(chance: Random) -> bytes:
    return (
        altered_bytes(_RTF, chance, from_=6)
        if chance.random() < 0.3
        else altered_text(_RTF, chance, _RTF_TOKENS, from_=6)
    )


def _html(chance: Random) -> bytes:
    return altered_bytes(_HTML, chance) if chance.random() < 0.3 else altered_text(_HTML, chance, _TAGS)


def _docx(chance: Random) -> bytes:
    """Damage the parts, and sometimes the archive around them."""
    body = altered_text(_WORDML.encode(), chance, _WORD_TOKENS).decode(errors="replace")
    raw = docx(body, header1=wordml("hdr", paragraph("head")))
    if chance.random() < 0.3:
        return altered_bytes(raw, chance, from_=160)
    if chance.random() < 0.2:
        out = io.BytesIO(raw)
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr(chance.choice(("../x", "word/footer1.xml", "a" * 200)), chance.randbytes(50))
        return out.getvalue()
    return raw


_MAKERS: Final[dict[str, Callable[[Random], bytes]]] = {"cda": ccda, "rtf": _rtf, "html": _html, "docx": _docx}


class Documents:
    """The readers, in this process: a document that cannot be read has a reason, and words are text."""

    name = "documents"
    stages = ("format known", "words read")
    slowest_s = SLOWEST_S

    def altered(self, chance: Random) -> Sample:
        kind = chance.choice(tuple(_MAKERS))
        return kind, _MAKERS[kind](chance)

    def grammar(self) -> st.SearchStrategy[Sample]:
        word = st.sampled_from(
            (
                r"\par",
                r"\b",
                r"{",
                r"}",
                r"\'e9",
                r"\u233?",
                r"\u-9999 ?",
                r"\bin9",
                r"{\*\x",
                r"\tab ",
                "words ",
                r"\ucN",
            )
        )
        rtf = st.lists(word, max_size=40).map(lambda parts: ("rtf", b"{\\rtf1 " + "".join(parts).encode() + b"}"))
        tag = st.sampled_from(
            (
                "<p>",
                "</p>",
                "<div>",
                "<table>",
                "<td>",
                "<b",
                ">",
                "&lt;",
                "<!--",
                "-->",
                "<script>",
                "words",
                "</html>",
            )
        )
        html = st.lists(tag, max_size=40).map(lambda parts: ("html", b"<html><body>" + "".join(parts).encode()))
        return st.one_of(rtf, html)

    def send(self, sample: Sample) -> int:
        expected, raw = sample
        if kind_of(raw[: 64 * 1024]) != expected:
            return 0
        try:
            read = child._READERS[expected](raw)
            if expected == "cda":
                read_document(raw, zone=ZoneInfo("UTC"))
        except (ExtractionError, CcdaError) as error:
            if not error.reason:
                raise FaultError("refused without a reason") from None
            return 1
        except RecursionError:  # the process says document-too-costly
            return 1
        "".join(page.text for page in read.pages).encode()
        return 2


class Uploads:
    """The whole way of a document, in the process that reads it: PDF and the others."""

    name = "uploads"
    stages = ("format known", "words read")
    slowest_s = 5.0  # a process is started for each

    def altered(self, chance: Random) -> bytes:
        if chance.random() < 0.6:
            return (
                altered_bytes(_PDF, chance, from_=9)
                if chance.random() < 0.3
                else altered_text(_PDF, chance, _PDF_TOKENS, from_=9)
            )
        return _MAKERS[chance.choice(("rtf", "html", "docx"))](chance)

    def grammar(self) -> st.SearchStrategy[bytes]:
        line = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
        return st.lists(st.lists(line, max_size=3), min_size=1, max_size=2).map(lambda pages: pdf(*pages))

    def send(self, sample: bytes) -> int:
        found = list(parse_bytes(sample, ParseContext(patient_reference="Patient/p"), "file"))
        if not found:
            raise FaultError("nothing came of it")
        reasons = [one.reason for one in found if isinstance(one, RejectedItem)]
        if not all(reasons):
            raise FaultError("refused without a reason")
        if any(isinstance(one, ResourceItem) for one in found):
            return 2
        return 0 if set(reasons) & {"unknown-format", "old-or-encrypted-office-file"} else 1
