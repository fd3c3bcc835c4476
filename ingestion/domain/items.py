"""What a parser finds in a file: items to store, documents to keep, and what had to be refused."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - part of a public dataclass
from dataclasses import dataclass, field, replace

from clinical.domain.guideline import GuidelineDocument  # noqa: TC001 - part of a public dataclass


def _go_on() -> None:
    """Do nothing: nobody waits for a sign of life."""


@dataclass(frozen=True, slots=True)
class ResourceItem:
    """One FHIR R4 resource, valid as R4, with `urn:uuid:` references resolved.

    `content` holds its JSON bytes (UTF-8) as they will be stored and cited. `position` says where in
    the file it stood ("entry[12]", "line 4", "" for the whole file). `delete` marks a transaction or
    Bulk Data entry that removes the resource. `server` is the base URL the fullUrl names, or "".
    `hold` is a reason for which it waits in the unassigned queue whatever it says ("not-production"). `parts` are
    the positions of entries that became part of it and are not items by themselves.
    """

    position: str
    resource_type: str
    resource_id: str
    content: bytes
    delete: bool = False
    server: str = ""
    hold: str = ""
    parts: tuple[str, ...] = ()

    def placed(self, server: str) -> ResourceItem:
        """Return the resource as one of this server where its fullUrl names none."""
        return replace(self, server=server) if server and not self.server else self


@dataclass(frozen=True, slots=True)
class GuidelineItem:
    """One guideline document."""

    position: str
    document: GuidelineDocument


@dataclass(frozen=True, slots=True)
class MergeItem:
    """One person was known by two sets of identifiers: what is held under the merged ones is the survivor's.

    `surviving` and `merged` are (assigning authority, identifier) pairs; where the authority is "", the
    identifier is a Patient.id of `server`. `hold` as for a resource. `undo` says that they are two persons after all:
    which of the two was merged into the other is known here.
    """

    position: str
    server: str
    surviving: tuple[tuple[str, str], ...]
    merged: tuple[tuple[str, str], ...]
    hold: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True)
class RejectedItem:
    """Something that cannot be taken in. `reason` is a code; `detail` names elements, never patient text."""

    position: str
    reason: str
    detail: str = ""


Item = ResourceItem | GuidelineItem | MergeItem | RejectedItem


@dataclass(frozen=True, slots=True)
class ParseContext:
    """What the caller says about a file.

    `patient_reference` ("Patient/123") applies to notes that name nobody themselves. `guideline` holds
    provenance given on the command line (title, edition, source, approver, jurisdiction, expires) and is
    None when the file is not declared to be a guideline. `zone` is the sender's time zone (IANA name) for
    times of HL7 v2 and C-CDA that name none. `ocr_languages` are those of scanned pages as Tesseract names
    them ("eng+deu"). `server` is the base URL of FHIR resources whose fullUrl names no server, where the sender is
    registered with one. `refused` are the entries of a Bundle that its door refused, by number, with the reason.
    `still_working` is called every few seconds while a document takes long.
    """

    patient_reference: str = ""
    guideline: dict[str, str] | None = None
    max_resource_bytes: int = 16 * 2**20
    max_file_bytes: int = 512 * 2**20
    zone: str = "UTC"
    ocr_languages: str = "eng"
    server: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    still_working: Callable[[], None] = field(default=_go_on, compare=False, repr=False)
