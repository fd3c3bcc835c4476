"""What a whole-chart summary leaves out: measured from the raw resources, apart from the product's projection.

The reading of FHIR here is deliberately its own and plain. An item counts as shown when some line cites its
resource and holds its name; a list that says only how many there are shows nothing.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

Resource = dict[str, Any]


class Kind(StrEnum):
    """The classes of items that a summary must not leave out."""

    ALLERGY = "allergies"
    HIGH_RISK = "high-risk drugs"
    MEDICINE = "medicines in force"
    PROBLEM = "active problems"
    ABNORMAL = "abnormal latest results"
    PENDING = "pending results"
    CODE_STATUS = "code status"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be shown: its class, the resource that records it, and the name the record gives it."""

    kind: Kind
    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a summary: its words and the resources ("Type/id") it cites."""

    text: str
    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recall:
    """Items held and shown by class, and the ones that were missed."""

    held: Counter[Kind]
    shown: Counter[Kind]
    missed: tuple[Item, ...]

    def of(self, kind: Kind) -> float | None:
        """Return the share of a class that is shown, 0..1; None when the records hold none."""
        return self.shown[kind] / self.held[kind] if self.held[kind] else None


def measure(items: Iterable[Item], lines: Sequence[Shown]) -> Recall:
    """Return which items the lines of one patient's summary show."""
    held: Counter[Kind] = Counter()
    shown: Counter[Kind] = Counter()
    missed = []
    for item in items:
        held[item.kind] += 1
        if any(_shows(line, item) for line in lines):
            shown[item.kind] += 1
        else:
            missed.append(item)
    return Recall(held, shown, tuple(missed))


def total(recalls: Iterable[Recall]) -> Recall:
    """Return the counts of several patients together."""
    held: Counter[Kind] = Counter()
    shown: Counter[Kind] = Counter()
    missed: list[Item] = []
    for one in recalls:
        held.update(one.held)
        shown.update(one.shown)
        missed += one.missed
    return Recall(held, shown, tuple(missed))


def _shows(line: Shown, item: Item) -> bool:
    named = not item.name or " ".join(item.name.lower().split()) in " ".join(line.text.lower().split())
    marked = item.kind is not Kind.HIGH_RISK or "high-risk" in line.text.lower()
    return item.resource in line.resources and named and marked


def items_of(resources: Iterable[Resource], *, today: date) -> Iterator[Item]:
    """Yield what a summary of these current resources of one patient must show on `today`."""
    held = [one for one in resources if not _in_error(one)]
    for one in held:
        match one.get("resourceType"):
            case "AllergyIntolerance" if _code(one, "clinicalStatus") not in ("inactive", "resolved"):
                yield Item(Kind.ALLERGY, _reference(one), _bare(_text(one.get("code"))))
            case "Condition" if _is_active(one):
                yield Item(Kind.PROBLEM, _reference(one), _bare(_text(one.get("code"))))
            case "MedicationRequest" | "MedicationStatement" if _in_force(one, today):
                name = _text(one.get("medicationCodeableConcept")) or _display(one.get("medicationReference"))
                yield Item(Kind.MEDICINE, _reference(one), name)
                if _high_risk().search(name):
                    yield Item(Kind.HIGH_RISK, _reference(one), name)
            case "ServiceRequest" if one.get("status") in ("active", "on-hold"):
                wish = _is_wish(one)
                yield Item(Kind.CODE_STATUS if wish else Kind.PENDING, _reference(one), _text(one.get("code")))
            case "DiagnosticReport" if one.get("status") in ("registered", "partial", "preliminary"):
                yield Item(Kind.PENDING, _reference(one), _text(one.get("code")))
            case "Observation" if _is_wish(one):
                yield Item(Kind.CODE_STATUS, _reference(one), "")
            case "Observation" if one.get("status") in ("registered", "preliminary"):
                yield Item(Kind.PENDING, _reference(one), _text(one.get("code")))
    yield from _abnormal(held)


