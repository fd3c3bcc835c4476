"""Valid HL7 v2 messages of every kind that is mapped, and the grammar of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.alter import CANARY

_PID: Final = (
    f"PID|1||1001^^^WARD^MR~77^^^WEST&1.2.3&ISO^PI||{CANARY}^ANNA^M||19610402|F|||1 Road^^Town^^1000^GB||555|||M"
)
_SEEDS: Final = Path(__file__).parent.parent / "seeds" / "v2_messages.json"
BODIES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = tuple(
    (kind, tuple(lines)) for kind, lines in json.loads(_SEEDS.read_text())
)
TOKENS: Final = tuple(
    one.encode()
    for one in (
        *"|^~&\\\rF",
        *(
            "PID",
            "OBX",
            "OBR",
            "ORC",
            "PV1",
            "EVN",
            "RX",
            "1001",
            "4.10",
            "NM",
            "2026",
            "MR",
            "||",
            "\\T\\",
            "mmol/L",
            "LN",
        ),
    )
)
_HEADER: Final = (
    r"MSH|^~\&|APP|WEST|BOX|SITE|20260301120000+0000||{kind}|{control}|{mode}|{version}"
    "|||{accept}|{application}||{charset}"
)


def message(kind: str, lines: tuple[str, ...], *, end: str = "\r", **header: str) -> bytes:
    """Return a message; `header` may name control, mode, version, accept, application and charset."""
    told = {"control": "C1", "mode": "P", "version": "2.5.1", "accept": "", "application": "", "charset": ""} | header
    return (end.join([_HEADER.format(kind=kind, **told), *lines]) + end).encode(errors="replace")


def header_end(raw: bytes) -> int:
    """Return where the header ends: what is put there by chance would be the name of a feed, which is logged."""
    return max(raw.find(b"\r"), 0)


_TEXT: Final = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x1c"), max_size=20)
_ATOMS: Final = (
    *(
        "",
        "1",
        "4.1",
        "-1",
        "1e9",
        "20260301",
        "202603011200",
        "99999999",
        '""',
        "F",
        "C",
        "X",
        "W",
        "NM",
        "ED",
        "2823-3",
    ),
    *("LN", "UCUM", "mg", "\\F\\", "\\X41\\", "\\Xzz\\", "\\Cxxyy\\", "\\.sp9\\", "^TEXT^^Base64^QQ==", CANARY),
)
_ATOM: Final = st.one_of(st.sampled_from(_ATOMS), _TEXT)
_FIELD: Final = st.one_of(
    _ATOM, st.lists(_ATOM, min_size=2, max_size=9).map("^".join), st.lists(_ATOM, min_size=2, max_size=4).map("~".join)
)
_NAMES: Final = (
    *("EVN", "PID", "PD1", "NK1", "PV1", "PV2", "MRG", "AL1", "DG1", "ORC", "OBR", "OBX", "NTE", "SPM", "TXA", "RXE"),
    *("RXR", "RXD", "RXA", "RXO", "SCH", "AIS", "ZZZ", "", "MSH"),
)
_SEGMENT: Final = st.builds(
    lambda name, fields: "|".join([name, *fields]), st.sampled_from(_NAMES), st.lists(_FIELD, max_size=14)
)


def grammar() -> st.SearchStrategy[bytes]:
    """Return messages with a right header, mostly a right patient, and any segments in any order."""
    kinds = st.sampled_from([kind for kind, _ in BODIES])
    lines = st.lists(_SEGMENT, max_size=8)
    return st.builds(
        lambda kind, with_patient, rest, **header: message(
            kind, ((_PID,) if with_patient else ()) + tuple(rest), **header
        ),
        kinds,
        st.sampled_from((True, True, True, False)),
        lines,
        mode=st.sampled_from(("P", "P", "P", "T", "D", "")),
        version=st.sampled_from(("2.5.1", "2.3", "2.8.2", "2.9", "3.0", "")),
        accept=st.sampled_from(("", "", "", "AL", "NE", "ER", "SU")),
        application=st.sampled_from(("", "", "AL", "NE")),
        charset=st.sampled_from(("", "UNICODE UTF-8", "8859/1", "ASCII", "KLINGON", "UNICODE UTF-16")),
        end=st.sampled_from(("\r", "\r", "\n", "\r\n")),
    )
