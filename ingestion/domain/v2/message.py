"""An ER7 message as segments, fields, repetitions, components and subcomponents, read when asked for.

Source: HL7 v2.8.2 chapter 2, section 2.5 (message framework). Indexes count from 1 as the standard does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestion.domain.v2.charset import CharsetError, decode
from ingestion.domain.v2.escapes import unescaper

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEGMENT: Final = re.compile(r"[^\r\n]+")
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")
_NULL: Final = '""'
MOST_SEGMENTS: Final = 50_000


class V2Error(ValueError):
    """The message cannot be read. `reason` is a code, `place` a segment or field ("MSH-9"), never its value."""

    def __init__(self, reason: str, place: str = "MSH") -> None:
        super().__init__(f"{reason}: {place}")
        self.reason = reason
        self.place = place


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `start` is where it begins in the message's text, in code points; `number` counts from 1."""

    name: str
    text: str
    start: int
    number: int
    delimiters: str
    codec: str

    @property
    def fields(self) -> list[str]:
        """The raw fields; index 1 is the first (MSH-1 being the separator itself)."""
        found = self.text.split(self.delimiters[0])
        return [found[0], self.delimiters[0], *found[1:]] if self.name == "MSH" else found

    def raw(self, field: int) -> str:
        """Return a field as it stands, "" when it is absent."""
        found = self.fields
        return found[field] if field < len(found) else ""

    def repetitions(self, field: int) -> list[str]:
        """Return the raw repetitions of a field that hold anything."""
        value = self.raw(field)
        if self.name == "MSH" and field == 2:
            return [value]
        return [one for one in value.split(self.delimiters[2]) if one] if value else []

    def get(self, field: int, component: int = 1, subcomponent: int = 1, *, repetition: int = 1) -> str:
        """Return one value with its escapes resolved; "" when absent, and for the explicit null `""`."""
        found = self.repetitions(field)
        return self.part(found[repetition - 1], component, subcomponent) if repetition <= len(found) else ""

    def part(self, repetition: str, component: int = 1, subcomponent: int = 1) -> str:
        """Return one component of a repetition given as raw text."""
        components = repetition.split(self.delimiters[1])
        if component > len(components):
            return ""
        parts = components[component - 1].split(self.delimiters[4]) if len(self.delimiters) > 4 else components
        if len(self.delimiters) <= 4:
            parts = [components[component - 1]]
        value = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return "" if value == _NULL else self.plain(value).strip()

    def is_null(self, field: int) -> bool:
        """Return whether the field is the explicit null: "delete what you hold", not "nothing said"."""
        return self.raw(field) == _NULL

    def plain(self, raw: str) -> str:
        """Return raw text with its escapes resolved."""
        return unescaper(self.delimiters, self.codec)(raw)

    def whole(self, field: int) -> str:
        """Return a field's text with escapes resolved, separators left in: for text and formatted text."""
        return self.plain(self.raw(field))


@dataclass(frozen=True, slots=True)
class Message:
    """A message that has a usable header. `text` is the decoded message, in which all offsets count."""

    text: str
    segments: tuple[Segment, ...]
    codec: str

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    @property
    def type(self) -> tuple[str, str]:
        """MSH-9: message code and trigger event, such as ("ORU", "R01")."""
        code, event = self.header.get(9, 1), self.header.get(9, 2)
        if not event and "_" in code:
            code, _, event = code.partition("_")
        return code.upper(), event.upper()

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.get(10)

    @property
    def processing_id(self) -> str:
        """MSH-11: P production, D debugging, T training."""
        return self.header.get(11).upper()

    @property
    def version(self) -> str:
        """MSH-12."""
        return self.header.get(12)

    def all(self, name: str) -> Iterator[Segment]:
        """Yield the segments of this name in order."""
        return (segment for segment in self.segments if segment.name == name)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of this name."""
        return next(self.all(name), None)


def parse_message(raw: bytes) -> Message:
    """Read a message's bytes.

    Segments may end in CR, LF or CRLF. Segments whose name is no name (a line broken inside a field) are
    joined to the one before with a line break, unless that is the header.

    Raises:
        V2Error: no-header, unknown-charset, bad-delimiters, too-many-segments.
    """
    try:
        text, codec = decode(raw)
    except CharsetError:
        raise V2Error("unknown-charset", "MSH-18") from None
    begin = text.find("MSH")
    if begin == -1 or text[:begin].strip():
        raise V2Error("no-header")
    delimiters = _delimiters(text[begin:])
    segments: list[Segment] = []
    for match in _SEGMENT.finditer(text, begin):
        line, name = match[0], match[0][:3]
        starts = _NAME.fullmatch(name) and (len(line) == 3 or line[3] == delimiters[0])
        if starts:
            segments.append(Segment(name, line, match.start(), len(segments) + 1, delimiters, codec))
        elif len(segments) > 1 and line.strip():  # never to the header: its fields are echoed to the sender
            former = segments[-1]
            joined = text[former.start : match.end()].replace("\r\n", "\n").replace("\r", "\n")
            segments[-1] = Segment(former.name, joined, former.start, former.number, delimiters, codec)
        if len(segments) > MOST_SEGMENTS:
            raise V2Error("too-many-segments", "")
    return Message(text, tuple(segments), codec)


def parse_header(raw: bytes) -> Message | None:
    """Return the header alone of a message that cannot be read, so that its sender can be told which one it was.

    It is read as ASCII, whatever it says of its character set; None where that gives no header.
    """
    begin = raw.find(b"MSH")
    line = raw[begin:].replace(b"\n", b"\r").split(b"\r", 1)[0] if begin != -1 else b""
    fields = line.split(line[3:4]) if len(line) > 3 else []
    try:
        return parse_message(line[3:4].join([*fields[:17], b"", *fields[18:]])) if fields else None
    except V2Error:
        return None


def _delimiters(header: str) -> str:
    """Return field, component, repetition, escape and subcomponent separator; MSH-2 may name fewer."""
    if len(header) < 8:
        raise V2Error("no-header")
    field = header[3]
    encoding = header[4:].split(field, 1)[0]
    named = field + (encoding + "^~\\&"[len(encoding) :])[:4]
    unusable = any(one.isalnum() or one.isspace() for one in named)
    if unusable or len(set(named)) < len(named) or not 1 <= len(encoding) <= 5:
        raise V2Error("bad-delimiters", "MSH-2")
    return named
