"""C-CDA R2.1 documents: the XML as resources, by `ingestion.domain.ccda`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from ingestion.domain.ccda import CcdaError, read_document
from ingestion.domain.documents.kinds import CDA, kind_of
from ingestion.domain.items import RejectedItem
from ingestion.parsers.mapped_items import FAULTS_OF_A_MAPPING, items_of, zone_of
from ingestion.parsers.port import read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

SERVER: Final = "urn:ccda"
MOST_BYTES: Final = 64 * 2**20


class Ccda:
    """Reads one document; its patient is the one it names itself."""

    name = "c-cda"

    def score(self, head: bytes, filename: str) -> int:
        """Return 95 when the root element is HL7's ClinicalDocument."""
        return 95 if kind_of(head) == CDA else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield the resources; positions name the section ("section[3] 11450-4")."""
        content = read_whole(source, min(MOST_BYTES, context.max_file_bytes))
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        try:
            found = read_document(content, zone=zone_of(context.zone))
        except CcdaError as error:
            yield RejectedItem("", error.reason, error.place)
        except FAULTS_OF_A_MAPPING as error:  # such as an encoding that the XML reader does not know
            yield RejectedItem("", "mapping-failed", type(error).__name__)
        else:
            yield from items_of(found, server=SERVER, max_resource_bytes=context.max_resource_bytes)
