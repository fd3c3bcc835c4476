"""MedicationRequest, -Statement, -Administration and -Dispense to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import lower_bound
from clinical.domain.projection.elements import (
    Concept,
    Path,
    Resource,
    as_dict,
    as_list,
    as_number,
    as_str,
    choice,
    concept,
    concepts,
    person_text,
    reference_text,
    resolve,
    unique,
)
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.projection.values import quantity_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATES: Final = (
    "authoredOn",
    "effectiveDateTime",
    "effectivePeriod",
    "dateAsserted",
    "whenHandedOver",
    "whenPrepared",
)
_UNITS: Final = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}
_PERIOD_TIMES: Final = 2  # "twice": the last count with a word of its own


def project_medication(resource: Resource, related: Mapping[str, Resource]) -> list[MedicationRow]:
    """Return the one row of a medication resource; `related` resolves references to Medication."""
    drug, drug_path, ingredients = _drug(resource, related)
    effective, effective_path = choice(resource, *_DATES)
    dosages = as_list(resource.get("dosageInstruction")) or as_list(resource.get("dosage"))
    dosage = as_dict(dosages[0]) if dosages else {}
    rate = as_dict(next(iter(as_list(dosage.get("doseAndRate"))), None))
    start, end = _span(resource, dosage)
    reason_name = next((name for name in ("statusReason", "statusReasonCodeableConcept") if name in resource), "")
    status = as_str(resource.get("status")) or "unknown"
    return [
        MedicationRow(
            resource_type=as_str(resource.get("resourceType")),
            status=status,
            codes=drug.codes,
            names=drug.names,
            text=drug.text or "Medicine without a name",
            effective=effective,
            effective_path=effective_path,
            effective_sort=lower_bound(effective),
            anchor=drug_path,
            name_path=drug_path,
            intent=as_str(resource.get("intent")),
            dosage="; ".join(unique(as_str(as_dict(item).get("text")) for item in dosages)),
            dose=_dose(dosage, rate),
            route=concept(dosage.get("route")).text,
            timing=", ".join(filter(None, (_timing(as_dict(dosage.get("timing"))), _wanted(dosage), _most(dosage)))),
            as_needed=dosage.get("asNeededBoolean") is True or "asNeededCodeableConcept" in dosage,
            reason=_reason(resource, related),
            status_reason=concepts(resource.get(reason_name)).text if reason_name else "",
            status_reason_path=(reason_name,) if reason_name else (),
            start=start,
            end=end,
            do_not_perform=resource.get("doNotPerform") is True,
            reported=resource.get("reportedBoolean") is True or "reportedReference" in resource,
            ingredients=ingredients,
            reasons=_referred(resource),
            requester=person_text(resource, resource.get("requester") or resource.get("informationSource")),
        ),
    ]


def _drug(resource: Resource, related: Mapping[str, Resource]) -> tuple[Concept, Path, tuple[str, ...]]:
    if "medicationCodeableConcept" in resource:
        return concept(resource["medicationCodeableConcept"]), ("medicationCodeableConcept",), ()
    reference = resource.get("medicationReference")
    medication = resolve(resource, reference, related)
    coded = concept(medication.get("code"))
    names = unique([*coded.names, reference_text(reference)])
    ingredients = unique(
        name
        for item in as_list(medication.get("ingredient"))
        for name in (
            *concept(as_dict(item).get("itemCodeableConcept")).names,
            reference_text(as_dict(item).get("itemReference")),
        )
    )
    target = as_str(as_dict(reference).get("reference"))
    shown = coded.text or (names[0] if names else "") or " and ".join(ingredients)
    path: Path = ("medicationReference",)
    if target.startswith("#"):
        for index, item in enumerate(as_list(resource.get("contained"))):
            if as_dict(item).get("id") == target[1:] and "code" in as_dict(item):
                path = ("contained", index, "code")
    elif reference is None:
        path = ()
    return Concept(coded.codes, names, shown), path, ingredients


def _span(resource: Resource, dosage: Resource) -> tuple[str, str]:
    bounds = as_dict(as_dict(as_dict(dosage.get("timing")).get("repeat")).get("boundsPeriod"))
    supply = as_dict(as_dict(resource.get("dispenseRequest")).get("validityPeriod"))
    taken = as_dict(resource.get("effectivePeriod"))
    start = next(filter(None, (as_str(period.get("start")) for period in (taken, bounds, supply))), "")
    # The end of a prescription's validity is no end of treatment, so `supply` gives no end.
    end = next(filter(None, (as_str(period.get("end")) for period in (taken, bounds))), "")
    return start or as_str(resource.get("effectiveDateTime")), end


def _dose(dosage: Resource, rate: Resource) -> str:
    """Return dose and rate: "500 mg at 90 mL/h", "1 to 2 tablets"."""
    dose = quantity_text(rate.get("doseQuantity") or dosage.get("dose")) or _bounds(rate.get("doseRange"))
    running = quantity_text(rate.get("rateQuantity")) or _bounds(rate.get("rateRange"))
    running = running or _per(as_dict(rate.get("rateRatio")))
    return " at ".join(filter(None, (dose, running)))


def _bounds(value: object) -> str:
    bounds = as_dict(value)
    return " to ".join(filter(None, (quantity_text(bounds.get("low")), quantity_text(bounds.get("high")))))


def _per(ratio: Resource) -> str:
    ends = [quantity_text(ratio.get(name)) for name in ("numerator", "denominator")]
    return " per ".join(ends) if all(ends) else ""


def _wanted(dosage: Resource) -> str:
    """Return for what it is taken as needed."""
    text = concept(dosage.get("asNeededCodeableConcept")).text
    return f"for {text}" if text else ""


def _most(dosage: Resource) -> str:
    most = _per(as_dict(dosage.get("maxDosePerPeriod")))
    return f"at most {most}" if most else ""


def _timing(timing: Resource) -> str:
    """Return Timing in words: its code's text, else "twice a day", "every 8 hours"."""
    if text := concept(timing.get("code")).text:
        return text
    repeat = as_dict(timing.get("repeat"))
    frequency, period = (as_number(repeat.get(name)) or "1" for name in ("frequency", "period"))
    unit = _UNITS.get(as_str(repeat.get("periodUnit")), "")
    if not unit:
        return ""
    longest = as_number(repeat.get("periodMax"))
    if frequency == "1":
        if longest:
            return f"every {period} to {longest} {unit}s"
        return f"once a {unit}" if period == "1" else f"every {period} {unit}s"
    times = "twice" if frequency == str(_PERIOD_TIMES) else f"{frequency} times"
    return f"{times} a {unit}" if period == "1" else f"{times} every {period} {unit}s"


def _referred(resource: Resource) -> tuple[str, ...]:
    said = (as_str(as_dict(item).get("reference")) for item in as_list(resource.get("reasonReference")))
    return unique(one for one in said if one)


def _reason(resource: Resource, related: Mapping[str, Resource]) -> str:
    coded = concepts(resource.get("reasonCode")).text
    referred = [
        reference_text(item) or concept(resolve(resource, item, related).get("code")).text
        for item in as_list(resource.get("reasonReference"))
    ]
    return "; ".join(unique([coded, *referred]))
