"""TXA with its OBX as DocumentReference: new, addendum, replacement, edit and cancellation.

Source: HL7 v2.8.2 chapter 9 (T01 to T11); HL7 Version 2 to FHIR guide, segment map TXA[DocumentReference].
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.mapped import clean, coding, stable_id
from ingestion.domain.v2.message import V2Error
from ingestion.domain.v2.times import day_of
from ingestion.domain.v2.to_fhir.datatypes import (
    all_of,
    concept,
    entity,
    first_of,
    instant,
    moment,
    person,
)
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.domain.v2.message import Segment
    from ingestion.domain.v2.to_fhir.context import Mapping
    from ingestion.domain.v2.to_fhir.grouping import OrderGroup

Json = dict[str, Any]
# Trigger event -> DocumentReference.relatesTo.code for the parent document (TXA-13).
_RELATION: Final = {"T05": "appends", "T06": "appends", "T09": "replaces", "T10": "replaces"}
# Notices of a document that bring no words of it (HL7 v2.5.1, 9.6): what is held keeps them.
_WITHOUT_BODY: Final = frozenset({"T01", "T03", "T05", "T07", "T09"})
_CANCELLED: Final = frozenset({"T11"})
_PROSE: Final = frozenset({"TX", "FT", "ST"})
_CODED: Final = frozenset({"CWE", "CE", "CNE"})
_TEXTS: Final = _PROSE | _CODED | {"NM", "IS", "SN", "DT", "TM", "TS", "DTM"}


def map_document(mapping: Mapping, txa: Segment, bodies: Sequence[Segment]) -> None:
    """Add the document with its body.

    Raises:
        V2Error: missing-field at TXA-12: without its unique number a document cannot be corrected later.
    """
    event = mapping.message.type[1]
    number = txa.get(12)
    if not number:
        raise V2Error("missing-field", "TXA-12")
    status, doc_status = tables()["document_status"].get(txa.get(17).upper(), ["current", ""])
    if event in _CANCELLED or txa.get(19).upper() in ("CA", "OB", "UN"):
        status, doc_status = "entered-in-error", "entered-in-error"
    parent = first_of(txa, 13, entity)
    relation = _RELATION.get(event, "appends" if parent else "")
    written = instant(txa, 6, mapping.zone) or moment(txa, 4, mapping.zone)
    titles = [one for one in (txa.get(25), txa.get(16), txa.get(21)) if one]
    mapping.add(
        {
            "resourceType": "DocumentReference",
            "id": document_id(mapping.patient_id, number),
            "masterIdentifier": first_of(txa, 12, entity),
            "identifier": [
                *(one for field in (14, 15) for one in all_of(txa, field, entity)),
                *([{"type": {"text": "file name"}, "value": txa.get(16)}] if txa.get(16) else []),
            ],
            "status": status,
            "docStatus": doc_status,
            "type": _kind(txa),
            "category": all_of(txa, 24, concept),
            "subject": mapping.subject(),
            "date": written if "T" in written else "",
            "author": _persons(txa, 9) + [one for one in _persons(txa, 5) if one not in _persons(txa, 9)],
            "authenticator": first_of(txa, 22, person) or first_of(txa, 10, person),
            "relatesTo": [{"code": relation, "target": {"reference": _target(mapping, parent)}}]
            if parent and relation
            else [],
            "description": "; ".join(titles),
            "securityLabel": [_confidentiality(txa.get(18))] if txa.get(18) else [],
            "content": [{"attachment": one} for one in _attachments(mapping, txa, bodies)],
            "context": clean(
                {
                    "encounter": [mapping.encounter()] if mapping.encounter_id else [],
                    "period": clean({"start": moment(txa, 4, mapping.zone)}),
                }
            ),
        },
        txa,
        rank=_rank(event, status, doc_status, has_body=bool(bodies)),
        updated=instant(txa, 8, mapping.zone),
    )


def _rank(event: str, status: str, doc_status: str, *, has_body: bool) -> int:
    """Return how far this version of a document goes before others; a notice without its words before none."""
    if status == "entered-in-error":
        return 3
    if event in _WITHOUT_BODY and not has_body:
        return 0
    return 2 if doc_status == "final" else 1


def map_attached(mapping: Mapping, group: OrderGroup, request: str = "") -> None:
    """Add the documents that stand among the results of a message that reports none (an order, an admission)."""
    for result in group.results:
        attached = attachment_of(result.obx)
        if not attached:
            continue
        written = instant(result.obx, 14, mapping.zone)
        remarks = [text for nte in result.notes if (text := "\n".join(nte.plain(one) for one in nte.repetitions(3)))]
        mapping.add(
            {
                "resourceType": "DocumentReference",
                "id": document_id(mapping.patient_id, f"{group.key}|{result.obx.whole(3)}|{result.obx.get(4)}"),
                "identifier": all_of(result.obx, 21, entity),
                "status": "current",
                "type": first_of(result.obx, 3, concept),
                "subject": mapping.subject(),
                "date": written,
                "author": all_of(result.obx, 16, person),
                "description": "; ".join(remarks),
                "content": [{"attachment": attached}],
                "context": clean(
                    {
                        "encounter": [mapping.encounter()] if mapping.encounter_id else [],
                        "related": [{"reference": request}] if request else [],
                    }
                ),
            },
            result.obx,
        )


def _kind(txa: Segment) -> Json:
    """Return the type by table 0270, or by the code system that TXA-2 names itself."""
    found = first_of(txa, 2, concept)
    if txa.get(2) and not txa.get(2, 3):
        return {"coding": [coding(V2_TABLE + "0270", txa.get(2), txa.get(2, 2))]}
    return found


def _persons(txa: Segment, field: int) -> list[Json]:
    return all_of(txa, field, person)


def document_id(patient_id: str, number: str) -> str:
    """Return the id of the document with this unique number."""
    return stable_id("DocumentReference", patient_id, number)


def _target(mapping: Mapping, parent: Json) -> str:
    return f"DocumentReference/{document_id(mapping.patient_id, parent['value'])}"


def _confidentiality(code: str) -> Json:
    known = {"V": "V", "R": "R", "U": "N"}.get(code.upper())  # HL7 table 0272: very restricted, restricted, usual
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    return {"coding": [coding(system, known)] if known else [coding(V2_TABLE + "0272", code)]}


def _attachments(mapping: Mapping, txa: Segment, bodies: Sequence[Segment]) -> list[Json]:
    """Return the body's parts: lines of text joined into one, each encoded document by itself."""
    lines = [
        _line(body) for body in bodies if body.get(2).upper() in _TEXTS and body.get(11).upper() not in ("D", "W", "X")
    ]
    created = moment(txa, 4, mapping.zone)
    found = [one for body in bodies if (one := attachment_of(body))]
    text = "\n".join(lines).strip()
    if text:
        data = text.encode()
        joined = {
            "contentType": "text/plain; charset=utf-8",
            "data": base64.b64encode(data).decode(),
            "size": len(data),
            "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        }
        found.insert(0, joined)
    if created:
        found = [{**one, "creation": created} for one in found]
    # A document that is announced before its content (T01) says so itself.
    return found or [
        clean({"contentType": "text/plain", "title": txa.get(16) or "Content not sent", "creation": created})
    ]


def _line(obx: Segment) -> str:
    """Return a row of a document's body: running text as it stands, a measurement with its name and unit."""
    if obx.get(2).upper() in _PROSE:
        return "\n".join(obx.plain(one) for one in obx.repetitions(5))
    values = [_value(obx, one) for one in obx.repetitions(5)]
    name, unit = obx.get(3, 2) or obx.get(3), obx.get(6) or obx.get(6, 2)
    said = " ".join(filter(None, (", ".join(filter(None, values)), unit)))
    return f"{name}: {said}" if name and said else said


def _value(obx: Segment, repetition: str) -> str:
    kind, first = obx.get(2).upper(), obx.part(repetition)
    if kind in _CODED:
        return obx.part(repetition, 2) or first
    if kind == "SN":  # comparator, number, separator, number
        return "".join(obx.part(repetition, place) for place in range(1, 5))
    return (day_of(first) or first) if kind == "DT" else first


def attachment_of(obx: Segment) -> Json:
    """Return an encapsulated (ED) or referred (RP) document of OBX-5 as Attachment; {} for anything else.

    Raises:
        V2Error: bad-attachment, when its bytes are not encoded as it says.
    """
    kind, raw = obx.get(2).upper(), obx.raw(5)
    title = obx.get(3, 2) or obx.get(3)
    if kind == "RP" and raw:
        return clean({"contentType": _mime(obx.get(5, 3), obx.get(5, 4)), "url": obx.get(5), "title": title})
    if kind != "ED" or not raw:
        return {}
    content_type = _mime(obx.get(5, 2), obx.get(5, 3))
    # Long documents are cut into repetitions or come in several pieces; the pieces of one field are one document.
    pieces = [obx.part(one, 5) or obx.part(one, 1) for one in obx.repetitions(5)]
    data = _decoded("".join(pieces), obx.get(5, 4))
    if data is None and any(pieces):
        raise V2Error("bad-attachment", f"OBX[{obx.number}]-5")
    if data is None:
        return clean({"contentType": content_type, "title": title})
    return clean(
        {"contentType": content_type, "data": base64.b64encode(data).decode(), "size": len(data), "title": title}
    )


def _decoded(text: str, encoding: str) -> bytes | None:
    if not text:
        return None
    try:
        match encoding.lower():
            case "base64":
                return base64.b64decode("".join(text.split()), validate=True)
            case "hex":
                return bytes.fromhex(text)
            case _:
                return text.encode()
    except (binascii.Error, ValueError):
        return None


def _mime(kind: str, subtype: str) -> str:
    known = tables()["mime"]
    for one in (subtype.upper(), kind.upper()):
        if one in known:
            return str(known[one])
    if kind and subtype and kind.lower() in ("application", "text", "image", "audio", "video"):
        return f"{kind.lower()}/{subtype.lower()}"
    return "application/octet-stream"
