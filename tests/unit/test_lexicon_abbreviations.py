"""The table of abbreviations: where it comes from, what is written out, and that no ambiguous one is decided."""

from __future__ import annotations

from collections import Counter

import pytest

from clinical.domain.lexicon.abbreviations import (
    abbreviated,
    abbreviations,
    in_words,
    meanings_of,
    spelled_out,
    undecided,
)
from clinical.domain.provenance import SourceStatus


def test_each_abbreviation_stands_once_with_its_meanings_and_a_source() -> None:
    spelled = Counter(short.lower() for one in abbreviations() for short in one.short)
    assert [short for short, count in spelled.items() if count > 1] == []
    assert all(one.meanings and all(one.meanings) and one.provenance.source for one in abbreviations())


def test_only_rows_that_name_an_opened_source_count_as_checked() -> None:
    checked = [one for one in abbreviations() if one.provenance.status is SourceStatus.CHECKED]
    assert checked
    assert all(one.provenance.edition for one in checked)
    assert len(checked) < len(abbreviations())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("how much wt gain", "how much weight gain"),
        ("PMH?", "past medical history?"),
        ("fam hx of gout", "family history of gout"),
        ("renal US", "renal ultrasound"),
        ("let us know", "let us know"),
        ("on abx?", "on antibiotics?"),
        ("SLR", "SLR"),
    ],
)
def test_shorthand_for_plain_words_is_written_out_and_nothing_else(typed: str, meant: str) -> None:
    assert in_words(typed) == meant


def test_an_ambiguous_abbreviation_is_named_with_every_meaning() -> None:
    assert dict(meanings_of("any MS?"))["MS"] == ("multiple sclerosis", "mitral stenosis", "morphine sulfate")
    assert dict(meanings_of("any PE?"))["PE"][:2] == ("pulmonary embolism", "physical examination")
    assert meanings_of("SLR?") == ()


@pytest.mark.parametrize(
    "question", ["Ms Smith's weight", "as before", "Mr Jones", "salt intake", "big toe", "hi there"]
)
def test_a_title_or_an_ordinary_word_is_no_abbreviation(question: str) -> None:
    assert meanings_of(question) == ()
    assert spelled_out(question) == question


def test_capitals_do_not_decide_an_ambiguous_abbreviation() -> None:
    assert undecided("CP since when?") == "cp since when?"
    assert undecided("SLR?") == "SLR?"


def test_a_search_by_likeness_is_given_the_words() -> None:
    assert "straight leg raise" in spelled_out("SLR?")
    assert all(meaning in spelled_out("MS?") for meaning in ("multiple sclerosis", "mitral stenosis"))


def test_a_meaning_written_out_is_also_looked_for_as_the_ambiguous_abbreviation() -> None:
    assert "has he MS?" in [text for _one, text in abbreviated("has he multiple sclerosis?")]
    assert abbreviated("straight leg raise?") == ()
