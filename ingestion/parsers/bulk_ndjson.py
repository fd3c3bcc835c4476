"""FHIR Bulk Data files (ndjson): one resource a line, streamed.

See https://hl7.org/fhir/uv/bulkdata/. A line may also be a Bundle, as in the files of deleted resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.items import RejectedItem
from ingestion.domain.r4.bundles import read_fhir
from ingestion.parsers.port import UTF8_BOM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

_CHUNK = 1 << 20
_NEAR = 1 << 16
_WHITE = b" \t\r\n"


def looks_like_lines(content: bytes) -> bool:
    """Return whether one object follows another on a new line, which never happens inside one JSON document.

    Looked at are the first line and what follows it and, in case that line is damaged, the next 64 KiB.
    """
    end = content.find(b"\n")
    if end < 0:
        return False
    if content[:end].rstrip(_WHITE).endswith(b"}") and content[end : end + _NEAR].lstrip(_WHITE).startswith(b"{"):
        return True
    return any(pair in content[:_NEAR] for pair in (b"}\n{", b"}\r\n{"))


class BulkNdjson:
    """Reads line by line; memory is bounded by the largest resource allowed, whatever the file's size."""

    name = "bulk-ndjson"

    def score(self, head: bytes, filename: str) -> int:
        """Return 95 when the head holds two objects on two lines, or when the name says so."""
        text = head.removeprefix(UTF8_BOM).lstrip(_WHITE)
        if not text.startswith(b"{") or text.startswith(b"{\\rtf"):
            return 0
        return 95 if filename.lower().endswith(".ndjson") or looks_like_lines(text) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield each line's resource. Positions are "line N", from 1; a bad line does not stop the others."""
        for number, line in _lines(source, context.max_resource_bytes):
            if line is None:
                yield RejectedItem(f"line {number}", "resource-too-large")
            elif line:
                yield from read_fhir(line, max_resource_bytes=context.max_resource_bytes, position=f"line {number}")


def _lines(source: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number, line without surrounding white space), with None for a line over `limit` bytes."""
    number = 0
    while True:
        line = source.readline(limit + 2)  # room for a line end
        if not line:
            return
        number += 1
        if number == 1:
            line = line.removeprefix(UTF8_BOM)
        ended = line.endswith(b"\n")
        line = line.strip(_WHITE)
        if len(line) <= limit and (ended or not _more(source)):
            yield number, line
            continue
        if not ended:
            _skip_line(source)
        yield number, None


def _more(source: BinaryIO) -> bool:
    here = source.tell()
    more = bool(source.read(1))
    source.seek(here)
    return more


def _skip_line(source: BinaryIO) -> None:
    while chunk := source.readline(_CHUNK):
        if chunk.endswith(b"\n"):
            return
