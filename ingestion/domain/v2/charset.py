"""MSH-18: which bytes mean which characters.

Source: HL7 v2 table 0211 (alternate character sets); names as Python knows them.
"""

from __future__ import annotations

from typing import Final

# Code of table 0211, upper case -> codec.
CODECS: Final = {
    "": "utf-8",
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
    "UTF-8": "utf-8",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_2",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR6": "ascii",
    "ISO IR14": "iso2022_jp",  # JIS X 0201, romaji
    "ISO IR13": "iso2022_jp_3",  # JIS X 0201, katakana
}
# "CNS 11643-1992" of the table has no codec here: such a message is refused with its reason.
# Not in the table, but sent.
_SEEN: Final = {"ISO-8859-1": "iso8859-1", "ISO8859-1": "iso8859-1", "WINDOWS-1252": "cp1252", "CP1252": "cp1252"}
_LAST_RESORT: Final = "cp1252"
_BOM: Final = "\ufeff"


class CharsetError(ValueError):
    """MSH-18 names a character set that is not known, or the bytes are not in it."""


def decode(raw: bytes) -> tuple[str, str]:
    """Return the message's text and the codec it was read with.

    Without MSH-18 it is read as UTF-8 and, failing that, as Windows-1252, which senders that say nothing
    mostly mean. A message that says ASCII and is not is read the same way. Where MSH-18 repeats, ISO 2022 switches
    between its sets, and the codec of that one reads all.

    Raises:
        CharsetError: named set unknown, or bytes not in it.
    """
    sets = _named(raw) or [""]
    named = sets[0].upper()
    codecs = [_codec_of(one) for one in sets if one] or [CODECS[""]]
    codec = next((one for one in codecs if one.startswith("iso2022")), codecs[0])
    candidates = (codec, "utf-8", _LAST_RESORT) if codec in ("ascii", "utf-8") and named in _VAGUE else (codec,)
    for candidate in candidates:
        try:
            return raw.decode(candidate).removeprefix(_BOM), candidate
        except UnicodeDecodeError:
            continue
    raise CharsetError(named[:20])


def _codec_of(named: str) -> str:
    codec = CODECS.get(named.upper()) or _SEEN.get(named.upper())
    if codec is None:
        raise CharsetError(named[:20])
    return codec


_VAGUE: Final = frozenset({"", "ASCII"})


def _named(raw: bytes) -> list[str]:
    """Return the repetitions of MSH-18, read as bytes: they must be known before the text is.

    The first is what a message begins in, "" for the default; escape sequences of ISO 2022 switch to the others.
    """
    start = raw.find(b"MSH")
    header = raw[start:].replace(b"\n", b"\r").split(b"\r", 1)[0]
    if start == -1 or len(header) < 8:
        return []
    fields = header.split(header[3:4])
    value = fields[17] if len(fields) > 17 else b""
    return [one.decode("ascii", "replace").strip() for one in value.split(header[5:6])]
