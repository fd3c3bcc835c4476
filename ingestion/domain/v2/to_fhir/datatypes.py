"""v2 data types as FHIR R4 data types. Each function returns an empty value where the field holds nothing.

Source: HL7 Version 2 to FHIR guide, data type maps (CX, XPN, XAD, XTN, CWE, XCN, NDL, EI,
EIP, PL, XON).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from ingestion.domain.mapped import clean, coding
from ingestion.domain.v2.times import date_time, day_of
from ingestion.domain.v2.to_fhir.tables import V2_TABLE, authority_of, look_up, system_of

if TYPE_CHECKING:
    from ingestion.domain.v2.message import Segment

Json = dict[str, Any]
Convert = Callable[["Segment", str], Json]
UTC: Final = ZoneInfo("UTC")
_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/"


def identifier(segment: Segment, repetition: str) -> Json:
    """Return a CX as Identifier: who assigned it is its assigner, when it counts its period."""
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
            "period": clean({"start": day_of(part(repetition, 7)), "end": day_of(part(repetition, 8))}),
            "assigner": _named(part(repetition, 6) or part(repetition, 4)),
        }
    )


def entity(segment: Segment, repetition: str) -> Json:
    """Return an EI (placer and filler numbers, unique document numbers) as Identifier."""
    value, *authority = (segment.part(repetition, number) for number in (1, 2, 3, 4))
    return _assigned(value, authority)


def entities_of_pair(segment: Segment, repetition: str) -> list[Json]:
    """Return an EIP: the placer's number in component 1, the filler's in component 2, parts as subcomponents."""
    found = []
    for component, kind in ((1, "PLAC"), (2, "FILL")):
        value, *authority = (segment.part(repetition, component, number) for number in (1, 2, 3, 4))
        one = _assigned(value, authority)
        if one:
            found.append({"type": {"coding": [coding(V2_TABLE + "0203", kind)]}, **one})
    return found


def _assigned(value: str, authority: list[str]) -> Json:
    if not value:
        return {}
    return clean({"system": authority_of(*authority), "value": value, "assigner": _named(authority[0])})


def _named(words: str) -> Json:
    return {"display": words} if words else {}


def human_name(segment: Segment, repetition: str) -> Json:
    """Return an XPN as HumanName."""
    part = segment.part
    given = [name for name in (part(repetition, 2), *part(repetition, 3).split()) if name]
    partner = part(repetition, 1, 5)
    extension = [{"url": f"{_EXTENSION}humanname-partner-name", "valueString": partner}] if partner else []
    ends = (part(repetition, 12) or part(repetition, 10, 1), part(repetition, 13) or part(repetition, 10, 2))
    return clean(
        {
            "use": look_up("name_use", part(repetition, 7).upper()),
            "family": part(repetition, 1),
            "_family": {"extension": extension} if extension and part(repetition, 1) else {},
            "given": given,
            "prefix": [part(repetition, 5)] if part(repetition, 5) else [],
            "suffix": [one for one in (part(repetition, 4), part(repetition, 6), part(repetition, 14)) if one],
            "period": _days(*ends),
        }
    )


def _days(start: str, end: str) -> Json:
    return clean({"start": day_of(start), "end": day_of(end)})


def address(segment: Segment, repetition: str) -> Json:
    """Return an XAD as Address."""
    part = segment.part
    street = " ".join(one for one in (part(repetition, 1), part(repetition, 1, 2), part(repetition, 1, 3)) if one)
    kind = part(repetition, 7).upper()
    start, end = part(repetition, 13) or part(repetition, 12), part(repetition, 14) or part(repetition, 12, 2)
    return clean(
        {
            "use": look_up("address_use", kind),
            "type": {"M": "postal", "SH": "postal", "H": "physical", "HOME": "physical"}.get(kind, ""),
            "line": [one for one in (street, part(repetition, 2), part(repetition, 19)) if one],
            "city": part(repetition, 3),
            "district": part(repetition, 9),
            "state": part(repetition, 4),
            "postalCode": part(repetition, 5),
            "country": part(repetition, 6),
            "period": _days(start, end),
        }
    )


def telecom(segment: Segment, repetition: str) -> Json:
    """Return an XTN as ContactPoint."""
    part = segment.part
    kind, use = part(repetition, 3), part(repetition, 2)
    numbers = (part(repetition, 5), part(repetition, 6), part(repetition, 7))
    # Component 1 is the whole number of older senders; of two numbers the more complete one is kept.
    digits = max("-".join(one for one in numbers if one), part(repetition, 1), key=_digits)
    email = part(repetition, 4) if kind in ("Internet", "X.400") or use == "NET" else ""
    value = (email if "@" in email else "") or part(repetition, 12) or digits or email
    if not value:
        return {}
    system = look_up("telecom_system", kind) or ("email" if email or "@" in value else "phone")
    if "@" in value:
        system = "email"
    elif system == "email":
        system = "phone" if _digits(value) > 2 else "other"
    more = f" ext. {part(repetition, 8)}" if part(repetition, 8) and system != "email" else ""
    rank = part(repetition, 18)
    return clean(
        {
            "system": system,
            "value": value + more,
            "use": "mobile" if kind == "CP" else look_up("telecom_use", use.upper()),
            "rank": int(rank) if rank.isdecimal() and int(rank) > 0 else "",
            "period": _days(part(repetition, 13), part(repetition, 14)),
        }
    )


def _digits(text: str) -> int:
    return sum(one.isdigit() for one in text)


def concept(segment: Segment, repetition: str) -> Json:
    """Return a CWE (CE) as CodeableConcept: both codings, and the original text (CWE.9) where there is one."""
    part = segment.part
    codings = [
        clean(
            {
                **coding(system_of(part(repetition, at + 2)), part(repetition, at), part(repetition, at + 1)),
                "version": part(repetition, version),
            }
        )
        for at, version in ((1, 7), (4, 8), (10, 13))
        if part(repetition, at)
    ]
    text = part(repetition, 9) or part(repetition, 2) or part(repetition, 5)
    if not codings and not text:
        return {}
    return clean({"coding": codings, "text": text})


def person(segment: Segment, repetition: str) -> Json:
    """Return an XCN as a Reference that carries the person's identifier and name."""
    return _person([segment.part(repetition, number) for number in range(1, 8)], _authority(segment, repetition, 9))


