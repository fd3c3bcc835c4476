"""The words of an RTF document, one paragraph or table row a line.

Source: Microsoft, Rich Text Format (RTF) Specification, version 1.9.1; the words known here stand in
`rtf_words.json`. Text that is hidden, or marked as deleted by the revision marks, is no part of the document.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.html_words import raised
from ingestion.domain.documents.extracted import MOST_CHARACTERS, Extracted, ExtractionError, PageText
from ingestion.domain.documents.lines import tidy

if TYPE_CHECKING:
    from collections.abc import Callable

METHOD: Final = "rtf 1"
MOST_DEPTH: Final = 500
_TOKEN: Final = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?"
    rb"|\\'(?P<byte>[0-9A-Fa-f]{2})|\\(?P<symbol>[^A-Za-z'])|(?P<open>\{)|(?P<close>\})|(?P<text>[^\\{}\r\n]+)",
    re.DOTALL,
)
_SYMBOLS: Final = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\r": "\n", b"\n": "\n", b"\t": "\t"}
_OFF: Final = 0


@lru_cache(maxsize=1)
def words_known() -> dict[str, Any]:
    """Return the table of control words."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("rtf_words.json").read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class _State:
    """What holds inside a group. `after_u` is how many characters stand in for one that is named by its code."""

    skipped: bool = False
    hidden: bool = False
    raised: bool = False
    fonts: bool = False  # inside the font table, where \f defines a font rather than choosing one
    font: int = -1
    after_u: int = 1


