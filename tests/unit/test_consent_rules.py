"""What the rules of a Consent withhold: a condition that cannot be told widens a denial and voids a permission.

Source: HL7 FHIR R4 4.0.1, Consent.provision.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from clinical.domain.consent_rules import Permission, Rule, boundaries, denials_of, permission_of
from clinical.domain.projection.dates import UNDATED

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TYPES = "http://hl7.org/fhir/resource-types"
NOTES: dict[str, Any] = {"class": [{"system": TYPES, "code": "DocumentReference"}]}
POTASSIUM: dict[str, Any] = {"code": [{"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}]}
LABELLED: dict[str, Any] = {"securityLabel": [{"code": "HIV"}]}
ACTOR: dict[str, Any] = {"actor": [{"role": {"text": "any"}, "reference": {"reference": "Organization/o"}}]}
RECORD: dict[str, dict[str, Any]] = {
    "note": {"resourceType": "DocumentReference", "id": "n", "date": "2026-02-10T09:00:00Z"},
    "secret": {
        "resourceType": "DocumentReference", "id": "s", "meta": {"security": [{"code": "HIV"}]}, "date": "2025-06",
    },
    "potassium": {"resourceType": "Observation", "id": "k", "code": POTASSIUM["code"][0], "effectiveDateTime": "2026"},
    "undated": {"resourceType": "Observation", "id": "u"},
    "stay": {"resourceType": "Encounter", "id": "e", "period": {"start": "2025-12-30", "end": "2026-01-03"}},
}  # fmt: skip
ALL = set(RECORD)


def deny(*inner: dict[str, Any], **conditions: Any) -> dict[str, Any]:
    return {"type": "deny", **({"provision": list(inner)} if inner else {}), **conditions}


def permit(*inner: dict[str, Any], **conditions: Any) -> dict[str, Any]:
    return deny(*inner, **conditions) | {"type": "permit"}


def purposes(*codes: str) -> dict[str, Any]:
    return {"purpose": [{"code": one} for one in codes]}


def withheld(provision: dict[str, Any], now: datetime = NOON) -> tuple[set[str], bool]:
    """Return what is withheld, and whether more widely than written."""
    found = denials_of(provision)
    in_force = [one for one in (rule.at(now) for rule in found.rules) if one]
    return {name for name, one in RECORD.items() if any(rule.covers(one) for rule in in_force)}, found.untold


@pytest.mark.parametrize(
    "condition",
    [
        ACTOR,
        {"actor": [{}]},
        {"actor": "Organization/o"},
        {"actor": [None]},
        purposes("a-site's-own"),
        purposes("HRESCH", "a-site's-own"),
        {"action": [{"coding": [{"code": "read"}]}]},
        {"modifierExtension": [{"url": "urn:x"}]},
        {"code": [{"text": "potassium"}]},
        {"code": [*POTASSIUM["code"], {"text": "sodium"}]},
        {"class": [{"display": "notes"}]},
        {"securityLabel": ["HIV"]},
        {"data": [{"meaning": "dependents", "reference": {"reference": "Encounter/e"}}]},
        {"data": [{"meaning": "instance", "reference": {"display": "the stay"}}]},
        {"dataPeriod": {"start": "last year"}},
        {"period": {"end": "soon"}},
        {"period": "2026"},
    ],
)
def test_a_condition_that_cannot_be_told_widens_a_denial_and_voids_a_permission(condition: dict[str, Any]) -> None:
    assert withheld(deny(**condition)) == (ALL, True)
    assert withheld(deny(permit(**condition))) == (ALL, True)
    assert withheld(deny(permit(**condition), permit(**POTASSIUM))) == (ALL - {"potassium"}, True)
    assert withheld(permit(deny(**NOTES, **condition)) if "class" not in condition else deny(**condition))[1]
    assert permission_of(permit(**condition)) == Permission(given=True, rule=None)


@pytest.mark.parametrize("empty", [{"actor": []}, {"purpose": []}, {"action": []}, {"provision": []}])
def test_an_empty_list_is_no_condition(empty: dict[str, Any]) -> None:
    assert withheld(deny(**empty)) == (ALL, False)
    assert withheld(deny(permit(**empty))) == (set(), False)
    assert permission_of(permit(**empty)).rule == Rule()


@pytest.mark.parametrize(
    ("provision", "names", "wider"),
    [
        (deny(**NOTES, **ACTOR), {"note", "secret"}, True),
        (deny(**purposes("HRESCH", "HMARKT")), set(), False),
        (deny(**purposes("HRESCH"), **ACTOR), set(), False),
        (deny(**purposes("HRESCH", "TREAT")), ALL, False),
        (deny(permit(**purposes("HRESCH"))), ALL, False),
        (deny(permit(**purposes("HRESCH", "COC"))), set(), False),
        (deny(permit(**NOTES, **purposes("TREAT"), **ACTOR)), ALL, True),
        (deny(permit(deny(**LABELLED), **NOTES)), ALL - {"note"}, False),
        (deny(permit(deny(**LABELLED, **ACTOR), **NOTES)), ALL - {"note"}, True),
        (deny(permit(deny(**LABELLED, **purposes("HRESCH")), **NOTES)), ALL - {"note", "secret"}, False),
        (deny(permit(deny(permit(**LABELLED), **NOTES))), {"note"}, False),
        (deny(permit(deny(permit(**LABELLED, **ACTOR), **NOTES))), {"note", "secret"}, True),
        (deny(permit(**NOTES), deny(**LABELLED)), ALL - {"note"}, False),
        (deny(permit(**NOTES), **purposes("a-site's-own")), ALL - {"note", "secret"}, True),
        (deny(deny(**NOTES, **purposes("TREAT")), **purposes("HRESCH")), {"note", "secret"}, False),
        (permit(deny(**NOTES), **purposes("HRESCH")), set(), False),
        (permit(deny(**NOTES, **purposes("TREAT")), **purposes("HRESCH")), {"note", "secret"}, True),
        (permit(deny(**NOTES), **ACTOR), {"note", "secret"}, True),
        (permit(permit(deny(**NOTES))), {"note", "secret"}, False),
        (permit(deny(**LABELLED), **NOTES), {"secret"}, True),
        (permit({**NOTES}), {"note", "secret"}, True),  # which of the two it is, is not said
        (deny({**NOTES}), ALL, True),
        ({"provision": [deny(**NOTES)]}, {"note", "secret"}, False),
        (permit(), set(), False),
    ],
)
def test_what_rules_inside_rules_withhold(provision: dict[str, Any], names: set[str], wider: bool) -> None:
    assert withheld(provision) == (names, wider)


@pytest.mark.parametrize(
    ("period", "denied", "not_permitted"),
    [
        ({"start": "2026-02", "end": "2026-02"}, {"note", "potassium", "undated"}, ALL - {"note"}),
        ({"start": "2026"}, {"note", "potassium", "undated", "stay"}, ALL - {"note", "potassium"}),
        ({"end": "2025"}, {"secret", "undated", "stay"}, ALL - {"secret"}),
        ({"end": "9999-12-31"}, ALL, set()),
    ],
)
def test_what_may_lie_in_a_time_is_denied_and_only_what_surely_does_is_permitted(
    period: dict[str, str], denied: set[str], not_permitted: set[str]
) -> None:
    assert withheld(deny(dataPeriod=period)) == (denied, False)
    assert withheld(deny(permit(dataPeriod=period))) == (not_permitted, False)


@pytest.mark.parametrize(
    ("provision", "by_day"),
    [
        (deny(period={"start": "2026-03-01", "end": "2026-03-02"}, **purposes("TREAT")), "-xx-"),
        (deny(period={"start": "2026-03-01", "end": "2026-03-02"}, **purposes("HRESCH")), "----"),
        (deny(period={"end": "2026-03-01"}, **purposes("a-site's-own")), "xx--"),
        (deny(permit(period={"start": "2026-03-02"}, **purposes("TREAT"))), "xx--"),
        (deny(permit(period={"start": "2026-03-02"}, **purposes("HRESCH"))), "xxxx"),
        (deny(permit(period={"start": "2026-03-02"}, **ACTOR)), "xxxx"),
        (deny(permit(deny(period={"end": "2026-02"}))), "x---"),
    ],
)
def test_a_rule_for_our_purposes_holds_in_its_period(provision: dict[str, Any], by_day: str) -> None:
    days = [datetime(2026, 2, 28, 23, tzinfo=UTC), *(datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))]
    assert "".join("x" if withheld(provision, day)[0] else "-" for day in days) == by_day


def test_the_clock_is_told_the_moments_of_exceptions_too() -> None:
    provision = deny(permit(period={"start": "2026-03", "end": "2026-03-02"}), period={"end": "9999-12-31"})
    assert list(boundaries(denials_of(provision).rules)) == [
        UNDATED,
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 3, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    "provision", [deny(), permit(**purposes("HRESCH")), permit(action=[{"coding": [{"code": "disclose"}]}])]
)
def test_a_root_rule_that_denies_or_is_for_others_permits_us_nothing(provision: dict[str, Any]) -> None:
    assert permission_of(provision) == Permission()
    assert not permission_of(provision).void


def test_a_version_of_a_resource_is_named_by_its_resource() -> None:
    named = {"meaning": "instance", "reference": {"reference": "https://ehr.example/fhir/Encounter/e/_history/2"}}
    assert withheld(deny(data=[named])) == ({"stay"}, False)
