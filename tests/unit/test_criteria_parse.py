"""Criteria written into a guideline: read exactly, cited exactly, and nothing untestable lost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.criteria import Edition, Standing, parse_criteria
from clinical.domain.criteria.edition import newest, not_used
from ingestion.domain.front_matter import split_front_matter

LIBRARY = Path(__file__).parents[2] / "appliance" / "demo_clinic" / "guidelines"
TEXT = """# Heart

Prose before.

## Criteria: heart failure

Also asked as: HF; cardiac failure.

| id | finding | speaks | test | words in notes | within |
| --- | --- | --- | --- | --- | --- |
| bnp | NT-proBNP 125 or more | for | measure nt-probnp >= 125 pg/mL within 365 d or measure bnp ≥ 35 pg/mL | | |
| oedema | Swollen legs | for | | oedema; swollen legs | 90 d |
| copd | COPD | against | problem copd | | |
| odd | Strange | for | measure moonlight > 3 | | |
| hb | Low haemoglobin | for | measure hemoglobin < 12 g/dL if female | | |

## After

| id | finding |
| --- | --- |
| no | not a criterion |
"""


class TestReading:
    def test_topic_names_and_rows_are_read(self) -> None:
        [found] = parse_criteria(TEXT)

        assert found.topic == "heart failure"
        assert found.names == ("heart failure", "HF", "cardiac failure")
        assert [one.id for one in found.criteria] == ["bnp", "oedema", "copd", "odd", "hb"]

    def test_every_place_is_the_very_row(self) -> None:
        [found] = parse_criteria(TEXT)

        assert TEXT[found.start : found.end] == "## Criteria: heart failure"
        for one in found.criteria:
            assert TEXT[one.start : one.end].startswith(f"| {one.id} |")
            assert "\n" not in TEXT[one.start : one.end]

    def test_a_test_has_its_number_unit_span_and_alternatives(self) -> None:
        [found] = parse_criteria(TEXT)
        first, second = found.criteria[0].tests

        assert (first.name, first.operator, first.number, first.unit) == ("nt-probnp", ">=", Decimal(125), "pg/mL")
        assert first.days == Decimal(365)
        assert (second.name, second.operator, second.days) == ("bnp", ">=", None)
        assert found.criteria[4].tests[0].sex == "female"

    def test_words_and_how_old_they_may_be(self) -> None:
        [found] = parse_criteria(TEXT)

        assert found.criteria[1].words == ("oedema", "swollen legs")
        assert found.criteria[1].days == Decimal(90)
        assert found.criteria[2].speaks == "against"

    def test_a_row_that_cannot_be_tested_is_kept_with_its_fault(self) -> None:
        [found] = parse_criteria(TEXT)

        assert found.criteria[3].tests == ()
        assert found.criteria[3].fault == "measure moonlight > 3"

    def test_the_form_that_html_text_has_is_read_too(self) -> None:
        text = "Criteria: gout\nid | finding | test\nurate | Urate above 6 | measure uric-acid > 6 mg/dL\n"

        [found] = parse_criteria(text)

        assert found.criteria[0].tests[0].name == "uric-acid"
        assert text[found.criteria[0].start : found.criteria[0].end].startswith("urate |")

    def test_a_guideline_without_criteria_has_none(self) -> None:
        assert parse_criteria("# Falls\n\nThe criteria for a fall are vague.\n") == ()

    @given(st.text(alphabet="|# criteria:for\n-abc<>=0 ", max_size=300))
    def test_no_text_breaks_the_reader(self, text: str) -> None:
        for found in parse_criteria(text):
            for one in found.criteria:
                assert text[one.start : one.end].strip()


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.md")), ids=lambda path: path.stem)
def test_every_criterion_of_the_demo_library_can_be_tested(path: Path) -> None:
    text = path.read_text("utf-8")
    _, start = split_front_matter(text)

    for found in parse_criteria(text[start:]):
        for one in found.criteria:
            assert not one.fault
            assert one.tests or one.words


class TestEditions:
    def edition(self, label: str, *, expires: str = "2030-01-01", approver: str = "Dr A", row: int = 1) -> Edition:
        return Edition(
            f"Guideline/{row}", "1", "Heart", label, "group", approver, "here", date.fromisoformat(expires), "x"
        )

    def test_an_edition_is_in_force_up_to_its_last_day(self) -> None:
        edition = self.edition("1", expires="2026-03-01")

        assert edition.standing(date(2026, 3, 1)) is Standing.IN_FORCE
        assert edition.standing(date(2026, 3, 2)) is Standing.EXPIRED
        assert "expired on 01-Mar-2026 and is not used" in not_used(edition, date(2026, 3, 2))

    def test_one_without_an_approver_is_never_in_force(self) -> None:
        edition = self.edition("1", approver=" ")

        assert edition.standing(date(2026, 1, 1)) is Standing.UNAPPROVED
        assert "has no approver and is not used" in not_used(edition, date(2026, 1, 1))

    def test_the_newer_edition_supersedes_and_an_expired_newest_brings_no_older_one_back(self) -> None:
        old, new = self.edition("2024-1", row=5), self.edition("2026-1", expires="2025-01-01", row=2)

        assert newest([new, old]) == [new]

    def test_a_draft_without_approval_supersedes_nothing(self) -> None:
        held, draft = self.edition("2024-1"), self.edition("2026-1", approver="", row=2)

        assert newest([held, draft]) == [held]
