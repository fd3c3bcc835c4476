"""The free text of a resource: what a clinician wrote, to be cut into passages."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from clinical.domain.extraction import extraction_of
from clinical.domain.html_words import plain_text_of_html
from clinical.domain.projection.elements import Path, Resource, as_dict, as_list, as_str

SEPARATOR: Final = "\n\f\n"
LONG_VALUE: Final = 40  # characters from which a valueString is prose rather than a result
_PLAIN: Final = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
_HTML: Final = frozenset({"text/html", "application/xhtml", "application/xhtml+xml"})


def text_part(resource: dict[str, Any]) -> str:
    """Return the decoded text of a resource's attachments: part `text` of its citations.

    DocumentReference.content, DiagnosticReport.presentedForm and Media.content with inline data of
    a plain text, Markdown or HTML type, in order, joined by `SEPARATOR`. Other types (PDF, DOCX)
    give nothing here: their words stand beside them as plain text (`clinical.domain.extraction`). A URL is
    never followed.
    """
    return SEPARATOR.join(text for _, _, text in attachment_texts(resource))


def attachment_texts(resource: dict[str, Any]) -> list[tuple[Resource, int, str]]:
    """Return each attachment that has words, where they begin in part `text` (code points), and the words."""
    found: list[tuple[Resource, int, str]] = []
    start = 0
    for attachment in attachments_of(resource):
        if text := _attachment_text(attachment):
            found.append((attachment, start, text))
            start += len(text) + len(SEPARATOR)
    return found


def unread_attachments(resource: dict[str, Any]) -> list[str]:
    """Return the content types of attachments whose words part `text` lacks, for the absence text."""
    attachments = attachments_of(resource)
    read = {found.of for item in attachments if (found := extraction_of(item)) and _attachment_text(item)}
    return [
        as_str(item.get("contentType")) or "unknown"
        for index, item in enumerate(attachments)
        if (item.get("data") or item.get("url")) and index not in read and not _attachment_text(item)
    ]


def attachments_of(resource: Resource) -> list[Resource]:
    """Return the attachments of a document, a report or a medium, in order."""
    kind = resource.get("resourceType")
    if kind == "DocumentReference":
        return [as_dict(as_dict(item).get("attachment")) for item in as_list(resource.get("content"))]
    if kind == "DiagnosticReport":
        return [as_dict(item) for item in as_list(resource.get("presentedForm"))]
    return [as_dict(resource.get("content"))] if kind == "Media" else []


def _attachment_text(attachment: Resource) -> str:
    media, _, parameters = as_str(attachment.get("contentType")).lower().partition(";")
    data = as_str(attachment.get("data"))
    if media.strip() not in _PLAIN | _HTML or not data:
        return ""
    try:
        raw = base64.b64decode(re.sub(r"\s+", "", data), validate=True)
    except (binascii.Error, ValueError):
        return ""
    text = _decode(raw, parameters)
    return plain_text_of_html(text) if media.strip() in _HTML else text


def _decode(raw: bytes, parameters: str) -> str:
    named = re.search(r"charset\s*=\s*\"?([\w.:-]+)", parameters)
    for charset in filter(None, (named and named[1], "utf-8-sig", "cp1252")):
        try:
            return raw.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode("latin-1")


def narrative_fields(resource: dict[str, Any]) -> list[tuple[Path, str]]:
    """Return (path, text) of free text inside the resource that is worth a passage.

    The text is the JSON string's own value, unstripped: `json.loads` of the value at the path. Covered are
    notes of any resource, long string values, conclusions, descriptions, and the narrative (`div`, still
    XHTML) of Composition sections and of resources whose narrative adds to their data ("additional").
    """
    found: list[tuple[Path, str]] = []
    for index, note in enumerate(as_list(resource.get("note"))):
        _add(
            found,
            ("note", index, "text") if isinstance(resource.get("note"), list) else ("note", "text"),
            note,
        )
    for name in ("conclusion", "clinicalImpression", "summary", "patientInstruction"):
        _add(found, (name,), resource.get(name))
    _add(found, ("valueString",), resource.get("valueString"), shortest=LONG_VALUE)
    for name, leaf in (
        ("component", "valueString"),
        ("reaction", "description"),
        ("dosageInstruction", "patientInstruction"),
    ):
        for index, item in enumerate(as_list(resource.get(name))):
            _add(found, (name, index, leaf), as_dict(item).get(leaf), shortest=LONG_VALUE)
    if isinstance(resource.get("description"), str):
        _add(found, ("description",), resource["description"], shortest=LONG_VALUE)
    _sections(found, resource, ())
    if as_dict(resource.get("text")).get("status") == "additional":
        _add(found, ("text", "div"), as_dict(resource.get("text")).get("div"))
    return found


def _sections(found: list[tuple[Path, str]], element: Resource, base: Path) -> None:
    for index, item in enumerate(as_list(element.get("section"))):
        section = as_dict(item)
        path: Path = (*base, "section", index)
        _add(found, (*path, "text", "div"), as_dict(section.get("text")).get("div"))
        _sections(found, section, path)


def _add(found: list[tuple[Path, str]], path: Path, value: object, *, shortest: int = 1) -> None:
    text = value.get("text") if isinstance(value, dict) else value
    if isinstance(text, str) and len(text.strip()) >= shortest:
        found.append((path, text))
