"""FHIR R4 JSON: a Bundle or a single resource in one document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from ingestion.domain.documents.binaries import with_binaries
from ingestion.domain.items import RejectedItem
from ingestion.domain.r4.bundles import read_fhir
from ingestion.parsers.bulk_ndjson import BulkNdjson, looks_like_lines
from ingestion.parsers.port import UTF8_BOM, read_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

_OBJECT = re.compile(rb'\s*\{\s*(?:"|\}|\Z)')
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


class FhirJson:
    """Reads the whole document; its resources stay slices of it until they are yielded."""

    name = "fhir-json"

    def score(self, head: bytes, filename: str) -> int:
        """Return 90 for an object that names its resourceType, less for other JSON."""
        text = head.removeprefix(UTF8_BOM)
        if _OBJECT.match(text):
            return 90 if b'"resourceType"' in text else 40
        named_json = filename.lower().endswith(".json")
        if named_json and (text.lstrip().startswith((b"[", b"{")) or head.startswith(_UTF16_BOMS)):
            return 40
        return 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield the Bundle's resources or the single resource. Memory: about twice the file's size."""
        content = read_whole(source, context.max_file_bytes)
        if content is None:
            yield RejectedItem("", "file-too-large")
            return
        if content.startswith(_UTF16_BOMS):
            yield RejectedItem("", "not-utf8", "byte 0")
            return
        if looks_like_lines(content):  # a first line longer than the head hid it
            source.seek(0)
            yield from BulkNdjson().parse(source, filename, context)
            return
        yield from with_binaries(read_fhir(content, max_resource_bytes=context.max_resource_bytes), content)