@dataclass(slots=True)
class _Reader:
    codec: str = "cp1252"
    state: _State = field(default_factory=_State)
    stack: list[tuple[_State, bool]] = field(default_factory=list)
    fonts: dict[int, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    length: int = 0
    pending: bytearray = field(default_factory=bytearray)
    pending_codec: str = ""
    to_skip: int = 0
    high: int = 0
    fresh: bool = False  # directly after "{": the next word may name a destination
    ignorable: bool = False  # after "\*"
    apart: bool = False

    def put(self, text: str) -> None:
        """Add text, unless it is skipped or stands in for a character already read."""
        self.flush()
        if self.to_skip and text:
            cut = min(self.to_skip, len(text))
            self.to_skip, text = self.to_skip - cut, text[cut:]
        if self.state.skipped or self.state.hidden or not text:
            return
        self.parts.append(raised(text, self.parts[-1] if self.parts else "") if self.state.raised else text)
        self.length += len(text)
        if self.length > MOST_CHARACTERS:
            raise ExtractionError("too-much-text")

    def put_bytes(self, raw: bytes) -> None:
        """Collect bytes of the font's character set; a character may need two of them."""
        if self.to_skip:
            cut = min(self.to_skip, len(raw))
            self.to_skip, raw = self.to_skip - cut, raw[cut:]
        codec = self.fonts.get(self.state.font, self.codec)
        if codec != self.pending_codec:
            self.flush()
        self.pending_codec = codec
        self.pending += raw

    def flush(self) -> None:
        """Decode what was collected."""
        if not self.pending:
            return
        raw, self.pending = bytes(self.pending), bytearray()
        if self.pending_codec == "symbol":
            table = words_known()["symbol"]
            self.put("".join(table.get(one, one) for one in raw.decode("latin-1")))
        else:
            self.put(raw.decode(self.pending_codec, "replace"))

    def open(self) -> None:
        """Begin a group."""
        self.flush()
        if len(self.stack) >= MOST_DEPTH:
            raise ExtractionError("nested-too-deep")
        self.stack.append((self.state, self.apart))
        self.apart, self.fresh, self.ignorable, self.to_skip = False, True, False, 0

    def close(self) -> None:
        """End a group; a surplus brace ends nothing."""
        self.flush()
        if self.apart:
            self.put("\n")
        self.to_skip = 0
        if self.stack:
            self.state, self.apart = self.stack.pop()

    def word(self, name: str, number: int | None) -> None:
        """Obey a control word."""
        known = words_known()
        ignorable, fresh = self.ignorable, self.fresh
        self.ignorable = self.fresh = False
        if self.to_skip:
            self.to_skip -= 1
            return
        if name in known["skipped"] or (ignorable and name not in known["kept_though_ignorable"]):
            self.flush()
            self.state = replace(self.state, skipped=True, fonts=name == "fonttbl")
        elif name in known["apart"] and (fresh or ignorable):
            self.put("\n")
            self.apart = True
        elif name in known["breaks"]:
            self.put(known["breaks"][name])
        elif name in known["characters"]:
            self.put(known["characters"][name])
        elif name in _ACTIONS:
            self.flush()
            _ACTIONS[name](self, number)

    def unicode(self, number: int | None) -> None:
        """Add the character with this code (negative above 32,767); halves of a pair come one after the other."""
        code = (number or 0) % 0x10000
        if 0xD800 <= code < 0xDC00:
            self.high = code
        elif 0xDC00 <= code < 0xE000:
            if self.high:
                self.put(chr(0x10000 + ((self.high - 0xD800) << 10) + code - 0xDC00))
            self.high = 0
        elif code >= 0x20:
            self.put(chr(code))
        self.to_skip = self.state.after_u

    def choose_font(self, number: int | None) -> None:
        """Take up a font, whose character set then holds."""
        self.state = replace(self.state, font=number if number is not None else -1)

    def charset(self, number: int | None) -> None:
        """Note the character set of the font that is being defined."""
        if self.state.fonts and (codec := words_known()["charsets"].get(str(number))) and number not in (0, 1):
            self.fonts[self.state.font] = codec

    def codepage(self, number: int | None) -> None:
        """Note the document's own code page."""
        self.codec = words_known()["codepages"].get(str(number), self.codec)


def _turn(**on: bool) -> Callable[[_Reader, int | None], None]:
    def act(reader: _Reader, number: int | None) -> None:
        reader.state = replace(reader.state, **{key: value and number != _OFF for key, value in on.items()})

    return act


def _after_u(reader: _Reader, number: int | None) -> None:
    reader.state = replace(reader.state, after_u=max(0, min(number if number is not None else 1, 16)))


_ACTIONS: Final[dict[str, Callable[[_Reader, int | None], None]]] = {
    "u": _Reader.unicode,
    "uc": _after_u,
    "f": _Reader.choose_font,
    "fcharset": _Reader.charset,
    "ansicpg": _Reader.codepage,
    "mac": lambda reader, _: reader.codepage(10000),
    "pc": lambda reader, _: reader.codepage(437),
    "pca": lambda reader, _: reader.codepage(850),
    "v": _turn(hidden=True),
    "deleted": _turn(hidden=True),
    "super": _turn(raised=True),
    "nosupersub": _turn(raised=False),
    "plain": _turn(hidden=False, raised=False),
}


def read_rtf(raw: bytes) -> Extracted:
    """Return the words of an RTF document; it has no pages before it is printed.

    Raises:
        ExtractionError: not-rtf, nested-too-deep, too-much-text.
    """
    if not raw.lstrip()[:5].lower().startswith(b"{\\rtf"):
        raise ExtractionError("not-rtf")
    reader = _Reader()
    place = 0
    while match := _TOKEN.search(raw, place):
        place = _obey(reader, match, raw)
    reader.flush()
    return Extracted(METHOD, (PageText(tidy("".join(reader.parts))),), paged=False)


def _obey(reader: _Reader, match: re.Match[bytes], raw: bytes) -> int:
    """Obey one token and return where the next begins."""
    kind = match.lastgroup
    if kind == "open":
        reader.open()
        return match.end()
    if kind == "close":
        reader.close()
    elif kind in ("word", "number"):
        number = int(match["number"]) if match["number"] else None
        if match["word"] == b"bin":
            return min(len(raw), match.end() + max(0, number or 0))
        reader.word(match["word"].decode("ascii"), number)
    elif kind == "symbol" and match["symbol"] == b"*":
        reader.ignorable = True
    elif kind == "symbol":
        reader.put(_SYMBOLS.get(match["symbol"], ""))
    elif kind == "byte":
        reader.put_bytes(bytes.fromhex(match["byte"].decode("ascii")))
    elif kind == "text":
        reader.put_bytes(match["text"])
    reader.fresh = False if kind != "word" else reader.fresh
    return match.end()
