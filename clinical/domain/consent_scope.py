"""Which resources a Consent with conditions denies, as far as its conditions can be told from data.

Told: when the rule holds (period), and of a resource its type or a document's kind (class), its codes (code), its
security labels (securityLabel), itself (data, meaning "instance") and when it was made or happened (dataPeriod). Not
told: who the actors of a rule are to this site, other meanings of data, purposes and actions of exceptions.

Source: HL7 FHIR R4 4.0.1, Consent.provision (https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.projection.dates import UNDATED, lower_bound
from clinical.domain.projection.elements import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

_TYPES: Final = "http://hl7.org/fhir/resource-types"
# Where R4 resources of a record say what they are about or of what kind they are.
_CODED: Final = ("code", "type", "category", "vaccineCode", "medicationCodeableConcept", "class", "reasonCode")
_DATED: Final = ("effectiveDateTime", "occurrenceDateTime", "performedDateTime", "authoredOn", "recordedDate", "date")
_PERIODS: Final = ("effectivePeriod", "performedPeriod", "period")
_UNTOLD: Final = ("actor", "provision", "purpose", "action")
_YEAR, _MONTH, _DAY = len("2026"), len("2026-02"), len("2026-02-10")
Code = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Resources of one patient; each condition that is not empty has to hold. Dates are as recorded, either "" open."""

    classes: frozenset[Code] = frozenset()
    codes: frozenset[Code] = frozenset()
    labels: frozenset[Code] = frozenset()
    resources: frozenset[str] = frozenset()
    dated: tuple[str, str] | None = None

    def covers(self, resource: dict[str, Any]) -> bool:
        """Return whether a resource is meant."""
        kind = as_str(resource.get("resourceType"))
        codes = set(_codes_of(resource))
        labels = set(_codings(as_dict(resource.get("meta")).get("security")))
        labels |= set(_in_concepts(resource.get("securityLabel")))
        kinds = codes | {(_TYPES, kind)}
        return (
            (not self.classes or _meet(self.classes, kinds))
            and (not self.codes or _meet(self.codes, codes))
            and (not self.labels or _meet(self.labels, labels))
            and (not self.resources or f"{kind}/{as_str(resource.get('id'))}" in self.resources)
            and (self.dated is None or _within(_when(resource), self.dated))
        )


@dataclass(frozen=True, slots=True)
class Denial:
    """What one rule denies: `scope` without `exceptions`, from `period[0]` to `period[1]` ("" is open)."""

    scope: Scope
    exceptions: tuple[Scope, ...] = ()
    period: tuple[str, str] = ("", "")

    def holds(self, now: datetime) -> bool:
        """Return whether the rule is in force at `now` (timezone-aware; days count in its zone)."""
        return _within(now.isoformat(timespec="seconds"), self.period)

    def covers(self, resource: dict[str, Any]) -> bool:
        """Return whether a resource is denied while the rule is in force."""
        return self.scope.covers(resource) and not any(one.covers(resource) for one in self.exceptions)


@dataclass(frozen=True, slots=True)
class Denials:
    """The denials of one Consent; `untold`: some condition cannot be told here, and its rule is not applied."""

    rules: tuple[Denial, ...] = ()
    untold: bool = False


def denials_of(provision: dict[str, Any]) -> Denials:
    """Return what the root rule of a Consent denies, for a Consent whose stance is conditional."""
    inner = [as_dict(one) for one in as_list(provision.get("provision"))]
    root, period = _scope(provision, leave_out=("provision", "purpose", "action")), _period(provision)
    if provision.get("type") == "deny":
        exceptions = [_scope(one) for one in inner if one.get("type") == "permit"]
        timed = any(one.get("period") for one in inner)
        told = [one for one in exceptions if one is not None]
        if root is None or timed or len(told) != len(inner):
            return Denials(untold=True)
        return Denials((Denial(root, tuple(told), period),))
    denied = [one for one in inner if one.get("type") == "deny"]
    found = [(one, _scope(one)) for one in denied]
    rules = tuple(Denial(scope, (), _period(one)) for one, scope in found if scope is not None)
    return Denials(rules, untold=len(rules) != len(denied))


def boundaries(denials: Denials) -> list[str]:
    """Return the times at which one of the rules begins or ends, as they are written."""
    return [moment for rule in denials.rules for moment in rule.period if moment]


def _scope(rule: dict[str, Any], leave_out: tuple[str, ...] = ()) -> Scope | None:
    """Return the resources of a rule; None when one of its conditions cannot be told."""
    if any(rule.get(name) for name in _UNTOLD if name not in leave_out):
        return None
    data = [as_dict(one) for one in as_list(rule.get("data"))]
    if any(one.get("meaning") != "instance" for one in data):
        return None
    span = as_dict(rule.get("dataPeriod"))
    return Scope(
        classes=frozenset(_codings(rule.get("class"))),
        codes=frozenset(_in_concepts(rule.get("code"))),
        labels=frozenset(_codings(rule.get("securityLabel"))),
        resources=frozenset(_named(one) for one in data),
        dated=(as_str(span.get("start")), as_str(span.get("end"))) if span else None,
    )


def _period(rule: dict[str, Any]) -> tuple[str, str]:
    span = as_dict(rule.get("period"))
    return as_str(span.get("start")), as_str(span.get("end"))


def _named(data: dict[str, Any]) -> str:
    return "/".join(as_str(as_dict(data.get("reference")).get("reference")).split("/")[-2:])


def _codings(value: object) -> Iterator[Code]:
    for one in as_list(value):
        coding = as_dict(one)
        yield as_str(coding.get("system")), as_str(coding.get("code"))


def _in_concepts(value: object) -> Iterator[Code]:
    for one in as_list(value):
        yield from _codings(as_dict(one).get("coding"))


def _codes_of(resource: dict[str, Any]) -> Iterator[Code]:
    for name in _CODED:
        for one in as_list(resource.get(name)):
            concept = as_dict(one)
            yield from _codings(concept.get("coding") or ([concept] if "code" in concept else []))


def _meet(wanted: frozenset[Code], found: set[Code]) -> bool:
    """Return whether one of the codes is there; one written without a system is any system's."""
    return bool(wanted & found) or bool({code for system, code in wanted if not system} & {code for _, code in found})


def _when(resource: dict[str, Any]) -> str:
    for name in _DATED:
        if moment := as_str(resource.get(name)):
            return moment
    return next((as_str(as_dict(resource.get(one)).get("start")) for one in _PERIODS if resource.get(one)), "")


def _within(moment: str, period: tuple[str, str]) -> bool:
    """Return whether a recorded time lies in a period; a time that is not known lies in every one.

    What cannot be placed in time is withheld rather than shown. A period's end is part of it, as precise as it is
    written (https://hl7.org/fhir/R4/datatypes.html#Period).
    """
    at = lower_bound(moment)
    if at == UNDATED:
        return True
    start, end = period
    return (not start or lower_bound(start) <= at) and (not end or at < _after(end))


def _after(end: str) -> datetime:
    """Return the first moment behind a date or time."""
    at = lower_bound(end)
    if len(end) == _YEAR:
        return at.replace(year=at.year + 1)
    if len(end) == _MONTH:
        return (at + timedelta(days=31)).replace(day=1)
    return at + (timedelta(days=1) if len(end) == _DAY else timedelta(seconds=1))
