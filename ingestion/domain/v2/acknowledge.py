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
    enhanced = _is_enhanced(message)
    code = ("C" if enhanced else "A") + verdict.value
    if enhanced and verdict not in _WANTED.get(condition or "NE", frozenset(Verdict)):
        return Acknowledgement(None, code)
    fault = None if verdict is Verdict.ACCEPT else _Fault(reason, place)
    return Acknowledgement(_reply(message, code, now=now, control_id=control_id, fault=fault), code)


def application_wanted(message: Message | None) -> bool:
    """Return whether the sender asks to be told what became of the message (MSH-16 of enhanced mode)."""
    return message is not None and message.header.get(16).upper() in _WANTED and message.header.get(16).upper() != "NE"


def application_acknowledge(
    message: Message, verdict: Verdict, *, now: datetime, control_id: str, reason: str = ""
) -> Acknowledgement:
    """Return the application acknowledgement of enhanced mode: what became of a message that was accepted before.

    Args:
        message: what was accepted.
        verdict: ACCEPT or ERROR.
        now: timezone-aware; MSH-7.
        control_id: MSH-10.
        reason: of an error, a code; with ACCEPT a warning, such as that the message waits for a person.
    """
    code = "A" + verdict.value
    if verdict not in _WANTED.get(message.header.get(16).upper(), frozenset()):
        return Acknowledgement(None, code)
    severity = "W" if verdict is Verdict.ACCEPT else "E"
    fault = _Fault(reason, "", severity) if reason else None
    text = _reply(message, code, now=now, control_id=control_id, fault=fault, wants_none=True)
    return Acknowledgement(text, code)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What ERR says: why, where ("PID-3"), and how grave (table 0516)."""

    reason: str
    place: str
    severity: str = "E"


def _is_enhanced(message: Message | None) -> bool:
    return bool(message and (message.header.get(15) or message.header.get(16)))


def _reply(
    message: Message | None,
    code: str,
    *,
    now: datetime,
    control_id: str,
    fault: _Fault | None,
    wants_none: bool = False,
) -> str:
    header = message.header if message else None
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
    charset = raw(18)
    if charset or wants_none:  # MSH-15 and MSH-16 of a reply: nobody is to acknowledge an acknowledgement
        msh += ["", "", *(("NE", "NE") if wants_none else ("", "")), "", charset]  # MSH-13 to MSH-18
    lines = [field.join(msh).rstrip(field), field.join(["MSA", code, raw(10)])]
    if fault is not None:
        number, words = _CONDITIONS.get(fault.reason, _GENERAL)
        segment, _, position = fault.place.partition("-")
        location = component.join(part for part in (segment, "1" if position else "", position) if part)
        coded = component.join((number, words, "HL70357"))
        told = component.join((fault.reason, "", "L"))
        lines.append(field.join(["ERR", "", location, coded, fault.severity, told]))
    return "\r".join(lines) + "\r"
