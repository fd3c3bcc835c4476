"""Whatever a Consent's rules look like: reading them never fails, and a condition more never lets more through."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.consent import Stance, stance_of
from clinical.domain.consent_rules import boundaries, denials_of, permission_of
from tests.unit.test_consent_rules import ACTOR, LABELLED, NOON, NOTES, POTASSIUM, RECORD, purposes, withheld

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", "deny", "permit", "instance", "2026-13"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "coding", "start"]), inner),
    max_leaves=4,
)
NAMES = ["type", "actor", "purpose", "action", "class", "code", "securityLabel", "data", "dataPeriod", "period"]
CONDITIONS = st.sampled_from([{}, NOTES, POTASSIUM, LABELLED, purposes("TREAT"), purposes("HRESCH"), purposes("X")])
RULES = st.recursive(
    st.builds(lambda kind, one: {"type": kind, **one}, st.sampled_from(["deny", "permit"]), CONDITIONS),
    lambda inner: st.builds(
        lambda kind, one, rules: {"type": kind, **one, "provision": rules},
        st.sampled_from(["deny", "permit"]), CONDITIONS, st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def nodes(rule: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield rule
    for one in rule.get("provision", ()):
        yield from nodes(one)


@given(rule=RULES)
def test_a_condition_that_cannot_be_told_never_lets_more_through(rule: dict[str, Any]) -> None:
    before, _ = withheld(rule)
    for number, _ in enumerate(nodes(rule)):
        limited = deepcopy(rule)
        list(nodes(limited))[number].update(ACTOR)
        after, wider = withheld(limited)
        assert before <= after
        assert wider or before == after


@given(rule=RULES)
def test_a_void_permission_is_one_that_names_a_condition_that_cannot_be_told(rule: dict[str, Any]) -> None:
    limited = permission_of({**rule, "type": "permit", **ACTOR})
    plain = permission_of({**rule, "type": "permit"})
    assert limited.void == plain.given


@given(provision=st.dictionaries(st.sampled_from(NAMES), JSON), inner=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_rules_of_any_shape_are_read(provision: dict[str, Any], inner: dict[str, Any]) -> None:
    consent = {"resourceType": "Consent", "status": "active", "scope": {"coding": [{"code": "patient-privacy"}]}}
    given_or_not = {Stance.PERMITS, Stance.DENIES, Stance.CONDITIONAL, Stance.NOTHING}
    for rule in (provision, {**provision, "provision": inner}, {**inner, "provision": [None, provision]}):
        found = denials_of(rule)
        assert all(moment.tzinfo is not None for moment in boundaries(found.rules))
        in_force = [one for one in (denial.at(NOON) for denial in found.rules) if one]
        assert {one.covers(resource) for one in in_force for resource in RECORD.values()} <= {True, False}
        assert stance_of({**consent, "provision": rule}) in given_or_not
        assert not (permission_of(rule).given and rule.get("type") == "deny")
