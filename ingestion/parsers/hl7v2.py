"""HL7 v2 files: one message, several after one another, batches, and dumps of MLLP streams.

Source: HL7 v2.8.2 chapter 2, section 2.10.3 (batch protocol: FHS, BHS, BTS, FTS); MLLP release 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.v2.frames import START
from ingestion.domain.v2.message import Message, V2Error, parse_message
from ingestion.domain.v2.to_fhir import NotMapped, map_message
from ingestion.parsers.mapped_items import FAULTS_OF_A_MAPPING, items_of, zone_of
from ingestion.parsers.message_meaning import hold_of, merges_of
from ingestion.parsers.port import UTF8_BOM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

SERVER: Final = "urn:hl7v2"
_CHUNK: Final = 1 << 20
_HEAD: Final = re.compile(rb"[\x0b\s]*(?:MSH|FHS|BHS)[^A-Za-z0-9\s]")
# Where the next message or a line of the envelope begins; a frame's own bytes count as line ends.
_NEXT: Final = re.compile(rb"[\r\n\x0b\x1c](?=(?:MSH|FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9\s]|[\r\n\x1c]|\Z))")
_LONGEST_MARK: Final = 8
_AROUND: Final = b"\x0b\x1c\r\n"
_CODE: Final = re.compile(r"[A-Z0-9]{3}")
_ENVELOPE: Final = frozenset({b"FHS", b"BHS", b"BTS", b"FTS"})


class Hl7V2:
    """Reads message by message; a bad one does not stop the others.

    A merge comes after the resources of its message; those of a message that is not of production are held.
    """

    name = "hl7-v2"

    def score(self, head: bytes, filename: str) -> int:
        """Return 95 for a message, batch or file header."""
        return 95 if _HEAD.match(head.removeprefix(UTF8_BOM)) else 0

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield each message's resources; positions are "message N SEGMENT[n]", messages counted from 1."""
        envelope, number = _Envelope(), 0
        for piece in _pieces(source, context.max_resource_bytes):
            if piece is not None and piece[:3] in _ENVELOPE:
                yield from envelope.line(piece)
                continue
            number += 1
            envelope.messages += 1
            place = f"message {number}"
            if piece is None:
                yield RejectedItem(place, "message-too-large")
            else:
                yield from _items(piece, place, context)
        yield from envelope.end()


def _items(raw: bytes, place: str, context: ParseContext) -> Iterator[Item]:
    try:
        message = parse_message(raw)
        found = list(map_message(message, zone=zone_of(context.zone)))
    except V2Error as error:
        yield RejectedItem(place, error.reason, error.place)
    except NotMapped:
        yield RejectedItem(place, "message-type-not-mapped", _type(parse_message(raw)))
    except FAULTS_OF_A_MAPPING as error:
        yield RejectedItem(place, "mapping-failed", type(error).__name__)
    else:
        hold = hold_of(message)
        for item in items_of(found, server=SERVER, place=place, max_resource_bytes=context.max_resource_bytes):
            yield replace(item, hold=hold) if hold and isinstance(item, ResourceItem) else item
        yield from merges_of(message, server=SERVER, place=place)


def _type(message: Message) -> str:
    """Return "ACK^A01"; only what are codes, since anything may stand in a field."""
    return "^".join(code for code in message.type if _CODE.fullmatch(code))


@dataclass(slots=True)
class _Envelope:
    """Counts what a batch announces against what came: a file that was cut off says so."""

    messages: int = 0
    batches: int = 0
    batch_open: bool = False
    file_open: bool = False
    counted_from: int = 0

    def line(self, raw: bytes) -> Iterator[Item]:
        """Take in a header or trailer."""
        name = raw[:3].decode("ascii")
        if name == "FHS":
            self.file_open = True
        elif name == "BHS":
            self.batch_open, self.counted_from = True, self.messages
            self.batches += 1
        elif name == "BTS":
            yield from _compared("BTS", raw, self.messages - self.counted_from)
            self.batch_open, self.counted_from = False, self.messages
        else:
            yield from _compared("FTS", raw, self.batches)
            self.file_open = False

    def end(self) -> Iterator[Item]:
        """Say which trailer did not come."""
        for missing, name in ((self.batch_open, "BTS"), (self.file_open, "FTS")):
            if missing:
                yield RejectedItem("end of file", "batch-cut-off", name)


def _compared(name: str, raw: bytes, came: int) -> Iterator[Item]:
    said = raw[4:].split(raw[3:4])[0].strip() if len(raw) > 4 else b""
    if said.isdigit() and int(said[:9]) != came:
        yield RejectedItem(name, "batch-count-mismatch", f"{int(said[:9])} announced, {came} came")


def _pieces(source: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Yield each message and each line of the envelope; None for one over `limit` bytes."""
    buffer, too_long, ended = bytearray(), False, False
    while not ended:
        chunk = source.read(_CHUNK)
        ended = not chunk
        buffer += chunk
        start = 0
        while match := _NEXT.search(buffer, start, len(buffer) if ended else max(start, len(buffer) - _LONGEST_MARK)):
            piece, start = bytes(buffer[start : match.start()]), match.end()
            yield from _piece(piece, limit, too_long=too_long)
            too_long = False
        del buffer[:start]
        if len(buffer) > limit + _CHUNK:  # keep no more of what is refused than tells where the next begins
            too_long = True
            del buffer[: len(buffer) - _CHUNK]
    yield from _piece(bytes(buffer), limit, too_long=too_long)


def _piece(raw: bytes, limit: int, *, too_long: bool) -> Iterator[bytes | None]:
    piece = raw.removeprefix(UTF8_BOM).strip(_AROUND)
    if too_long or len(piece) > limit:
        yield None
    elif piece.strip(_AROUND + START + b" \t"):
        yield piece
