"""How a medicine is to be taken: an activity's dose, rate, times, route, site and limits as FHIR Dosage.

Source: C-CDA R2.1 templates Medication Activity (20.22.4.16), Precondition for Substance Administration (20.22.4.25),
Instruction (20.22.4.20), Medication Free Text Sig (20.22.4.147); HL7 C-CDA on FHIR guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import concept, quantity
from ingestion.domain.ccda.xml import XSI_TYPE, attribute, every, one, templates, words
from ingestion.domain.mapped import clean

if TYPE_CHECKING:
    from ingestion.domain.ccda.context import Reading
    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
_INSTRUCTION: Final = "2.16.840.1.113883.10.20.22.4.20"
_FREE_SIG: Final = "2.16.840.1.113883.10.20.22.4.147"
_UNITS_OF_TIME: Final = frozenset({"s", "min", "h", "d", "wk", "mo", "a"})  # of Timing.repeat


def dosage_of(reading: Reading, activity: Element) -> Json:
    """Return an activity's Dosage, {} where it says nothing of it."""
    sigs = [
        _said(reading, each)
        for each in [
            *every(activity, "v:entryRelationship/v:act"),
            *every(activity, "v:entryRelationship/v:substanceAdministration"),
        ]
        if templates(each) & {_INSTRUCTION, _FREE_SIG}
    ]
    return clean(
        {
            "text": _said(reading, activity),
            "patientInstruction": "; ".join(filter(None, sigs)),
            "timing": _timing(activity),
            **_as_needed(reading, activity),
            "site": concept(one(activity, "v:approachSiteCode"), reading.referred),
            "route": concept(one(activity, "v:routeCode"), reading.referred),
            "doseAndRate": [found] if (found := _dose_and_rate(reading, activity)) else [],
            "maxDosePerPeriod": _most(one(activity, "v:maxDoseQuantity")),
        }
    )


def _said(reading: Reading, element: Element) -> str:
    reference = attribute(element, "value", "v:text/v:reference").removeprefix("#")
    return words(element, "v:text") or reading.referred.get(reference, "")


def _as_needed(reading: Reading, activity: Element) -> Json:
    """Return for what it is taken as needed, or only that it is."""
    precondition = one(activity, "v:precondition")
    if precondition is None:
        return {}
    criterion = one(precondition, "v:criterion")
    named = concept(one(criterion, "v:value"), reading.referred)
    if not named and attribute(criterion, "code", "v:code") != "ASSERTION":
        named = concept(one(criterion, "v:code"), reading.referred)
    said = "" if criterion is None or named else _said(reading, criterion)
    named = named or ({"text": said} if said else {})
    return {"asNeededCodeableConcept": named} if named else {"asNeededBoolean": True}


def _dose_and_rate(reading: Reading, activity: Element) -> Json:
    form = concept(one(activity, "v:administrationUnitCode"), reading.referred)
    counted = str(form.get("text") or next((one.get("display", "") for one in form.get("coding", ())), ""))
    dose = _amount("dose", one(activity, "v:doseQuantity"), counted)
    return {**dose, **_amount("rate", one(activity, "v:rateQuantity"), "")}


def _amount(name: str, element: Element | None, counted: str) -> Json:
    """Return an amount or a range of amounts; `counted` is what a bare number counts ("tablet")."""
    alone = quantity(element) or quantity(one(element, "v:center"))
    if alone:
        return {f"{name}Quantity": _of(alone, counted)}
    ends = {key: _of(found, counted) for key in ("low", "high") if (found := quantity(one(element, f"v:{key}")))}
    if not ends:
        return {}
    return {f"{name}Quantity": ends["low"]} if ends.get("low") == ends.get("high") else {f"{name}Range": ends}


def _of(found: Json, counted: str) -> Json:
    return found if "unit" in found or not counted else {**found, "unit": counted}


def _most(element: Element | None) -> Json:
    """Return the most that may be taken in a time, as a Ratio."""
    ends = {key: found for key in ("numerator", "denominator") if (found := quantity(one(element, f"v:{key}")))}
    return ends if len(ends) == len(("numerator", "denominator")) else {}


def _timing(activity: Element) -> Json:
    for each in every(activity, "v:effectiveTime"):
        every_so = one(each, "v:period")
        kind = (each.get(XSI_TYPE) or "").rpartition(":")[2]
        if every_so is not None and (repeat := _repeat(every_so)):
            return {"repeat": repeat}
        if kind == "EIVL_TS" and attribute(each, "code", "v:event"):
            return {"code": {"text": attribute(each, "code", "v:event")}}
    return {}


def _repeat(period: Element) -> Json:
    """Return how often: "every 6 h", or "every 4 to 6 h" where the period has two ends."""
    shortest, longest = (one(period, path) for path in ("v:low", "v:high"))
    first = period if attribute(period) else shortest if shortest is not None and attribute(shortest) else longest
    found, unit = quantity(first), attribute(first, "unit")
    if not found or unit not in _UNITS_OF_TIME:
        return {}
    repeat = {"frequency": 1, "period": found["value"], "periodUnit": unit}
    most = quantity(longest) if first is shortest else {}
    if most and attribute(longest, "unit") == unit and most["value"] > found["value"]:
        repeat["periodMax"] = most["value"]
    return repeat
