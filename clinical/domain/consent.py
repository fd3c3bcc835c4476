"""What a Consent says about the use of the whole record held here; conditions this product cannot weigh say nothing.

Source: HL7 FHIR R4 4.0.1, Consent (https://hl7.org/fhir/R4/consent.html): a rule with exceptions; status "rejected"
was never given, "inactive" has ended. Scope and purpose codes: HL7 Terminology, consentscope and v3-ActReason.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

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
# Uses that this product makes of a record: treatment, and what belongs to it.
_OURS: Final = frozenset({"TREAT", "ETREAT", "CAREMGT", "COC"})
_ACTIONS: Final = frozenset({"access", "use"})
_NARROWING: Final = ("actor", "securityLabel", "class", "code", "dataPeriod", "data", "period")


def stance_of(resource: dict[str, Any]) -> Stance:
    """Return what a Consent says about the use of the whole record for treatment.

    DENIES: an active privacy consent whose rule is "deny" without exceptions and conditions, or one that was
    rejected. ENDED: it is inactive now. CONDITIONAL: a denial for some data, persons, times or with exceptions.
    """
    if resource.get("resourceType") != "Consent" or _PRIVACY not in _codes(resource.get("scope")):
        return Stance.NOTHING
    status = as_str(resource.get("status"))
    if status == "rejected":
        return Stance.DENIES
    if status == "inactive":
        return Stance.ENDED
    rule = as_dict(resource.get("provision"))
    if status != "active":
        return Stance.NOTHING
    if rule.get("type") != "deny":
        inner = [as_dict(one) for one in as_list(rule.get("provision"))]
        return Stance.CONDITIONAL if any(one.get("type") == "deny" for one in inner) else Stance.PERMITS
    purposes = {as_str(as_dict(one).get("code")) for one in as_list(rule.get("purpose"))}
    if purposes and purposes.isdisjoint(_OURS):
        return Stance.NOTHING
    actions = {code for one in as_list(rule.get("action")) for code in _codes(one)}
    if actions and actions.isdisjoint(_ACTIONS):
        return Stance.NOTHING
    if rule.get("provision") or any(rule.get(name) for name in _NARROWING):
        return Stance.CONDITIONAL
    return Stance.DENIES


def _codes(concept: object) -> Iterator[str]:
    return (as_str(as_dict(one).get("code")) for one in as_list(as_dict(concept).get("coding")))
