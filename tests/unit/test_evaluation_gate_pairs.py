"""Counting gate verdicts, and the two simple rivals a gate has to beat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.evaluation.gate_pairs import (
    GateCounts,
    GatePair,
    all_words_baseline,
    count,
    substring_baseline,
)

EVIDENCE = "On 11 Aug 2026 potassium was 5.6 mmol/L; denies chest pain."


def pair(sentence: str, pair_id: str = "p", *, supported: bool = True) -> GatePair:
    return GatePair(pair_id, EVIDENCE, sentence, supported)


def test_each_pair_falls_into_one_of_four_counts() -> None:
    pairs = [pair("a", "1"), pair("b", "2"), pair("c", "3", supported=False), pair("d", "4", supported=False)]

    counts = count(pairs, {"1": True, "2": False, "3": True, "4": False})

    assert counts == GateCounts(1, 1, 1, 1)
    assert counts.wrong == 2
    assert counts.as_json() == {
        "supported_shown": 1,
        "supported_withheld": 1,
        "unsupported_shown": 1,
        "unsupported_withheld": 1,
    }


def test_a_pair_without_verdict_is_an_error() -> None:
    with pytest.raises(KeyError):
        count([pair("a")], {})


@pytest.mark.parametrize(
    ("sentence", "substring", "all_words"),
    [
        ("Potassium was 5.6 mmol/L.", True, True),
        ("5.6 mmol/L was potassium.", False, True),
        ("Potassium was 5.8 mmol/L.", False, False),
        ("Chest pain.", True, True),
        ("Potassium was 5", False, False),
    ],
)
def test_the_rivals_look_at_words_only(sentence: str, substring: bool, all_words: bool) -> None:
    assert substring_baseline(pair(sentence)) is substring
    assert all_words_baseline(pair(sentence)) is all_words


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_counts_add_up(outcomes: list[tuple[bool, bool]]) -> None:
    pairs = [pair("x", str(index), supported=supported) for index, (supported, _) in enumerate(outcomes)]

    counts = count(pairs, {str(index): shown for index, (_, shown) in enumerate(outcomes)})

    assert sum(counts.as_json().values()) == len(outcomes)
    assert counts.wrong == sum(supported != shown for supported, shown in outcomes)


@given(st.text(alphabet="abc 12.", max_size=20), st.text(alphabet="abc 12.", max_size=40))
def test_what_is_a_substring_has_all_its_words(sentence: str, evidence: str) -> None:
    case = GatePair("p", evidence, sentence, supported=True)

    assert all_words_baseline(case) or not substring_baseline(case)
