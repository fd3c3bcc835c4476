"""CDA data types as FHIR R4 data types.

Source: HL7 C-CDA on FHIR guide, data type mapping (CD, II, TS, IVL_TS, PQ, PN, AD, TEL).
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.xml import XSI_TYPE, attribute, every, name, one, words
from ingestion.domain.mapped import clean, coding
from ingestion.domain.v2.times import date_time, day_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
UCUM: Final = "http://unitsofmeasure.org"
# Code system OID -> FHIR system (HL7 terminology, naming systems).
SYSTEMS: Final = {
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.3": "http://hl7.org/fhir/sid/icd-10",
    "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.104": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.6.59": "http://hl7.org/fhir/sid/cvx",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    "2.16.840.1.113883.4.9": "http://fdasis.nlm.nih.gov",
    "2.16.840.1.113883.5.1": "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
    "2.16.840.1.113883.5.2": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",
    "2.16.840.1.113883.5.4": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "2.16.840.1.113883.5.83": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "2.16.840.1.113883.5.8": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "2.16.840.1.113883.5.111": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "2.16.840.1.113883.5.112": "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration",
    "2.16.840.1.113883.3.26.1.1": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
}
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)")
_USES: Final = {"HP": "home", "H": "home", "HV": "home", "WP": "work", "MC": "mobile", "TMP": "temp", "BAD": "old"}


def identifier(element: Element) -> Json:
    """Return an II as Identifier: its root is the assigning authority."""
    root, extension = attribute(element, "root"), attribute(element, "extension")
    if not root:
        return {}
    if not extension:
        scheme = "oid" if "." in root else "uuid"
        return {"system": "urn:ietf:rfc:3986", "value": f"urn:{scheme}:{root.lower()}"}
    return {"system": f"urn:oid:{root}" if "." in root else f"urn:uuid:{root.lower()}", "value": extension}


def concept(element: Element | None, referred: Mapping[str, str]) -> Json:
    """Return a CD as CodeableConcept: code, translations, and the original words.

    Args:
        element: code, value or the like; may be None.
        referred: the narrative's text by ID, for originalText that refers to it.
    """
    if element is None:
        return {}
    codings = [_coding(found) for found in (element, *every(element, "v:translation")) if attribute(found, "code")]
    original = one(element, "v:originalText")
    text = words(original) or referred.get(attribute(original, "value", "v:reference").removeprefix("#"), "")
    text = text or attribute(element, "displayName") or next((c["display"] for c in codings if "display" in c), "")
    return clean({"coding": codings, "text": text}) if codings or text else {}


def _coding(element: Element) -> Json:
    oid = attribute(element, "codeSystem")
    system = SYSTEMS.get(oid, f"urn:oid:{oid}" if oid else "")
    return coding(system, attribute(element, "code"), attribute(element, "displayName"))


def moment(element: Element | None, zone: ZoneInfo) -> str:
    """Return a TS as FHIR dateTime; "" for an unknown one."""
    return date_time(attribute(element), zone)


def day(element: Element | None) -> str:
    """Return a TS as FHIR date."""
    return day_of(attribute(element))


def period(element: Element | None, zone: ZoneInfo) -> tuple[str, str]:
    """Return start and end of an IVL_TS; a single time is both the start and no end."""
    if element is None:
        return "", ""
    alone = moment(element, zone) or moment(one(element, "v:center"), zone)
    return alone or moment(one(element, "v:low"), zone), moment(one(element, "v:high"), zone)


def quantity(element: Element | None) -> Json:
    """Return a PQ as Quantity, with the digits as sent; {} for an unknown one."""
    digits = attribute(element)
    if not _NUMBER.fullmatch(digits):
        return {}
    try:
        value = Decimal(digits if digits[0] != "." else f"0{digits}")
    except InvalidOperation:
        return {}
    unit = attribute(element, "unit")
    return {"value": value, **({"unit": unit, "system": UCUM, "code": unit} if unit and unit != "1" else {})}


def value_of(element: Element | None, referred: Mapping[str, str], zone: ZoneInfo) -> Json:
    """Return an observation's value as the matching value[x] member; {} when it holds none."""
    if element is None:
        return {}
    kind = (element.get(XSI_TYPE) or "").rpartition(":")[2]
    match kind:
        case "PQ" | "REAL" | "MO":
            found = quantity(element)
            return {"valueQuantity": found} if found else {}
        case "INT":
            text = attribute(element)
            return {"valueInteger": int(text)} if re.fullmatch(r"[+-]?\d{1,9}", text) else {}
        case "CD" | "CE" | "CO" | "CV" | "CS":
            coded = concept(element, referred)
            return {"valueCodeableConcept": coded} if coded else {}
        case "IVL_PQ":
            return _interval(element)
        case "TS":
            time = moment(element, zone)
            return {"valueDateTime": time} if time else {}
        case "BL":
            said = attribute(element)
            return {"valueBoolean": said == "true"} if said in ("true", "false") else {}
        case "RTO" | "RTO_PQ_PQ":
            ends = {key: quantity(one(element, f"v:{key}")) for key in ("numerator", "denominator")}
            return {"valueRatio": ends} if all(ends.values()) else {}
        case _:
            text = words(element) or attribute(element)
            return {"valueString": text} if text else {}


