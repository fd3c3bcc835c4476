"""Every formula names its source; one from memory is marked in the demo and off on a site until approved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clinical.domain.provenance import SourceStatus, Trust
from clinical.domain.scores import formulas, sources
from clinical.domain.scores.judgements import items_of
from clinical.domain.scores.tables import Bands, bands, read
from tests.unit.scores_builders import SITE, ask, bedside, coded, head, person, texts, value, vitals

AF = coded("Atrial fibrillation", "49436004")
UNVERIFIED = [score for score, one in formulas().items() if one.provenance.status is SourceStatus.FROM_MEMORY]
QUESTIONS = {"chadsva": "CHA2DS2-VA", "chadsvasc": "CHA2DS2-VASc", "hasbled": "HAS-BLED", "wells-pe": "Wells PE",
             "meld3": "MELD", "calcium": "corrected calcium"}  # fmt: skip


def test_every_source_has_a_name_an_edition_and_a_status_of_its_own_digest() -> None:
    rows = sources()
    assert len(rows) == len(formulas()) + len(bands())
    assert all(provenance.source and provenance.edition for _, provenance, _ in rows)
    assert len({digest for _, _, digest in rows}) == len(rows)


def test_conditions_and_items_named_by_a_score_exist() -> None:
    known = {row["id"] for row in read("conditions")["rows"]}
    for score in read("items")["scores"]:
        for item in items_of(score):
            assert set(item.evidence) | set(item.hint) <= known


def test_an_unverified_formula_says_so_in_the_demo() -> None:
    assert "unverified: from memory" in head(ask("CHA2DS2-VASc", person(), AF))
    assert "checked against the text" in head(ask("NEWS2", person(), *vitals(), *bedside()))


@pytest.mark.parametrize("score", sorted(UNVERIFIED))
def test_an_unverified_formula_is_not_used_on_a_site_and_the_answer_says_why(score: str) -> None:
    given = ask(QUESTIONS[score], person(), AF, value("calcium", "8"), value("albumin", "3"), trust=SITE)
    assert given.reason == "unverified"
    assert not given.answer.answered
    assert formulas()[score].provenance.source in texts(given)
    assert "has not been approved by this site" in texts(given)


@pytest.mark.parametrize("score", sorted(UNVERIFIED))
def test_an_approved_formula_is_used_on_a_site_and_called_approved(score: str) -> None:
    approved = Trust(site=True, approved=frozenset({formulas()[score].digest}))
    given = ask(QUESTIONS[score], person(), AF, value("calcium", "8"), value("albumin", "3"), trust=approved)
    assert given.reason != "unverified"
    if given.answer.answered:
        assert "approved by this site" in head(given)


def test_an_unverified_band_is_left_out_on_a_site_and_the_checked_one_stays() -> None:
    given = ask("NEWS2", person(), *vitals(heart_rate="120"), *bedside(), trust=SITE)
    assert "Aggregate 1-4" in head(given)
    assert "clinical risk" not in head(given)


def test_the_other_edition_is_not_added_on_a_site_that_approved_only_one() -> None:
    approved = Trust(site=True, approved=frozenset({formulas()["chadsva"].digest}))
    assert "CHA2DS2-VASc" not in texts(ask("CHA2DS2-VA", person(), AF, trust=approved))
    assert "CHA2DS2-VASc" in texts(ask("CHA2DS2-VA", person(), AF))


@pytest.mark.parametrize("table", bands(), ids=lambda table: table.id)
def test_the_words_of_a_band_change_just_above_its_highest_total(table: Bands) -> None:
    finite = [top for top, _ in table.bands if top is not None]
    assert finite == sorted(finite)
    assert all(table.words(top) != table.words(top + Decimal("0.1")) for top in finite)
    assert table.words(Decimal(10_000)) == table.bands[-1][1]
