"""What can be said about a message before it is stored: refuse it for good, ask for it again, or take it.

Only what the header and the patient's identifier say is looked at; everything else is the pipeline's, which
quarantines with reason and position what it cannot read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestion.domain.v2.acknowledge import Verdict
from ingestion.domain.v2.message import V2Error, parse_header, parse_message
from ingestion.domain.v2.to_fhir.mapping import MAPPED

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Message

PRODUCTION: Final = "P"
FEED_PREFIX: Final = "mllp:"
UNREADABLE: Final = FEED_PREFIX + "unreadable"
_LONGEST_FEED: Final = 64
_UNCLEAN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_VERSION: Final = re.compile(r"2(?:\.\d{1,2}){1,2}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict; `message` is None when no header could be read, its header alone where only that could be.

    `reason` and `place` are codes.
    """

    verdict: Verdict
    message: Message | None
    feed: str
    reason: str = ""
    place: str = ""


def judge(raw: bytes, *, production_only: bool) -> Judgement:
    """Return what to do with a message.

    Args:
        raw: the message without its frame.
        production_only: refuse what MSH-11 does not mark as P (a site); else it is kept and held.
    """
    try:
        message = parse_message(raw)
    except V2Error as error:
        return Judgement(Verdict.REJECT, parse_header(raw), UNREADABLE, error.reason, error.place)
    feed = feed_of(message)
    if fault := _fault(message, production_only=production_only):
        verdict, reason, place = fault
        return Judgement(verdict, message, feed, reason, place)
    return Judgement(Verdict.ACCEPT, message, feed)


def _fault(message: Message, *, production_only: bool) -> tuple[Verdict, str, str] | None:
    kind, _event = message.type
    if not kind:
        return Verdict.REJECT, "missing-field", "MSH-9"
    if not message.control_id:
        return Verdict.REJECT, "missing-field", "MSH-10"
    if not _VERSION.fullmatch(message.version):
        return Verdict.REJECT, "unsupported-version", "MSH-12"
    if production_only and message.processing_id != PRODUCTION:
        return Verdict.REJECT, "unsupported-processing", "MSH-11"
    if kind in MAPPED:
        pid = message.first("PID")
        if pid is None:
            return Verdict.ERROR, "missing-segment", "PID"
        if not any(pid.part(one) for one in pid.repetitions(3)):
            return Verdict.ERROR, "missing-field", "PID-3"
    return None


def feed_of(message: Message) -> str:
    """Return the feed's name: the sending facility (MSH-4), else the application (MSH-3), as letters and digits."""
    header = message.header
    named = (header.get(4) or header.get(4, 2) or header.get(3) or header.get(3, 2)).strip()
    return (FEED_PREFIX + (_UNCLEAN.sub("-", named).strip("-") or "unnamed"))[:_LONGEST_FEED]
