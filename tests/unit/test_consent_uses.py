"""Purposes and actions of a Consent's rule are ours, others', or cannot be told.

Sources: HL7 Terminology, v3-ActReason 4.0.0; HL7 FHIR R4 4.0.1, consentaction.
"""

from __future__ import annotations

from typing import Any

import pytest

from clinical.domain.consent_uses import Use, inner_of, use_of

REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def purposes(*codes: str, system: str = REASON) -> dict[str, Any]:
    return {"purpose": [{"system": system, "code": one} for one in codes]}


def actions(*codes: str) -> dict[str, Any]:
    return {"action": [{"coding": [{"code": one}]} for one in codes]}


@pytest.mark.parametrize(
    ("provision", "use"),
    [
        ({}, Use.OURS),
        ({"purpose": []}, Use.OURS),
        (purposes("TREAT"), Use.OURS),
        (purposes("HRESCH", "COC"), Use.OURS),
        (purposes("CAREMGT", "a-site's-own"), Use.OURS),
        (purposes("ETREAT", system="urn:oid:2.16.840.1.113883.5.8"), Use.OURS),
        (purposes("ETREAT", system=""), Use.OURS),
        (purposes("HRESCH"), Use.OTHERS),
        (purposes("HRESCH", "HMARKT"), Use.OTHERS),
        (purposes("HRESCH", "a-site's-own"), Use.UNTOLD),
        (purposes("TREAT", system="urn:of-a-site"), Use.UNTOLD),
        (purposes("treat"), Use.UNTOLD),
        (purposes("PurposeOfUse"), Use.UNTOLD),  # above ours
        (purposes("HOPERAT"), Use.UNTOLD),  # above CAREMGT
        (purposes("BTG"), Use.UNTOLD),  # below ETREAT
        ({"purpose": "TREAT"}, Use.UNTOLD),
        ({"purpose": [None]}, Use.UNTOLD),
        ({"purpose": [{"display": "Treatment"}]}, Use.UNTOLD),
        (actions("disclose"), Use.OTHERS),
        (actions("disclose", "use"), Use.OURS),
        (actions("read"), Use.UNTOLD),
        ({"action": [{"text": "access"}]}, Use.UNTOLD),
        ({"action": [{"coding": [{"system": "urn:of-a-site", "code": "x"}, {"code": "access"}]}]}, Use.OURS),
        (purposes("TREAT") | actions("disclose"), Use.OTHERS),
        (purposes("HRESCH") | actions("read"), Use.OTHERS),
        (purposes("TREAT") | actions("read"), Use.UNTOLD),
    ],
)
def test_whose_uses_a_rule_is_about(provision: dict[str, Any], use: Use) -> None:
    assert use_of(provision) is use


def test_a_rule_inside_one_for_others_is_for_others_unless_it_says_otherwise() -> None:
    inner = [{"type": "deny"}, {"type": "deny", "purpose": []}, {"type": "deny", **purposes("TREAT")}]
    found = inner_of({**purposes("HRESCH"), "provision": inner})
    assert [use_of(one) for one in found] == [Use.OTHERS, Use.OTHERS, Use.OURS]


def test_a_rule_inside_one_that_cannot_be_told_stands_for_itself() -> None:
    (found,) = inner_of({**purposes("a-site's-own"), "provision": [{"type": "permit"}]})
    assert use_of(found) is Use.OURS
