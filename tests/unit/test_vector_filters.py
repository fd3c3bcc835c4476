"""The tenant check is sound: what it lets through can match one tenant's points only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.vector_service.filters import CLAUSES, require_tenant, tenants, to_engine
from appliance.vector_service.wire import Condition, Filter, Match, Range, RefusedError

PEOPLE = ("amina", "bruno", "chiara")
POINTS = [{"patient_id": who, "labels": label} for who in PEOPLE for label in ("N", "R")]

matches = st.one_of(
    st.builds(Match, value=st.sampled_from(PEOPLE)),
    st.builds(Match, any=st.lists(st.sampled_from(PEOPLE), min_size=1)),
    st.builds(Match, except_=st.lists(st.sampled_from(PEOPLE), min_size=1)),
)
leaves = st.one_of(
    st.builds(Condition, key=st.just("patient_id"), match=matches),
    st.builds(Condition, key=st.just("labels"), match=st.builds(Match, value=st.sampled_from(["N", "R"]))),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(
        Condition,
        must=st.none() | inner | st.lists(inner, max_size=2),
        should=st.none() | st.lists(inner, max_size=2),
        must_not=st.none() | st.lists(inner, max_size=2),
    ).filter(lambda one: any(getattr(one, clause) is not None for clause in CLAUSES)),
    max_leaves=6,
)
drawn = st.builds(
    Filter,
    must=st.none() | conditions | st.lists(conditions, max_size=3),
    should=st.none() | st.lists(conditions, max_size=2),
    must_not=st.none() | st.lists(conditions, max_size=2),
)


def matching(of: Filter | Condition, point: dict[str, str]) -> bool:
    """What the filter means, spelt out."""

    def listed(clause: list[Condition] | Condition | None) -> list[Condition]:
        return [] if clause is None else [clause] if isinstance(clause, Condition) else clause

    def holds(one: Condition) -> bool:
        if one.key is None or one.match is None:
            return matching(one, point)
        value, match = point[one.key], one.match
        if match.value is not None:
            return value == match.value
        return value in match.any if match.any is not None else value not in (match.except_ or ())

    should = listed(of.should)
    return (
        all(map(holds, listed(of.must)))
        and (not should or any(map(holds, should)))
        and not any(map(holds, listed(of.must_not)))
    )


@given(drawn)
def test_a_filter_that_passes_matches_points_of_its_one_tenant_only(of: Filter) -> None:
    try:
        require_tenant(of, "patient_id")
    except RefusedError:
        return
    (named,) = set(tenants(of, "patient_id"))

    assert {point["patient_id"] for point in POINTS if matching(of, point)} <= {named}


@given(drawn)
def test_every_known_filter_reaches_the_engine(of: Filter) -> None:
    assert to_engine(of) is not None


def test_a_plain_tenant_condition_passes() -> None:
    require_tenant(Filter(must=Condition(key="patient_id", match=Match(value="amina"))), "patient_id")
    require_tenant(None, None)


@pytest.mark.parametrize(
    "one",
    [
        Condition(),
        Condition(key="a"),
        Condition(key="a", match=Match()),
        Condition(key="a", match=Match(value=1), range=Range(gte=1)),
        Condition(key="a", match=Match(any=[1, "x"])),
        Condition(key="a", has_id=[1]),
        Condition(has_id=[1], match=Match(value=1)),
        Condition(key="a", match=Match(value=1), must=[]),
    ],
)
def test_a_condition_of_no_kind_or_of_two_is_refused(one: Condition) -> None:
    with pytest.raises(RefusedError) as refused:
        to_engine(Filter(must_not=[one]))

    assert refused.value.status == 400
