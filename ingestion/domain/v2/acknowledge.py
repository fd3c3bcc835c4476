"""Acknowledgements, in original and in enhanced mode.

Source: HL7 v2.8.2 chapter 2, section 2.9 (message processing rules) and 2.13.1 (ACK); tables 0008 and 0155.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.domain.v2.message import Message


class Verdict(StrEnum):
    """What became of a message: accepted, to be sent again later, or never to be sent again."""

    ACCEPT = "A"
    ERROR = "E"
    REJECT = "R"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What to send back. `message` is the ER7 text; None when the sender wants none (MSH-15)."""

    message: str | None
    code: str


# Table 0155, accept acknowledgement conditions: always, never, on error or reject, on success.
_WANTED: Final = {
    "AL": frozenset(Verdict),
    "NE": frozenset(),
    "ER": frozenset({Verdict.ERROR, Verdict.REJECT}),
    "SU": frozenset({Verdict.ACCEPT}),
}
# HL7 table 0357 (message error condition codes) for our reasons.
_CONDITIONS: Final = {
    "unsupported-version": ("203", "Unsupported version id"),
    "unsupported-message": ("200", "Unsupported message type"),
    "unsupported-processing": ("202", "Unsupported processing id"),
    "missing-field": ("101", "Required field missing"),
    "bad-value": ("102", "Data type error"),
}
_GENERAL: Final = ("207", "Application internal error")


def acknowledge(
    message: Message | None, verdict: Verdict, *, now: datetime, control_id: str, reason: str = "", place: str = ""
) -> Acknowledgement:
    """Return the acknowledgement of a message.

    Enhanced mode (MSH-15 or MSH-16 valued) answers with CA, CE or CR where MSH-15 asks for it: that the
    bytes are safely stored. Original mode answers AA, AE or AR.

    Args:
        message: None when not even its header could be read.
        verdict: what became of it.
        now: timezone-aware; MSH-7 of the reply.
        control_id: MSH-10 of the reply.
        reason: why it was not accepted, a code.
        place: the segment or field at fault ("PID-3"), never its value.
    """
    header = message.header if message else None
    condition = header.get(15).upper() if header else ""
    enhanced = bool(header and (condition or header.get(16)))
    code = ("C" if enhanced else "A") + verdict.value
    if enhanced and verdict not in _WANTED.get(condition or "NE", frozenset(Verdict)):
        return Acknowledgement(None, code)
    separator = header.delimiters if header else "|^~\\&"
    field, component = separator[0], separator[1]

    def raw(number: int) -> str:
        return header.raw(number) if header else ""

    moment = now.strftime("%Y%m%d%H%M%S%z")
    event = header.get(9, 2) if header else ""
    kind = component.join(part for part in ("ACK", event, "ACK") if part)
    msh = [
        "MSH", separator[1:], raw(5), raw(6), raw(3), raw(4), moment, "", kind, control_id,
        raw(11) or "P", raw(12) or "2.5.1",
    ]  # fmt: skip
    if header and header.raw(18):
        msh += ["", "", "", "", "", raw(18)]
    lines = [field.join(msh), field.join(["MSA", code, raw(10)])]
    if verdict is not Verdict.ACCEPT:
        number, words = _CONDITIONS.get(reason, _GENERAL)
        segment, _, position = place.partition("-")
        location = component.join(part for part in (segment, "1" if position else "", position) if part)
        coded = component.join((number, words, "HL70357"))
        lines.append(field.join(["ERR", "", location, coded, "E", component.join((reason, "", "L"))]))
    return Acknowledgement("\r".join(lines) + "\r", code)
