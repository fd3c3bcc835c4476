"""v2 data types as FHIR R4 data types. Each function returns an empty value where the field holds nothing.

Source: HL7 Version 2 to FHIR guide, data type maps (CX, XPN, XAD, XTN, CWE, XCN, EI, PL, SN, DR).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from ingestion.domain.mapped import clean, coding
from ingestion.domain.v2.times import date_time
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, authority_of, look_up, system_of

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment

Json = dict[str, Any]
Convert = Callable[["Segment", str], Json]
UTC: Final = ZoneInfo("UTC")


def identifier(segment: Segment, repetition: str) -> Json:
    """Return a CX (or EI: its components 2 to 4 are an authority's) as Identifier."""
    part = segment.part
    value = part(repetition, 1)
    if not value:
        return {}
    system = authority_of(part(repetition, 4), part(repetition, 4, 2), part(repetition, 4, 3))
    kind = part(repetition, 5)
    return clean(
        {
            "type": {"coding": [coding(V2_TABLE + "0203", kind)]} if kind else {},
            "system": system,
            "value": value,
        }
    )


def entity(segment: Segment, repetition: str) -> Json:
    """Return an EI (placer and filler numbers, unique document numbers) as Identifier."""
    part = segment.part
    value = part(repetition, 1)
    return clean({"system": authority_of(*(part(repetition, n) for n in (2, 3, 4))), "value": value}) if value else {}


def human_name(segment: Segment, repetition: str) -> Json:
    """Return an XPN as HumanName."""
    part = segment.part
    given = [name for name in (part(repetition, 2), *part(repetition, 3).split()) if name]
    return clean(
        {
            "use": look_up("name_use", part(repetition, 7).upper()),
            "family": part(repetition, 1),
            "given": given,
            "prefix": [part(repetition, 5)] if part(repetition, 5) else [],
            "suffix": [one for one in (part(repetition, 4), part(repetition, 6)) if one],
        }
    )


def address(segment: Segment, repetition: str) -> Json:
    """Return an XAD as Address."""
    part = segment.part
    street = " ".join(one for one in (part(repetition, 1), part(repetition, 1, 2), part(repetition, 1, 3)) if one)
    return clean(
        {
            "use": look_up("address_use", part(repetition, 7).upper()),
            "line": [one for one in (street, part(repetition, 2), part(repetition, 19)) if one],
            "city": part(repetition, 3),
            "district": part(repetition, 9),
            "state": part(repetition, 4),
            "postalCode": part(repetition, 5),
            "country": part(repetition, 6),
        }
    )


def telecom(segment: Segment, repetition: str) -> Json:
    """Return an XTN as ContactPoint."""
    part = segment.part
    kind, use = part(repetition, 3), part(repetition, 2)
    digits = "-".join(one for one in (part(repetition, 5), part(repetition, 6), part(repetition, 7)) if one)
    email = part(repetition, 4) if kind in ("Internet", "X.400") or use == "NET" else ""
    value = email or part(repetition, 12) or digits or part(repetition, 1)
    if not value:
        return {}
    system = look_up("telecom_system", kind) or ("email" if email or "@" in value else "phone")
    return clean(
        {
            "system": system if "@" not in value else "email",
            "value": value,
            "use": "mobile" if kind == "CP" else look_up("telecom_use", use.upper()),
        }
    )


def concept(segment: Segment, repetition: str) -> Json:
    """Return a CWE (CE) as CodeableConcept: both codings, and the original text (CWE.9) where there is one."""
    part = segment.part
    codings = [
        coding(system_of(part(repetition, at + 2)), part(repetition, at), part(repetition, at + 1))
        for at in (1, 4, 10)
        if part(repetition, at)
    ]
    text = part(repetition, 9) or part(repetition, 2) or part(repetition, 5)
    if not codings and not text:
        return {}
    return clean({"coding": codings, "text": text})


def person(segment: Segment, repetition: str) -> Json:
    """Return an XCN as a Reference that carries the person's identifier and name."""
    part = segment.part
    words = (part(repetition, 6), part(repetition, 3), part(repetition, 4), part(repetition, 2), part(repetition, 5))
    display = " ".join(one for one in words if one)
    system = authority_of(part(repetition, 9), part(repetition, 9, 2), part(repetition, 9, 3))
    number = part(repetition, 1)
    if not number and not display:
        return {}
    return clean({"identifier": clean({"system": system, "value": number}) if number else {}, "display": display})


def place(segment: Segment, repetition: str) -> str:
    """Return a PL as words, from the facility down to the bed."""
    part = segment.part
    parts = (part(repetition, n) for n in (4, 7, 8, 1, 2, 3, 9))
    return ", ".join(dict.fromkeys(one for one in parts if one))


def organisation(segment: Segment, repetition: str) -> Json:
    """Return an XON as a Reference with a name."""
    name = segment.part(repetition, 1)
    return {"display": name} if name else {}


def moment(segment: Segment, field: int, zone: ZoneInfo, component: int = 1) -> str:
    """Return a date and time of a field as FHIR dateTime."""
    return date_time(segment.get(field, component), zone)


def instant(segment: Segment, field: int, zone: ZoneInfo) -> str:
    """Return a field's time as FHIR instant: "" unless it is precise to the second."""
    found = moment(segment, field, zone)
    return found if "T" in found else ""


def all_of(segment: Segment, field: int, convert: Convert) -> list[Json]:
    """Return all repetitions of a field through one of the functions above, without empty ones."""
    return [found for one in segment.repetitions(field) if (found := convert(segment, one))]


def first_of(segment: Segment, field: int, convert: Convert) -> Json:
    """Return the first repetition of a field that holds anything."""
    return next(iter(all_of(segment, field, convert)), {})
