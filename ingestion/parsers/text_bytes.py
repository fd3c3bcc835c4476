"""Finds the text in the bytes of a text file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestion.parsers.port import UTF8_BOM

_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_FOREIGN = re.compile(
    rb"\s*(?:<[A-Za-z?!/]|\{\\rtf|%PDF-|PK\x03\x04|MSH\||FHS\||BHS\||[\w\"-]+(?:[,;\t][\w\"-]+){2,}"
    rb"[ \t]*\r?\n)"
)
_LOOKED_AT = 4096
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BOMS = {UTF8_BOM: "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_MOSTLY_TEXT = 0.98


class UnreadableTextError(ValueError):
    """The bytes are no text. `reason` is not-utf8 or nul-character; `offset` counts bytes."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A file's text, exact to the line ends, without a byte order mark."""

    text: str
    was_cp1252: bool = False


def looks_like_prose(head: bytes) -> bool:
    """Return whether a file's head is text that no other format claims (XML, RTF, HL7 v2, tables, binary)."""
    head = head[:_LOOKED_AT]
    if not head or _FOREIGN.match(head.removeprefix(UTF8_BOM)):
        return False
    return 1 - (len(head) - len(head.translate(None, _CONTROL))) / len(head) >= _MOSTLY_TEXT


def decode_text(content: bytes) -> DecodedText:
    """Decode UTF-8, or Windows-1252 where nothing in the file looks like UTF-8.

    A file that is UTF-8 but for a damaged place is refused rather than read as nonsense.

    Raises:
        UnreadableTextError: a NUL byte, or neither encoding fits.
    """
    content = content.removeprefix(UTF8_BOM)
    nul = content.find(b"\0")
    if nul >= 0:
        raise UnreadableTextError("nul-character", nul)
    try:
        return DecodedText(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        offset = error.start
    if not _UTF8_LETTER.search(content):
        try:
            return DecodedText(content.decode("cp1252"), was_cp1252=True)
        except UnicodeDecodeError as error:
            offset = error.start
    raise UnreadableTextError("not-utf8", offset)


def decode_markup(content: bytes) -> str:
    """Decode HTML by its byte order mark, else the character set it names, else as UTF-8 or Windows-1252.

    What does not fit becomes U+FFFD: markup is full of text of others, and one bad byte loses none of the rest.
    """
    for mark, codec in _BOMS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    named = _CHARSET.search(content[:_LOOKED_AT])
    for codec in filter(None, (named and named[1].decode("ascii"), "utf-8", "cp1252")):
        try:
            return content.decode(codec)
        except (LookupError, UnicodeError):
            continue
    return content.decode("utf-8", "replace")
