"""What an HL7 v2 message means beyond its resources: persons who are one, or two after all; no production message.

Source: HL7 v2.8.2 chapter 2, MSH-11 (table 0103); chapter 3, A18, A30, A34, A39, A40 (merge) and A47 (change of
an identifier), with the former identifiers in MRG-1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestion.domain.items import MergeItem, RejectedItem
from ingestion.domain.v2.to_fhir.mapping import MERGES
from ingestion.domain.v2.to_fhir.patient import (
    merged_identifiers,
    patient_id_of,
    patient_identifiers,
    sender_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ingestion.domain.v2.message import Message

NOT_PRODUCTION: Final = "not-production"
UNLINK: Final = "A37"


def hold_of(message: Message) -> str:
    """Return why everything in the message has to wait for a person; "" when nothing does."""
    return "" if message.processing_id == "P" else NOT_PRODUCTION


def merges_of(message: Message, *, server: str, place: str) -> Iterator[MergeItem | RejectedItem]:
    """Yield a merge for each PID and MRG pair of a merge message, the undoing of one for the PIDs of an A37."""
    if message.type[0] == "ADT" and message.type[1] == UNLINK:
        yield from _parted(message, server=server, place=place)
    if message.type[0] != "ADT" or message.type[1] not in MERGES:
        return
    found = merged_identifiers(message)
    for number, (surviving, merged) in enumerate(found, start=1):
        position = f"{place} MRG({number})".strip()
        yield MergeItem(position, server, _pairs(surviving), _pairs(merged), hold_of(message))
    if not found:
        yield RejectedItem(f"{place} MRG".strip(), "missing-field", "MRG-1")


def _parted(message: Message, *, server: str, place: str) -> Iterator[MergeItem | RejectedItem]:
    people = [found for pid in message.all("PID") if (found := patient_identifiers(pid, sender_of(message)))]
    if len(people) != 2:
        yield RejectedItem(f"{place} PID".strip(), "missing-field", "PID-3")
        return
    first, second = (_pairs(one) for one in people)
    yield MergeItem(f"{place} PID(2)".strip(), server, first, second, hold_of(message), undo=True)


def _pairs(identifiers: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one["system"], one["value"]) if one.get("system") else ("", patient_id_of([one])) for one in identifiers
    )