def _interval(element: Element) -> Json:
    """Return an IVL_PQ: both ends a Range, one end a Quantity with a comparator."""
    low, high = one(element, "v:low"), one(element, "v:high")
    first, last = quantity(low), quantity(high)
    if first and last:
        return {"valueRange": {"low": first, "high": last}}
    if last:
        return {"valueQuantity": {**last, "comparator": "<=" if attribute(high, "inclusive") != "false" else "<"}}
    if first:
        return {"valueQuantity": {**first, "comparator": ">=" if attribute(low, "inclusive") != "false" else ">"}}
    return {}


def human_name(element: Element) -> Json:
    """Return a PN as HumanName."""
    parts: dict[str, list[str]] = {}
    for child in element:
        text = words(child)
        if text:
            parts.setdefault(name(child), []).append(text)
    if not parts:
        return {"text": words(element)} if words(element) else {}
    use = {"L": "official", "P": "nickname", "C": "usual"}.get(attribute(element, "use"), "")
    return clean(
        {
            "use": use,
            "family": " ".join(parts.get("family", ())),
            "given": parts.get("given", []),
            "prefix": parts.get("prefix", []),
            "suffix": parts.get("suffix", []),
        }
    )


def address(element: Element) -> Json:
    """Return an AD as Address."""
    return clean(
        {
            "use": _USES.get(attribute(element, "use"), "").replace("mobile", ""),
            "line": [words(line) for line in every(element, "v:streetAddressLine") if words(line)],
            "city": words(element, "v:city"),
            "state": words(element, "v:state"),
            "postalCode": words(element, "v:postalCode"),
            "country": words(element, "v:country"),
        }
    )


def telecom(element: Element) -> Json:
    """Return a TEL as ContactPoint."""
    scheme, _, rest = attribute(element).rpartition(":")
    if not rest:
        return {}
    system = {"mailto": "email", "fax": "fax", "http": "url", "https": "url"}.get(scheme, "phone")
    use = _USES.get(attribute(element, "use"), "")
    return clean({"system": system, "value": rest, "use": use})


def person(element: Element | None) -> Json:
    """Return an assigned author or entity as a Reference with name and identifier."""
    if element is None:
        return {}
    named = one(element, "v:assignedPerson/v:name")
    display = words(named) or words(element, "v:representedOrganization/v:name")
    number = next((found for one_id in every(element, "v:id") if (found := identifier(one_id))), {})
    return clean({"identifier": number, "display": display}) if display or number else {}
