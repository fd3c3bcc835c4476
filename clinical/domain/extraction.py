"""What an attachment of plain text says about the document its words were read from.

A PDF, a DOCX or an RTF file has no words of its own that a citation could count in. They are read once, when the
document is taken in, and stand beside it as a further attachment of plain text. Its extension says how they were
read, where each page begins, and which pages a machine recognised from a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from clinical.domain.projection.elements import as_dict, as_list, as_str

URL: Final = "urn:clinical-appliance:extraction"
MOST_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Extraction:
    """How the words of one attachment were read.

    `method` names readers and their versions. `of` is the index of the attachment that was read. `starts` holds
    the offset (code points of this attachment's text) at which each page begins, empty where the format has no
    pages. `ocr` holds for each page that was recognised from a picture, counted from 1, how sure the recogniser
    was, 1 to 100, or 0 where that is unknown.
    """

    method: str
    of: int
    starts: tuple[int, ...] = ()
    ocr: tuple[tuple[int, int], ...] = ()


def as_extension(extraction: Extraction) -> dict[str, Any]:
    """Return the FHIR R4 extension that says it."""
    parts: list[dict[str, Any]] = [
        {"url": "method", "valueString": extraction.method},
        {"url": "of", "valueUnsignedInt": extraction.of},
    ]
    if extraction.starts:
        parts.append({"url": "pages", "valueString": " ".join(map(str, extraction.starts))})
    if extraction.ocr:
        said = " ".join(f"{page}:{sure}" for page, sure in extraction.ocr)
        parts.append({"url": "ocr", "valueString": said})
    return {"url": URL, "extension": parts}


def extraction_of(attachment: dict[str, Any]) -> Extraction | None:
    """Return what an attachment says of how it was read; None for one that came as it is, or says nonsense."""
    for item in as_list(attachment.get("extension")):
        if as_dict(item).get("url") == URL:
            return _read(
                {as_str(part.get("url")): part for part in map(as_dict, as_list(as_dict(item).get("extension")))}
            )
    return None


def _read(parts: dict[str, dict[str, Any]]) -> Extraction | None:
    of = parts.get("of", {}).get("valueUnsignedInt")
    try:
        starts = tuple(int(one) for one in as_str(parts.get("pages", {}).get("valueString")).split()[:MOST_PAGES])
        pairs = (one.split(":") for one in as_str(parts.get("ocr", {}).get("valueString")).split()[:MOST_PAGES])
        ocr = tuple((int(page), int(sure)) for page, sure in pairs)
    except ValueError:
        return None
    if not isinstance(of, int) or list(starts) != sorted(starts) or (starts and starts[0] < 0):
        return None
    return Extraction(as_str(parts.get("method", {}).get("valueString")), of, starts, ocr)
