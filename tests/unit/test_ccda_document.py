"""What a C-CDA document says becomes what the record holds; what it hides does not."""

from __future__ import annotations

import base64
import gzip
import zlib
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.ccda import CcdaError, read_document
from ingestion.domain.ccda.compressed import LARGEST

HEAD = """<?xml version="1.0"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<id root="1.2.3" extension="D1"/><code code="34133-9" codeSystem="2.16.840.1.113883.6.1"/><title>Summary</title>
<effectiveTime value="20260301120000+0000"/>
<recordTarget><patientRole><id root="1.2.3.4" extension="7"/><patient><name><given>Tess</given><family>Test</family>
</name><administrativeGenderCode code="F"/><birthTime value="19610402"/></patient></patientRole></recordTarget>
<component>{body}</component></ClinicalDocument>"""
SECTION = """<structuredBody><component><section><code code="{code}" codeSystem="2.16.840.1.113883.6.1"/>
<title>Section</title><text>{text}</text>{entries}</section></component></structuredBody>"""


def resources(entries: str = "", *, code: str = "48765-2", text: str = "words") -> dict[str, list[dict[str, Any]]]:
    raw = HEAD.format(body=SECTION.format(code=code, text=text, entries=f"<entry>{entries}</entry>" if entries else ""))
    found: dict[str, list[dict[str, Any]]] = {}
    for one in read_document(raw.encode(), zone=ZoneInfo("UTC")):
        found.setdefault(one.resource["resourceType"], []).append(one.resource)
    return found


def allergy(*, negated: str, substance: str, kind: str) -> dict[str, Any]:
    entries = f"""<act><templateId root="2.16.840.1.113883.10.20.22.4.30"/><entryRelationship>
    <observation negationInd="{negated}"><templateId root="2.16.840.1.113883.10.20.22.4.7"/>
    <id root="1.2" extension="a"/>
    <value xsi:type="CD" code="{kind}" codeSystem="2.16.840.1.113883.6.96"/><participant><participantRole>
    <playingEntity><code code="{substance}" displayName="Substance" codeSystem="2.16.840.1.113883.6.96"/>
    </playingEntity>
    </participantRole></participant></observation></entryRelationship></act>"""
    [found] = resources(entries)["AllergyIntolerance"]
    return found


@pytest.mark.parametrize(
    ("kind", "expected"), [("419199007", "716186003"), ("416098002", "409137002"), ("414285001", "429625007")]
)
def test_a_negated_allergy_to_nothing_in_particular_is_a_recorded_negative(kind: str, expected: str) -> None:
    found = allergy(negated="true", substance="105590001", kind=kind)

    assert found["code"]["coding"][0]["code"] == expected
    assert found["verificationStatus"]["coding"][0]["code"] == "confirmed"


def test_a_negated_allergy_to_a_substance_is_refuted() -> None:
    found = allergy(negated="true", substance="764146007", kind="416098002")

    assert found["code"]["coding"][0]["code"] == "764146007"
    assert found["verificationStatus"]["coding"][0]["code"] == "refuted"


def test_two_entries_under_one_number_are_both_kept() -> None:
    entry = """<act><entryRelationship><observation><templateId root="2.16.840.1.113883.10.20.22.4.4"/>
    <id root="1.2" extension="same"/>
    <value xsi:type="CD" code="{}" displayName="P" codeSystem="2.16.840.1.113883.6.96"/>
    </observation></entryRelationship></act>"""

    found = resources(entry.format("38341003") + entry.format("44054006"), code="11450-4")["Condition"]

    assert {one["code"]["coding"][0]["code"] for one in found} == {"38341003", "44054006"}
    assert len({one["id"] for one in found}) == 2


def test_tables_and_lists_keep_one_line_a_row() -> None:
    text = (
        "<table><tbody><tr><td>Aspirin</td><td>75 mg</td></tr><tr><td>Ramipril</td><td>5 mg</td></tr></tbody></table>"
    )
    text += "<list><item>Rest</item><item>Drink\n   water</item></list><paragraph>One<br/>two</paragraph>"

    [note] = resources(text=text)["DocumentReference"]

    data = base64.b64decode(note["content"][0]["attachment"]["data"]).decode()
    assert data == "Section\nAspirin | 75 mg\nRamipril | 5 mg\nRest\nDrink water\nOne\ntwo"


def test_an_unstructured_body_is_attached_as_it_is() -> None:
    body = '<nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0=</text></nonXMLBody>'

    found = read_document(HEAD.format(body=body).encode(), zone=ZoneInfo("UTC"))

    attachment = found[1].resource["content"][0]["attachment"]
    assert (attachment["contentType"], attachment["data"]) == ("application/pdf", "JVBERi0=")


def body(algorithm: str, packed: bytes) -> tuple[str, bytes]:
    data = base64.b64encode(packed).decode()
    text = f'<text mediaType="text/plain" representation="B64" compression="{algorithm}">{data}</text>'
    raw = HEAD.format(body=f"<nonXMLBody>{text}</nonXMLBody>").encode()
    attachment = read_document(raw, zone=ZoneInfo("UTC"))[1].resource["content"][0]["attachment"]
    return attachment["contentType"], base64.b64decode(attachment["data"])


WORDS = b"She takes apixaban for atrial fibrillation."


@pytest.mark.parametrize(
    ("algorithm", "packed"),
    [
        ("DF", zlib.compress(WORDS, wbits=-15)),
        ("DF", zlib.compress(WORDS)),  # as some senders do
        ("GZ", gzip.compress(WORDS)),
        ("ZL", zlib.compress(WORDS)),
    ],
)
def test_a_compressed_body_is_unpacked(algorithm: str, packed: bytes) -> None:
    assert body(algorithm, packed) == ("text/plain", WORDS)


@pytest.mark.parametrize(
    ("algorithm", "packed"),
    [
        ("GZ", gzip.compress(WORDS)[:-12]),
        ("GZ", WORDS),
        ("Z7", gzip.compress(WORDS)),
        ("DF", zlib.compress(bytes(LARGEST + 1), wbits=-15)),
    ],
)
def test_a_body_that_cannot_be_unpacked_within_bounds_stays_as_it_came(algorithm: str, packed: bytes) -> None:
    assert body(algorithm, packed) == ("application/octet-stream", packed)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ClinicalDocument>&b;</ClinicalDocument>'


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "not-xml"),
        ("<ClinicalDocument", "not-xml"),
        ("<html></html>", "not-a-clinical-document"),
        (BOMB, "document-type-declared"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><ClinicalDocument/>', "document-type-declared"),
        ('<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "missing-element"),
        ("<a>" * 500 + "</a>" * 500, "nested-too-deep"),
        (" " * 5000 + BOMB, "document-type-declared"),
    ],
)
def test_what_cannot_be_read_says_why(raw: str, reason: str) -> None:
    with pytest.raises(CcdaError) as caught:
        read_document(raw.encode(), zone=ZoneInfo("UTC"))

    assert caught.value.reason == reason


@given(st.integers(0, 900), st.binary(max_size=4))
def test_damaged_bytes_never_fail_otherwise(place: int, junk: bytes) -> None:
    raw = HEAD.format(body=SECTION.format(code="11450-4", text="words", entries="")).encode()
    with suppress(CcdaError):
        read_document(raw[:place] + junk + raw[place + 1 :], zone=ZoneInfo("UTC"))
