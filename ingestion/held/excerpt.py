"""The words of a held item as they stand in its original, decrypted for one look and kept nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from ingestion.erasure.files import ERASED
from ingestion.held.policy import Act, Acting, DecisionError
from ingestion.held.reading import UNREADABLE
from ingestion.originals import open_original
from ingestion.parsers.port import UTF8_BOM

if TYPE_CHECKING:
    from ingestion.models import QuarantinedItem, UnassignedItem

MOST_BYTES: Final = 32 * 2**20
AROUND: Final = 600
MARKED: Final = 20_000
_LINE: Final = re.compile(r"line (\d{1,12})")
_ENTRY: Final = re.compile(r"entry\[(\d{1,9})\]")
_MESSAGE: Final = re.compile(r"message (\d{1,9})(?: ([A-Z][A-Z0-9]{2})[\[(](\d{1,6})[\])])?")
# A message begins with MSH at the start of a line or of an MLLP frame.
_HEADER: Final = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n\x0b\x1c]))MSH(?=[^A-Za-z0-9\s])")
_SEGMENT: Final = re.compile(rb"[^\r\n]+")
_FAULTS: Final = (msgspec.DecodeError, UnicodeDecodeError, LookupError, RecursionError, TypeError)
_object: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])
_PRINTED: Final = frozenset({0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C})


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The item's words with some before and after; `found` says that its own place is marked.

    `is_text` is False for what has no words to show, such as a PDF; `size` is in bytes.
    """

    before: str
    marked: str
    after: str
    found: bool
    is_text: bool
    cut_before: bool
    cut_after: bool
    size: int


def open_item(row: QuarantinedItem | UnassignedItem, *, by: Acting) -> Excerpt:
    """Return the item's words in its original; the look is on the trail before anything is read.

    Raises:
        AccessDeniedError: `held-words-closed`; audited.
        DecisionError: `original-erased`, `original-unreadable`, `original-too-large`.
    """
    by.check(Act.OPEN)
    job, queue = row.job, type(row).__name__
    by.note(Act.OPEN, "SUCCESS", queue=queue, item=row.pk, job=job.pk, original=job.original_id[:12])
    if job.original_id == ERASED:
        raise DecisionError("original-erased")
    if job.original.size > MOST_BYTES:
        raise DecisionError("original-too-large")
    try:
        with open_original(job.original) as file:
            content = file.read()
    except UNREADABLE:
        raise DecisionError("original-unreadable") from None
    return _cut(content, row.position)


def _cut(content: bytes, position: str) -> Excerpt:
    size = len(content)
    if not _is_text(content):
        return Excerpt("", "", "", found=False, is_text=False, cut_before=False, cut_after=False, size=size)
    span = find(content, position)
    start, end = span or (0, 0)
    first = max(0, start - AROUND)
    shown = min(end, start + MARKED)
    last = min(size, shown + (AROUND if span else MARKED))
    return Excerpt(
        before=_words(content[first:start]),
        marked=_words(content[start:shown]),
        after=_words(content[shown:last]),
        found=span is not None,
        is_text=True,
        cut_before=first > 0,
        cut_after=last < size,
        size=size,
    )


def find(content: bytes, position: str) -> tuple[int, int] | None:
    """Return where in an original an item stands (bytes, end exclusive); None where its place cannot be followed.

    Args:
        content: the whole original.
        position: as the parser gave it: "entry[12]", "line 4", "line 4 entry[2]", "message 2 OBX[3]", "".
    """
    if not position:
        return (0, len(content)) if len(content) <= MARKED else None
    if said := _MESSAGE.match(position):
        return _in_messages(content, int(said[1]), said[2] or "", int(said[3] or 0))
    start, end = len(content) - len(content.removeprefix(UTF8_BOM)), len(content)
    if said := _LINE.match(position):
        line = _line(content, int(said[1]))
        if line is None:
            return None
        start, end = line
        position = position[said.end() :]
    elif not _ENTRY.match(position):
        return None
    for number in _ENTRY.findall(position):
        found = _entry(content, start, end, int(number))
        if found is None:
            return start, end  # the line at least, or the whole document
        start, end = found
    return start, end


def _line(content: bytes, number: int) -> tuple[int, int] | None:
    start = 0
    for _ in range(number - 1):
        start = content.find(b"\n", start) + 1
        if not start:
            return None
    end = content.find(b"\n", start)
    return start, len(content) if end < 0 else end


def _entry(content: bytes, start: int, end: int, number: int) -> tuple[int, int] | None:
    """Return the place of one entry of the Bundle, or of the entry whose resource is one, between two offsets."""
    try:
        outer = _object.decode(content[start:end])
        inner = bytes(outer["resource"]) if "resource" in outer and "entry" not in outer else content[start:end]
        array = bytes(_object.decode(inner)["entry"])
        entries = [bytes(one) for one in _list.decode(array)]
        wanted = entries[number]
    except _FAULTS:
        return None
    at = content.find(array, max(start, content.find(b'"entry"', start, end)), end)
    for entry in entries[:number]:
        at = content.find(entry, at, end) + len(entry)
    at = content.find(wanted, at, end)
    return None if at < 0 else (at, at + len(wanted))


def _in_messages(content: bytes, number: int, segment: str, nth: int) -> tuple[int, int] | None:
    begins = [match.start() for match in _HEADER.finditer(content)]
    if number > len(begins):
        return None
    start, end = begins[number - 1], begins[number] if number < len(begins) else len(content)
    # A segment is named with its number among all segments of the message, from 1.
    segments = [line for line in _SEGMENT.finditer(content, start, end) if line[0].strip(b"\x0b\x1c ")]
    found = segments[nth - 1] if 0 < nth <= len(segments) else None
    if found is None or not found[0].lstrip(b"\x0b").startswith(segment.encode()):
        return start, end  # a continued line shifts what follows it: the message at least
    return found.start(), found.end()


def _is_text(content: bytes) -> bool:
    head = content[:4096]
    return not any(byte < 0x20 and byte not in _PRINTED for byte in head)


def _words(content: bytes) -> str:
    return content.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
