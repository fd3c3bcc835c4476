"""Which resources a rule of a Consent means, as far as that can be told from data.

Told of a resource: its type or a document's kind (class), its codes (code), its security labels (securityLabel),
itself (data, meaning "instance") and when it was made or happened (dataPeriod). Not told: other meanings of data,
what is named by words alone, and times that are no FHIR dates.

Source: HL7 FHIR R4 4.0.1, Consent.provision (https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from clinical.domain.consent_times import OPEN, Span, overlaps, span_of, within
from clinical.domain.projection.elements import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = "http://hl7.org/fhir/resource-types"
# Where R4 resources of a record say what they are about or of what kind they are.
_CODED: Final = ("code", "type", "category", "vaccineCode", "medicationCodeableConcept", "class", "reasonCode")
_DATED: Final = ("effectiveDateTime", "occurrenceDateTime", "performedDateTime", "authoredOn", "recordedDate", "date")
_PERIODS: Final = ("effectivePeriod", "performedPeriod", "period")
Code = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """Resources of one patient; each condition that is not empty has to hold."""

    classes: frozenset[Code] = frozenset()
    codes: frozenset[Code] = frozenset()
    labels: frozenset[Code] = frozenset()
    resources: frozenset[str] = frozenset()
    dated: Span = OPEN

    def covers(self, resource: dict[str, Any], *, surely: bool = False) -> bool:
        """Return whether a resource is meant; `surely`: one that may lie outside `dated` is not."""
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
            and (self.dated == OPEN or _dated(resource, self.dated, surely=surely))
        )


EVERYTHING: Final = Scope()


def scope_of(provision: dict[str, Any]) -> tuple[Scope, bool]:
    """Return the resources of a rule without the conditions that cannot be told, and whether all could be told."""
    classes = [frozenset(_codings(one)) for one in as_list(provision.get("class"))]
    codes = [frozenset(_in_concepts(one)) for one in as_list(provision.get("code"))]
    labels = [frozenset(_codings(one)) for one in as_list(provision.get("securityLabel"))]
    named = [frozenset(_named(as_dict(one))) for one in as_list(provision.get("data"))]
    dated, told = span_of(provision.get("dataPeriod"))
    scope = Scope(_any_of(classes), _any_of(codes), _any_of(labels), _any_of(named), dated)
    return scope, told and all(all(every) for every in (classes, codes, labels, named))


def _any_of(entries: list[frozenset[T]]) -> frozenset[T]:
    """Return what the entries name together; nothing, which is no condition, when one of them names nothing."""
    return frozenset().union(*entries) if all(entries) else frozenset()


def _named(data: dict[str, Any]) -> Iterator[str]:
    reference = as_str(as_dict(data.get("reference")).get("reference")).partition("/_history/")[0]
    if data.get("meaning") == "instance" and "/" in reference:
        yield "/".join(reference.split("/")[-2:])


def _codings(value: object) -> Iterator[Code]:
    for one in as_list(value):
        coding = as_dict(one)
        if code := as_str(coding.get("code")):
            yield as_str(coding.get("system")), code


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


def _dated(resource: dict[str, Any], period: Span, *, surely: bool) -> bool:
    """Return whether a resource lies in a period; one that is not dated is withheld rather than shown."""
    when = {"start": moment, "end": moment} if (moment := _moment(resource)) else _period(resource)
    span, told = span_of(when)
    if span == OPEN or not told:
        return not surely
    return within(span, period) if surely else overlaps(span, period)


def _moment(resource: dict[str, Any]) -> str:
    return next((moment for name in _DATED if (moment := as_str(resource.get(name)))), "")


def _period(resource: dict[str, Any]) -> dict[str, Any]:
    return next((found for name in _PERIODS if (found := as_dict(resource.get(name)))), {})