def person_in_role(segment: Segment, repetition: str) -> Json:
    """Return an NDL: the person's parts are subcomponents of its first component; older senders send an XCN."""
    parts = [segment.part(repetition, 1, number) for number in range(1, 8)]
    if not any(parts[1:]) and segment.part(repetition, 3) and not segment.part(repetition, 2)[:4].isdigit():
        return person(segment, repetition)
    return _person(parts, [segment.part(repetition, 1, number) for number in (9, 10, 11)])


def _authority(segment: Segment, repetition: str, component: int) -> list[str]:
    return [segment.part(repetition, component, number) for number in (1, 2, 3)]


def _person(parts: list[str], authority: list[str]) -> Json:
    number, family, given, middle, suffix, prefix, degree = parts
    display = " ".join(one for one in (prefix, given, middle, family, suffix) if one)
    display = f"{display}, {degree}" if display and degree else display
    if not number and not display:
        return {}
    system = authority_of(*authority)
    return clean({"identifier": clean({"system": system, "value": number}) if number else {}, "display": display})


def place(segment: Segment, repetition: str) -> str:
    """Return a PL as words, from the facility down to the bed."""
    part = segment.part
    parts = (part(repetition, n) for n in (4, 7, 8, 1, 2, 3, 9))
    return ", ".join(dict.fromkeys(one for one in parts if one))


def organisation(segment: Segment, repetition: str) -> Json:
    """Return an XON as a Reference with a name, and the identifier where it has one."""
    name = segment.part(repetition, 1)
    number = segment.part(repetition, 10) or segment.part(repetition, 3)
    system = authority_of(*_authority(segment, repetition, 6))
    return clean({"identifier": clean({"system": system, "value": number}) if number else {}, "display": name})


def organisation_of_code(segment: Segment, repetition: str) -> Json:
    """Return a CWE that names an organisation (a maker, a producer) as a Reference."""
    code, words = segment.part(repetition, 1), segment.part(repetition, 2)
    number = clean({"system": system_of(segment.part(repetition, 3)), "value": code}) if code and words else {}
    return clean({"identifier": number, "display": words or code})


def extension(name: str, value: Json | str, kind: str) -> list[Json]:
    """Return one of HL7's extensions as a list, [] without a value; `kind` names the value, such as "valueString"."""
    url = name if name.startswith("http") else f"{_EXTENSION}{name}"
    return [{"url": url, kind: value}] if value else []


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
