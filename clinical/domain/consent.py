"""What a Consent says about the use of the whole record held here; what its rules say: `consent_rules`.

Source: HL7 FHIR R4 4.0.1, Consent (https://hl7.org/fhir/R4/consent.html): a rule with exceptions; status "rejected"
was never given, "inactive" has ended. Scope codes: HL7 Terminology, consentscope; policy rules: v3-ActCode.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.consent_uses import Use, use_of
from clinical.domain.projection.elements import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stance(StrEnum):
    """What one version of a Consent says."""

    PERMITS = "permits"
    DENIES = "denies"
    ENDED = "ended"
    CONDITIONAL = "conditional"
    NOTHING = "nothing"


_PRIVACY: Final = "patient-privacy"
_DISSENTS: Final = frozenset({"OPTOUT", "OPTOUTE"})
_LIMITING: Final = (
    "provision", "actor", "modifierExtension", "securityLabel", "class", "code", "dataPeriod", "data", "period",
)  # fmt: skip


def stance_of(resource: dict[str, Any]) -> Stance:
    """Return what a Consent says about the use of the whole record for treatment.

    DENIES: an active privacy consent whose rule is "deny" without exceptions and conditions, or one that was
    rejected. ENDED: it is inactive now. CONDITIONAL: active, and some data, persons, times or exceptions have to be
    looked at. NOTHING: it is not in force, or about purposes or actions that are none of ours.
    """
    if resource.get("resourceType") != "Consent" or _PRIVACY not in _codes(resource.get("scope")):
        return Stance.NOTHING
    status = as_str(resource.get("status"))
    if status == "rejected":
        return Stance.DENIES
    if status == "inactive":
        return Stance.ENDED
    if status != "active":
        return Stance.NOTHING
    rule = root_of(resource)
    use = use_of(rule)
    if use is Use.OTHERS and not rule.get("provision"):
        return Stance.NOTHING
    if use is not Use.OURS or any(rule.get(name) for name in _LIMITING):
        return Stance.CONDITIONAL
    return Stance.DENIES if rule.get("type") == "deny" else Stance.PERMITS


def root_of(resource: dict[str, Any]) -> dict[str, Any]:
    """Return the root rule of a Consent with the kind it has: "deny" or "permit" as a rule.

    R4 lets only inner rules say which of the two they are; what a root rule says all the same, counts. Else an
    opt-out as policy rule is a denial, and everything else a permission.
    """
    rule = as_dict(resource.get("provision"))
    if rule.get("type"):
        return rule
    return {**rule, "type": "permit" if _DISSENTS.isdisjoint(_codes(resource.get("policyRule"))) else "deny"}


def _codes(concept: object) -> Iterator[str]:
    return (as_str(as_dict(one).get("code")) for one in as_list(as_dict(concept).get("coding")))
