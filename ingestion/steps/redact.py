"""One kept file without one patient: whether he stands in it, and its bytes without him."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from ingestion.domain.items import ResourceItem
from ingestion.domain.r4.bundles import read_fhir
from ingestion.domain.redaction import NotRewritableError, without
from ingestion.originals import FRAME_BYTES
from ingestion.parsers.bulk_ndjson import BulkNdjson, looks_like_lines
from ingestion.parsers.fhir_json import FhirJson
from ingestion.parsers.port import UTF8_BOM
from ingestion.parsers.registry import HEAD_BYTES, choose_parser, parse_stream
from ingestion.steps.same_file import SameFile
from ingestion.steps.whose import Verdict, Whose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from clinical.domain.traces import Traces
    from ingestion.domain.items import ParseContext

_OVERLAP: Final = 4096  # bytes; longer than any id or identifier with what stands around it


class Outcome(StrEnum):
    """What has to become of a file."""

    UNTOUCHED = "untouched"
    REWRITTEN = "rewritten"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Redaction:
    """The decision on one file; `dropped` are the positions of the items that go, `left` opens what stays."""

    outcome: Outcome
    dropped: frozenset[str] = frozenset()
    left: Callable[[], BinaryIO] | None = None


def is_named_in(source: BinaryIO, traces: Traces, *, whole: bool) -> bool:
    """Return whether a file may hold the patient; read in pieces unless `whole` (then name and birth date count)."""
    if whole:
        return traces.are_named_in(source.read())
    before = b""
    while chunk := source.read(FRAME_BYTES):
        if traces.are_identified_in(before + chunk):
            return True
        before = chunk[-_OVERLAP:]
    return False


def redact(
    source: Callable[[], BinaryIO], filename: str, context: ParseContext, traces: Traces, patient_id: UUID
) -> Redaction:
    """Decide over one file.

    A file in which everything that can be told belongs to the patient goes as a whole, with what in it
    nobody can tell. One that holds others too is written without him; where its format cannot be taken
    apart (a batch of messages), it goes, and the others' records stay.

    Args:
        source: opens the file anew, at its beginning.
        filename: the name it came with.
        context: what its sender said about it.
        traces: by which the patient is recognised.
        patient_id: his.
    """
    whose = Whose(traces, patient_id, SameFile(lambda: parse_stream(source(), filename, context)))
    head = _read(source, HEAD_BYTES)
    parser = choose_parser(head, filename, context) if head.strip() else None
    if isinstance(parser, BulkNdjson):
        return _of_lines(source, context, whose)
    if isinstance(parser, FhirJson):
        content = _read(source).removeprefix(UTF8_BOM)
        if looks_like_lines(content):
            return _of_lines(source, context, whose)
        verdict = whose.verdict(content, "", parse_stream(io.BytesIO(content), filename, context))
        return _decision(verdict, lambda: io.BytesIO(without(content, "", verdict.changes) or b""))
    verdict = whose.verdict(_read(source), "", parse_stream(source(), filename, context))
    if not verdict.changes:
        return Redaction(Outcome.UNTOUCHED)
    return Redaction(Outcome.DELETED, frozenset(verdict.changes))


def _read(source: Callable[[], BinaryIO], size: int = -1) -> bytes:
    with source() as file:
        return file.read(size)


def _decision(verdict: Verdict, left: Callable[[], BinaryIO]) -> Redaction:
    if not verdict.changes:
        return Redaction(Outcome.UNTOUCHED)
    dropped = frozenset(position for position, change in verdict.changes.items() if change is None)
    if not verdict.others:
        return Redaction(Outcome.DELETED, dropped)
    try:
        left().close()
    except NotRewritableError:
        return Redaction(Outcome.DELETED, dropped)
    return Redaction(Outcome.REWRITTEN, dropped, left)


def _of_lines(source: Callable[[], BinaryIO], context: ParseContext, whose: Whose) -> Redaction:
    verdict = Verdict()
    by_line: dict[int, dict[str, bytes | None]] = {}
    with source() as file:
        for number, line in enumerate(file, start=1):
            one = _verdict_on_line(line, number, context, whose)
            if one.changes:
                by_line[number] = one.changes
            verdict.add(one)
    return _decision(verdict, lambda: io.BufferedReader(_Lines(source, by_line), FRAME_BYTES))


def _verdict_on_line(line: bytes, number: int, context: ParseContext, whose: Whose) -> Verdict:
    content, place = _bare(line), f"line {number}"
    if not content:
        return Verdict()
    limit = max(context.max_resource_bytes, len(content))  # a line that was refused for its size is looked at too
    items = read_fhir(content, max_resource_bytes=limit, position=place)
    return whose.verdict(
        content, place, (i.placed(context.server) if isinstance(i, ResourceItem) else i for i in items)
    )


def _bare(line: bytes) -> bytes:
    return line.removeprefix(UTF8_BOM).strip(b" \t\r\n")


class _Lines(io.RawIOBase):
    """The lines of a file without what goes, as a file to be read forward and rewound; nothing is unpacked to disk."""

    def __init__(self, source: Callable[[], BinaryIO], changes: dict[int, dict[str, bytes | None]]) -> None:
        self._source, self._changes = source, changes
        self._rewind()

    def _rewind(self) -> None:
        self._rest, self._position = b"", 0
        self._left = chain.from_iterable((line, b"\n") for line in self._lines())

    def _lines(self) -> Iterator[bytes]:
        with self._source() as file:
            for number, line in enumerate(file, start=1):
                changes = self._changes.get(number)
                content = line.rstrip(b"\n")
                yield content if changes is None else without(_bare(line), f"line {number}", changes) or b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if (offset, whence) != (0, io.SEEK_SET):
            raise io.UnsupportedOperation("lines are read forward, from the first")
        self._rewind()
        return 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # writable buffer
        while not self._rest:
            following = next(self._left, None)
            if following is None:
                return 0
            self._rest = following
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self._position += size
        return size
