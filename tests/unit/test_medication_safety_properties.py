"""What must hold of every check, whatever the record holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clinical.domain.medication_safety import identify, tables
from clinical.domain.provenance import DEMO
from tests.unit.fhir_builders import allergy
from tests.unit.medication_builders import MAN, NONE_KNOWN, WOMAN, checked, egfr, ordered

INGREDIENTS = sorted(row.id for row in tables.table(tables.INGREDIENTS).rows)
RULED = sorted({a for row in tables.table(tables.INTERACTIONS).rows for a in row.content["a"] if a[0] != "@"})
drugs = st.one_of(st.sampled_from(RULED), st.sampled_from(INGREDIENTS))
doses = st.sampled_from(["", "5 mg once daily", "500 mg twice daily", "1 g four times daily", "2 tablets as needed"])
unknown = st.text("bcdfghjklmnpqrstvwxz", min_size=8, max_size=14).filter(
    lambda name: not identify(name, DEMO).ingredients and not identify(name, DEMO).classes
)


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(drugs, min_size=1, max_size=6, unique=True))
    person = draw(st.sampled_from([MAN, WOMAN]))
    allergens = draw(st.lists(drugs, max_size=2, unique=True))
    orders = [ordered(name, draw(doses)) for name in names]
    return [person, egfr(draw(st.sampled_from(["12", "40", "90"]))), *orders, *map(allergy, allergens)]


@given(records(), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_facts_never_matters(record: list[dict[str, Any]], shuffler: Any) -> None:
    mixed = list(record)
    shuffler.shuffle(mixed)

    assert checked(*mixed) == checked(*record)


@given(records(), unknown)
@settings(max_examples=60, deadline=None)
def test_an_unknown_medicine_is_always_said_to_be_not_checked(record: list[dict[str, Any]], name: str) -> None:
    for report in (checked(*record, ordered(name)), checked(*record, asked=(name,))):
        assert any(line.startswith(f"not checked: {name}") for line in report.not_checked)
        assert report.known < report.medicines


@given(records(), drugs)
@settings(max_examples=60, deadline=None)
def test_another_medicine_never_removes_a_finding(record: list[dict[str, Any]], more: str) -> None:
    before = {(one.kind, one.row, one.text) for one in checked(*record).findings}

    after = {(one.kind, one.row, one.text) for one in checked(*record, ordered(more, on="2024-12-01")).findings}

    assert before <= after


@given(records())
@settings(max_examples=60, deadline=None)
def test_every_finding_rests_on_facts_and_on_a_row(record: list[dict[str, Any]]) -> None:
    for one in checked(*record).findings:
        table, _, row = one.row.partition(":")
        assert row in {held.id for held in tables.table(table).rows}
        assert one.citations_from
        assert one.source
        assert one.status in ("checked", "unverified")


@given(st.lists(st.text(max_size=40), max_size=4), st.text(max_size=40))
@settings(max_examples=80, deadline=None)
def test_no_text_breaks_the_check(names: list[str], allergen: str) -> None:
    orders = [ordered(name, name, on=f"2024-01-{place + 1:02d}") for place, name in enumerate(names)]
    report = checked(MAN, NONE_KNOWN, allergy("x", code={"text": allergen or "x"}), *orders)

    assert report.medicines == len(names)
    unknown_medicines = report.medicines - report.known
    assert len([line for line in report.not_checked if line.startswith("not checked: ")]) >= bool(unknown_medicines)