def _abnormal(held: Sequence[Resource]) -> Iterator[Item]:
    latest: dict[str, list[Resource]] = {}
    for one in held:
        has_value = any(key.startswith("value") for key in one) or "component" in one
        if one.get("resourceType") != "Observation" or not has_value or _is_wish(one):
            continue
        if one.get("status") in ("cancelled", "not-done", "registered"):
            continue
        group = latest.setdefault(_analyte(one), [])
        if group and _when(group[0]) < _when(one):
            group.clear()
        if not group or _when(group[0]) == _when(one):
            group.append(one)
    for group in latest.values():
        corrected = [one for one in group if one.get("status") in ("corrected", "amended")]
        final = [one for one in group if one.get("status") == "final"]
        for one in corrected or final or group:
            if _flagged(one):
                yield Item(Kind.ABNORMAL, _reference(one), _text(one.get("code")))


def _flagged(one: Resource) -> bool:
    codes = {_first_code(item).upper() for item in one.get("interpretation", [])}
    if codes & {"H", "HH", "L", "LL", "A", "AA", "HU", "LU", "POS"}:
        return True
    quantity = one.get("valueQuantity") or {}
    if codes or quantity.get("comparator") or not isinstance(quantity.get("value"), int | float):
        return False
    unit = quantity.get("code") or quantity.get("unit")
    for bounds in one.get("referenceRange", []):
        low, high = bounds.get("low") or {}, bounds.get("high") or {}
        if any(end and (end.get("code") or end.get("unit") or unit) != unit for end in (low, high)):
            continue
        if _first_code(bounds.get("type")) not in ("", "normal", "recommended"):
            continue
        if (
            low.get("value", quantity["value"]) > quantity["value"]
            or high.get("value", quantity["value"]) < quantity["value"]
        ):
            return True
    return False


def _analyte(one: Resource) -> str:
    code = one.get("code") or {}
    numbers = [item.get("code") for item in code.get("coding", []) if item.get("code")]
    return f"{numbers[0] if numbers else _text(code).lower()}|{_display(one.get('specimen')).lower()}"


def _when(one: Resource) -> str:
    period = one.get("effectivePeriod") or {}
    return str(one.get("effectiveDateTime") or period.get("start") or one.get("issued") or "")


def _in_force(one: Resource, today: date) -> bool:
    if one.get("status") not in ("active", "on-hold", "unknown") or one.get("doNotPerform"):
        return False
    if one.get("intent") in ("proposal", "plan", "option"):
        return False
    dosage = (one.get("dosageInstruction") or one.get("dosage") or [{}])[0]
    bounds = ((dosage.get("timing") or {}).get("repeat") or {}).get("boundsPeriod") or {}
    end = (one.get("effectivePeriod") or {}).get("end") or bounds.get("end") or ""
    return not end or end[:10] >= today.isoformat()[: len(end[:10])]


def _is_active(one: Resource) -> bool:
    ended = any(key.startswith("abatement") for key in one)
    clinical = _code(one, "clinicalStatus")
    refuted = _code(one, "verificationStatus") == "refuted"
    return clinical in ("active", "recurrence", "relapse", "") and not refuted and not ended


def _in_error(one: Resource) -> bool:
    return "entered-in-error" in (one.get("status"), _code(one, "verificationStatus"))


def _is_wish(one: Resource) -> bool:
    codes = {item.get("code") for item in (one.get("code") or {}).get("coding", [])}
    return bool(codes & {"75320-2", "84095-9", "100822-6"}) or bool(
        re.search(r"\bcode status\b|resuscitat|\bdnr\b|\bdnar\b", _text(one.get("code")), re.IGNORECASE)
    )


def _code(one: Resource, name: str) -> str:
    return _first_code(one.get(name))


def _object(value: object) -> Resource:
    return value if isinstance(value, dict) else {}


def _first_code(concept: object) -> str:
    coding = _object(concept).get("coding") or [{}]
    return str(coding[0].get("code") or _object(concept).get("text") or "")


def _text(concept: object) -> str:
    coding = _object(concept).get("coding") or [{}]
    return str(_object(concept).get("text") or coding[0].get("display") or "")


def _bare(name: str) -> str:
    return re.sub(r"\s*\((?:disorder|finding|situation)\)$", "", name)


def _display(reference: object) -> str:
    return str(_object(reference).get("display") or "")


def _reference(one: Resource) -> str:
    return f"{one['resourceType']}/{one.get('id', '')}"


@cache
def _high_risk() -> re.Pattern[str]:
    table = json.loads(files(__package__).joinpath("omission.json").read_text(encoding="utf-8"))
    return re.compile(rf"\b(?:{'|'.join(table['high_risk'])})", re.IGNORECASE)
