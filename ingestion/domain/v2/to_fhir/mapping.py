"""One message to its resources: which segments stand together, and which map reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingestion.domain.mapped import Mapped
from ingestion.domain.v2.message import Message, Segment, V2Error
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir import encounter, patient, statements
from ingestion.domain.v2.to_fhir.context import Mapping
from ingestion.domain.v2.to_fhir.coverage import map_coverage
from ingestion.domain.v2.to_fhir.documents import map_attached, map_document
from ingestion.domain.v2.to_fhir.grouping import group
from ingestion.domain.v2.to_fhir.medication import map_pharmacy
from ingestion.domain.v2.to_fhir.results import map_order, map_result
from ingestion.domain.v2.to_fhir.scheduling import map_appointment

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

MAPPED: Final = frozenset(
    {"ADT", "ORU", "OUL", "MDM", "OML", "ORM", "OMG", "RDE", "RDS", "RDO", "RAS", "OMP", "VXU", "SIU", "BAR"}
)
REPORTS: Final = frozenset({"ORU", "OUL"})
LINKS: Final = frozenset({"A24", "A37"})
"""Two persons are linked, or no longer: each PID after the first is another person's."""
MERGES: Final = frozenset({"A18", "A30", "A34", "A39", "A40", "A47", "A49"})


class NotMapped(Exception):  # noqa: N818 - an outcome: the message is kept and reported, nothing is wrong with it
    """The message type is kept and acknowledged, and not mapped."""


def map_message(message: Message, *, zone: ZoneInfo) -> list[Mapped]:
    """Map a message to FHIR R4 resources, the Patient first.

    Args:
        message: parsed.
        zone: the sender's time zone, for times without one.

    Raises:
        NotMapped: a type that this product keeps without mapping.
        V2Error: a required field is missing (PID, PID-3, TXA-12); `several-patients`: a further PID names another
            person, so that what stands under it is not the first one's.
    """
    kind, event = message.type
    if kind not in MAPPED:
        raise NotMapped(kind)
    sent = date_time(message.header.get(7), zone)
    mapping = Mapping(message, zone, sent if "T" in sent else "")
    pid = message.first("PID")
    if pid is None:
        raise V2Error("missing-segment", "PID")
    _of_one_person(message)
    patient.map_patient(mapping, pid, message.first("PD1"))
    pv1 = message.first("PV1")
    if pv1 is not None:
        encounter.map_encounter(mapping, pv1, message.first("PV2"), pid)
    if event in MERGES or event in LINKS:
        return _collected(mapping)
    if kind == "MDM":
        _document(mapping)
    elif kind == "SIU":
        sch = message.first("SCH")
        if sch is not None:
            map_appointment(mapping, sch, message.segments)
        _orders(mapping, reported=False)
    else:
        _orders(mapping, reported=kind in REPORTS)
        _described(mapping)
    for name, add in _SINGLES.items():
        for segment in message.all(name):
            add(mapping, segment)
    return _collected(mapping)


def _of_one_person(message: Message) -> None:
    """Compare the PIDs of a message whose structure lets the patient's group repeat.

    Raises:
        V2Error: several-patients.
    """
    first, *further = message.all("PID")
    numbers = _numbers(first)
    if message.type[1] in MERGES | LINKS:
        return
    if any(_numbers(one).isdisjoint(numbers) for one in further):
        raise V2Error("several-patients", "PID")


def _numbers(pid: Segment) -> frozenset[tuple[str, str]]:
    """Return the identifiers of a PID, each with its authority's name."""
    return frozenset((pid.part(one), pid.part(one, 4)) for one in pid.repetitions(3))


_SINGLES: Final[dict[str, Callable[[Mapping, Segment], None]]] = {
    "NK1": patient.map_related,
    "IN1": map_coverage,
    "AL1": statements.map_allergy,
    "IAM": statements.map_adverse_reaction,
    "DG1": statements.map_diagnosis,
    "PR1": statements.map_procedure,
}


def _collected(mapping: Mapping) -> list[Mapped]:
    return [Mapped(resource, mapping.places[key]) for key, resource in mapping.resources.items()]


def _document(mapping: Mapping) -> None:
    """Map an MDM message: its orders, and the TXA with every OBX after it as the body."""
    segments = mapping.message.segments
    txa = mapping.message.first("TXA")
    if txa is None:
        raise V2Error("missing-segment", "TXA")
    body = [segment for segment in segments if segment.name == "OBX" and segment.number > txa.number]
    map_document(mapping, txa, body)
    _orders(mapping, reported=False, before=txa.number)


def _described(mapping: Mapping) -> None:
    """Map a TXA that stands in a message of results: the document of which its attachments are the body."""
    txa = mapping.message.first("TXA")
    if txa is not None and txa.get(12):
        map_document(mapping, txa, [one for one in mapping.message.all("OBX") if one.get(2).upper() in ("ED", "RP")])


def _orders(mapping: Mapping, *, reported: bool, before: int = 1 << 30) -> None:
    """Map the order groups, and results that stand outside of any."""
    groups = group((segment for segment in mapping.message.segments if segment.number < before), *mapping.message.type)
    for result in groups.loose.results:
        map_result(mapping, groups.loose, result)
    map_attached(mapping, groups.loose)
    for pharmacy in groups.pharmacy:
        map_pharmacy(mapping, pharmacy)
    for order in groups.orders:
        if order.obr is not None or not groups.is_pharmacy(order):
            map_order(mapping, order, reported=reported)
        else:
            for result in order.results:
                map_result(mapping, order, result)
            map_attached(mapping, order)
