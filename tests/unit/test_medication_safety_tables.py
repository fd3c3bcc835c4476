"""The tables themselves: complete, without contradiction, each row with its source."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.report import SEVERITIES
from clinical.domain.medication_safety.rules import rules_of
from clinical.domain.provenance import DEMO, SourceStatus, Trust

PANEL = [row for row in tables.table(tables.INTERACTIONS).rows if "panel" in row.content]
KNOWN = {row.id for row in tables.table(tables.INGREDIENTS).rows}
MEMBERS = rules_of(DEMO).members


def test_the_tables_are_as_large_as_promised() -> None:
    assert len(KNOWN) >= 300
    assert sum(bool(row.content.get("of")) for row in tables.table(tables.ALLERGIES).rows) >= 25
    assert len({row.content["ingredient"] for row in tables.table(tables.DOSE_LIMITS).rows}) >= 60


def test_the_panel_has_its_fifteen_pairs() -> None:
    assert sorted(row.content["panel"] for row in PANEL) == list(range(1, 16))
    assert {row.provenance.status for row in PANEL} == {SourceStatus.CHECKED}


@pytest.mark.parametrize("row", PANEL, ids=lambda row: row.content["pair"].replace(" ", "-"))
def test_every_expanded_pair_of_the_panel_is_found_in_both_orders(row: object) -> None:
    content = row.content  # type: ignore[attr-defined]
    expanded = [pair for pair in product(content["a"], content["b"]) if pair[0] != pair[1]]
    assert expanded
    for a, b in expanded:
        held = rules_of(DEMO).interactions[min(a, b), max(a, b)]
        assert row in [rule.row for rule in held], (a, b)
        assert {a, b} <= KNOWN


@pytest.mark.parametrize(
    ("a", "b", "number"),
    [
        ("methylphenidate", "phenelzine", 1), ("atazanavir", "omeprazole", 2), ("febuxostat", "azathioprine", 3),
        ("sertraline", "selegiline", 4), ("irinotecan", "ketoconazole", 5), ("meperidine", "tranylcypromine", 6),
        ("amitriptyline", "isocarboxazid", 7), ("citalopram", "methadone", 8), ("ramelteon", "fluvoxamine", 9),
        ("darunavir", "rifampicin", 10), ("simvastatin", "clarithromycin", 11), ("ergotamine", "ritonavir", 12),
        ("tizanidine", "ciprofloxacin", 13), ("tranylcypromine", "procarbazine", 14), ("sumatriptan", "phenelzine", 15),
    ],
)  # fmt: skip
def test_a_pair_of_each_class_pair_is_contraindicated(a: str, b: str, number: int) -> None:
    held = rules_of(DEMO).interactions[min(a, b), max(a, b)]

    assert (number, "contraindicated") in [
        (rule.row.content.get("panel"), rule.row.content["severity"]) for rule in held
    ]


def test_rules_name_only_ingredients_and_classes_of_the_tables() -> None:
    classes = {one for row in tables.table(tables.INGREDIENTS).rows for one in row.content.get("classes", ())}
    named = [item for row in tables.table(tables.INTERACTIONS).rows for item in (*row.content["a"], *row.content["b"])]
    named += [item for row in tables.table(tables.ALLERGIES).rows for item in row.content["of"]]
    named += [one["to"] for row in tables.table(tables.ALLERGIES).rows for one in row.content.get("cross", ())]
    named += [row.content["of"] for name in (tables.RENAL_LIMITS, tables.PREGNANCY) for row in tables.table(name).rows]
    named += [row.content["ingredient"] for row in tables.table(tables.DOSE_LIMITS).rows]
    named += [item for row in tables.table(tables.PRODUCTS).rows for item in row.content["ingredients"]]
    duplicated = [one for row in tables.table(tables.DUPLICATES).rows for one in row.content["classes"] if one != "*"]

    assert {item for item in named if item not in KNOWN and item[1:] not in classes} == set()
    assert set(duplicated) <= classes


def test_every_class_of_a_rule_has_a_name() -> None:
    named = {row.id for row in tables.table(tables.CLASSES).rows}
    rows = tables.table(tables.INTERACTIONS).rows
    used = {item[1:] for row in rows for item in (*row.content["a"], *row.content["b"]) if item.startswith("@")}

    assert used <= named


def test_severities_and_effects_are_those_of_the_tables() -> None:
    effects = {row.id for row in tables.table(tables.EFFECTS).rows}
    rows = tables.table(tables.INTERACTIONS).rows

    assert {row.content["severity"] for row in rows} <= set(SEVERITIES)
    assert {row.content["effect"] for row in rows} == effects


def test_no_two_rules_are_about_the_same_pairs_and_effect() -> None:
    seen: dict[tuple[object, ...], str] = {}
    for row in tables.table(tables.INTERACTIONS).rows:
        about = frozenset([MEMBERS(row.content["a"]), MEMBERS(row.content["b"])]), row.content["effect"]
        assert about not in seen, (row.id, seen.get(about))
        seen[about] = row.id


def test_no_ingredient_is_expected_and_not_expected_to_cross_react() -> None:
    for row in tables.table(tables.ALLERGIES).rows:
        levels: dict[str, str] = {}
        members = MEMBERS(row.content["of"])
        for one in row.content.get("cross", ()):
            for ingredient in MEMBERS([one["to"]]) - members:
                before = levels.setdefault(ingredient, one["level"])
                # the first that names an ingredient counts: the narrower class stands before the wider
                assert "none" not in {before, one["level"]} or before == one["level"], (row.id, ingredient)


def test_non_antibacterial_sulfonamides_are_said_not_to_cross_react() -> None:
    [row] = [one for one in tables.table(tables.ALLERGIES).rows if one.id == "sulfonamide-antibiotics"]

    assert ("@sulfonamide-other", "none") in [(one["to"], one["level"]) for one in row.content["cross"]]
    assert "furosemide" in MEMBERS(["@sulfonamide-other"])


def test_age_bands_of_one_medicine_and_route_do_not_overlap() -> None:
    bands: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in tables.table(tables.DOSE_LIMITS).rows:
        held = row.content
        bands.setdefault((held["ingredient"], held["route"]), []).append((held["age_from"], held.get("age_to", 200)))
    for about, found in bands.items():
        for (low, high), (other, top) in combinations(found, 2):
            assert high <= other or top <= low, about


def test_a_single_dose_limit_is_not_above_the_daily_one() -> None:
    for row in tables.table(tables.DOSE_LIMITS).rows:
        if {"single_mg", "daily_mg"} <= row.content.keys() and row.content.get("note") != "maintenance":
            assert row.content["single_mg"] <= row.content["daily_mg"], row.id


def test_a_lower_filtration_rate_is_never_judged_milder() -> None:
    by_medicine: dict[str, list[tuple[float, int]]] = {}
    for row in tables.table(tables.RENAL_LIMITS).rows:
        level = SEVERITIES[row.content["level"]]
        by_medicine.setdefault(row.content["of"], []).append((row.content["egfr_below"], level))
    for medicine, found in by_medicine.items():
        levels = [level for _, level in sorted(found)]
        assert levels == sorted(levels, reverse=True), medicine


@pytest.mark.parametrize("table", tables.every_table(), ids=lambda table: table.name)
def test_every_row_has_a_source_an_edition_and_a_status(table: object) -> None:
    rows = table.rows  # type: ignore[attr-defined]

    assert rows
    for row in rows:
        assert row.provenance.source
        assert row.provenance.edition
        assert row.provenance.status in (SourceStatus.CHECKED, SourceStatus.FROM_MEMORY)
    assert len({row.digest for row in rows}) == len(rows)


def test_on_a_site_only_checked_and_approved_rows_are_in_force() -> None:
    site = Trust(site=True)
    renal = next(row for row in tables.table(tables.RENAL_LIMITS).rows if row.provenance.status != SourceStatus.CHECKED)

    assert {row.provenance.status for row in tables.in_force(tables.INTERACTIONS, site)} == {SourceStatus.CHECKED}
    assert renal not in list(tables.in_force(tables.RENAL_LIMITS, site))
    approved = Trust(site=True, approved=frozenset([renal.digest]))
    assert renal in list(tables.in_force(tables.RENAL_LIMITS, approved))
