"""Plain-text and Markdown notes about a patient."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.notes import NoteError, note_document
from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError
from ingestion.parsers.port import read_whole
from ingestion.parsers.text_bytes import UnreadableTextError, decode_text, looks_like_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

_MARKDOWN_SIGN = re.compile(r"^(?:#{1,6} |\* |- |> |\d+\. |```|\|.+\|)|\*\*[^*\n]+\*\*", re.MULTILINE)


class Notes:
    """Makes a DocumentReference of a text file; see `ingestion.domain.notes` for its front matter."""

    name = "note"

    def score(self, head: bytes, filename: str) -> int:
        """Return 10 for prose: every other format that fits is surer of itself."""
        return 10 if looks_like_prose(head) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield one DocumentReference."""
        content = read_whole(source, context.max_resource_bytes)
        if content is None:
            yield RejectedItem("", "resource-too-large")
            return
        try:
            decoded = decode_text(content)
            note = note_document(
                decoded.text,
                markdown=_is_markdown(filename, decoded.text),
                patient_reference=context.patient_reference,
                was_cp1252=decoded.was_cp1252,
            )
            check_resource(note.content)
        except UnreadableTextError as error:
            yield RejectedItem("", error.reason, f"byte {error.offset}")
        except NoteError as error:
            yield RejectedItem("", error.reason, error.element)
        except InvalidResourceError as error:
            yield RejectedItem("", error.issue.code, error.issue.path)
        else:
            yield ResourceItem("", "DocumentReference", note.resource_id, note.content)


def _is_markdown(filename: str, text: str) -> bool:
    """Go by the name where it says so; else by the first marks of Markdown."""
    name = filename.lower()
    if name.endswith((".md", ".markdown")):
        return True
    return not name.endswith((".txt", ".text")) and _MARKDOWN_SIGN.search(text) is not None
