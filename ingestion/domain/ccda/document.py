"""One C-CDA document to its resources: header, one note with all sections, and the entries of each section."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda import care, observations, planned, problems, treatments
from ingestion.domain.ccda.compressed import unpacked
from ingestion.domain.ccda.context import CONFIDENTIALITY, Reading
from ingestion.domain.ccda.datatypes import concept, identifier, moment, person
from ingestion.domain.ccda.header import read_encounter, read_patient
from ingestion.domain.ccda.narrative import referred_texts, section_text
from ingestion.domain.ccda.xml import CcdaError, attribute, every, name, one, parse, templates, within, words
from ingestion.domain.mapped import clean, stable_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from ingestion.domain.ccda.xml import Element
    from ingestion.domain.mapped import Mapped

Json = dict[str, Any]
# Sections whose observations are no laboratory results, by LOINC code of the section.
_CATEGORIES: Final = {
    "29762-2": "social-history", "47420-5": "survey", "10190-7": "survey", "61144-2": "survey",
    "8709-8": "exam", "29545-1": "exam", "8716-3": "vital-signs", "11383-7": "survey",
}  # fmt: skip
_PLANNED: Final = frozenset({"18776-5", "61146-7"})
_ENCOUNTER_DIAGNOSES: Final = frozenset({"42347-5", "11535-2", "C-CDAV2-DDN"})
_MEDICATIONS: Final = frozenset({treatments.MEDICATION, planned.PLANNED_MEDICATION})
ENTRIES: Final = "urn:clinical-appliance:c-cda-entries"
"""Extension of the note: how many entries became resources, and where those are that stand in its words alone."""
_LABELS: Final = ("", "R", "V")
_CONTAINED_BY: Final = (problems.PROBLEM, problems.ALLERGY, treatments.MEDICATION, treatments.IMMUNIZATION)


def read_document(raw: bytes, *, zone: ZoneInfo) -> list[Mapped]:
    """Return the resources of a document, the Patient first, the note second.

    Args:
        raw: the XML as it came.
        zone: the sender's time zone, for times without one.

    Raises:
        CcdaError: not XML, declares a DTD, is no CDA document, or names no patient.
    """
    root = parse(raw)
    if name(root) != "ClinicalDocument":
        raise CcdaError("not-a-clinical-document", name(root))
    key = attribute(root, "extension", "v:setId") or words(one(root, "v:setId"))
    document_id = next((found["value"] for each in every(root, "v:id") if (found := identifier(each))), "")
    updated = moment(one(root, "v:effectiveTime"), zone)
    reading = Reading(zone, updated, key or document_id, referred_texts(root))
    read_patient(reading, root)
    whole = _label(root)
    sections = list(_sections(root))
    # The note holds the words of all sections: it is as confidential as the most confidential of them.
    reading.label = max((whole, *map(_label, sections)), key=_LABELS.index)
    encounter = read_encounter(reading, root)
    _note(reading, root, sections, encounter, document_id)
    for number, section in enumerate(sections, start=1):
        code = attribute(section, "code", "v:code")
        reading.section = f"section[{number}] {code}".strip()
        reading.label = max(whole, _label(section), key=_LABELS.index)
        _entries(reading, section, code)
    _say_what_is_only_words(reading, sections)
    return list(reading.found.values())


def _say_what_is_only_words(reading: Reading, sections: list[Element]) -> None:
    """Let the note say which entries became no resource: their words stand in it, and nowhere else."""
    total = sum(len(every(section, "v:entry")) for section in sections)
    note = next(one for (kind, _), one in reading.found.items() if kind == "DocumentReference").resource
    parts: list[Json] = [{"url": "mapped", "valueUnsignedInt": total - len(reading.unmapped)}]
    parts += [{"url": "words-only", "valueString": place} for place in reading.unmapped]
    note["extension"] = [{"url": ENTRIES, "extension": parts}]


def narrative_of(raw: bytes) -> str:
    """Return the words of all sections of a document that is only to be quoted, its entries left alone.

    Raises:
        CcdaError: as `read_document`; "no-sections" for a body that is no XML.
    """
    root = parse(raw)
    if name(root) != "ClinicalDocument":
        raise CcdaError("not-a-clinical-document", name(root))
    sections = list(_sections(root))
    if not sections:
        raise CcdaError("no-sections")
    return _words_of(sections)


def _sections(root: Element) -> Iterator[Element]:
    for body in every(root, "v:component/v:structuredBody"):
        yield from (element for element in body.iter() if name(element) == "section")


def _note(reading: Reading, root: Element, sections: list[Element], encounter: str, document_id: str) -> None:
    """Add the document's words as one DocumentReference: title and text of each section, in order."""
    attachment = _unstructured(root) or _text_attachment(sections)
    related = one(root, "v:relatedDocument")
    relation = {"RPLC": "replaces", "APND": "appends", "XFRM": "transforms"}.get(attribute(related, "typeCode"), "")
    parent = next(
        (found["value"] for each in every(related, "v:parentDocument/v:id") if (found := identifier(each))), ""
    )
    title = words(root, "v:title") or attribute(root, "displayName", "v:code")
    authors = [who for each in every(root, "v:author/v:assignedAuthor") if (who := person(each))]
    reading.section = "document"
    reading.add(
        {
            "resourceType": "DocumentReference",
            "id": _note_id(reading, document_id),
            "identifier": [found for each in every(root, "v:id") if (found := identifier(each))],
            "status": "current",
            "docStatus": "final",
            "type": concept(one(root, "v:code"), {}),
            "subject": reading.subject(),
            "date": reading.updated if "T" in reading.updated else "",
            "author": authors,
            "relatesTo": [{"code": relation, "target": {"reference": f"DocumentReference/{_note_id(reading, parent)}"}}]
            if relation and parent
            else [],
            "custodian": _custodian(root),
            "authenticator": person(one(root, "v:legalAuthenticator/v:assignedEntity")),
            "securityLabel": [{"coding": [{"system": CONFIDENTIALITY, "code": reading.label}]}]
            if reading.label
            else [],
            "content": [{"attachment": {**attachment, **clean({"title": title, "creation": reading.updated})}}],
            "context": {"encounter": [{"reference": encounter}]} if encounter else {},
        }
    )


def _note_id(reading: Reading, document_id: str) -> str:
    return stable_id("DocumentReference", reading.patient_id, document_id)


def _label(element: Element) -> str:
    """Return the confidentiality a document or a section states for itself, where it is more than usual."""
    code = attribute(element, "code", "v:confidentialityCode")
    return code if code in _LABELS else ""


def _custodian(root: Element) -> Json:
    custodian = one(root, "v:custodian/v:assignedCustodian/v:representedCustodianOrganization")
    named = words(custodian, "v:name") if custodian is not None else ""
    return {"display": named} if named else {}


def _words_of(sections: list[Element]) -> str:
    parts = []
    for section in sections:
        text = section_text(section)
        title = words(section, "v:title")
        if text:
            parts.append(f"{title}\n{text}" if title else text)
    return "\n\n".join(parts)


def _text_attachment(sections: list[Element]) -> Json:
    data = _words_of(sections).encode()
    return {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
    }


def _unstructured(root: Element) -> Json:
    """Return the body of an unstructured document (nonXMLBody): a file, or a line of text."""
    text = one(root, "v:component/v:nonXMLBody/v:text")
    if text is None:
        return {}
    media = attribute(text, "mediaType") or "text/plain"
    if attribute(text, "representation") == "B64":
        data = "".join((text.text or "").split())
        if algorithm := attribute(text, "compression"):
            media, data = unpacked(data, algorithm, media)
        return clean({"contentType": media, "data": data})
    reference = attribute(text, "value", "v:reference")
    if reference:
        return clean({"contentType": media, "url": reference})
    return {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(words(text).encode()).decode()}


def _entries(reading: Reading, section: Element, code: str) -> None:
    for entry in every(section, "v:entry"):
        before = len(reading.found)
        _entry(reading, entry, code)
        if len(reading.found) == before:
            statement = next(iter(entry), None)
            claimed = "" if statement is None else min(templates(statement), default="")
            reading.unmapped.append(f"{reading.section} {claimed}".strip())


def _entry(reading: Reading, entry: Element, code: str) -> None:
    if code not in _PLANNED:
        diagnosis = "encounter-diagnosis" if code in _ENCOUNTER_DIAGNOSES else "problem-list-item"
        concern = problems.concern_of(entry)
        for each in within(entry, problems.PROBLEM):
            problems.read_problem(reading, each, diagnosis, concern)
        for each in within(entry, problems.ALLERGY):
            problems.read_allergy(reading, each, concern)
        for each in within(entry, treatments.IMMUNIZATION):
            treatments.read_immunization(reading, each)
        for each in within(entry, care.ENCOUNTER):
            care.read_encounter_activity(reading, each)
    for each in entry.iter():
        if name(each) == "substanceAdministration" and templates(each) & _MEDICATIONS:
            treatments.read_medication(reading, each)
    for each in within(entry, treatments.DISPENSE):
        treatments.read_dispense(reading, each)
    for each in within(entry, care.SUPPLY):
        care.read_supply(reading, each)
    care.read_devices(reading, entry)
    _statement(reading, entry, code)


def _statement(reading: Reading, entry: Element, code: str) -> None:
    """Read what an entry states directly: an organizer, an observation, a procedure, a plan or a goal."""
    for statement in entry:
        claimed, kind = templates(statement), name(statement)
        if planned.GOAL in claimed:
            planned.read_goal(reading, statement)
        elif planned.is_planned(statement):
            planned.read_planned(reading, statement)
        elif code in _PLANNED:
            continue
        elif observations.FAMILY in claimed:
            observations.read_family(reading, statement)
        elif claimed & set(problems.PROCEDURES):
            problems.read_procedure(reading, statement)
        elif kind == "organizer":
            vital = observations.VITALS in claimed
            default = "laboratory" if observations.RESULTS in claimed else "survey"
            observations.read_organizer(reading, statement, "vital-signs" if vital else _CATEGORIES.get(code, default))
        elif kind == "observation" and not claimed & set(_CONTAINED_BY):
            observations.read_observation(reading, statement, _CATEGORIES.get(code, "survey"))
