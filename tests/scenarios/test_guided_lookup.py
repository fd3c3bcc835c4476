"""The model is asked to pick a look-up only where the site wants it and the grammar reads none; it writes no value."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from clinical.answering.guided import related_lookup
from clinical.domain.provenance import DEMO
from clinical.domain.route import route, vocabulary_of
from clinical.ports import backends
from tests.unit.fhir_builders import facts, observation

if TYPE_CHECKING:
    from clinical.domain.route import CodeSentence
    from tests.fakes import ScriptedChatModel

HELD = facts(observation("Potassium", "5.2", on="2025-03-01"))
WORDS = vocabulary_of(HELD)
UNREAD = "how does the salt balance look these days"


def chat() -> ScriptedChatModel:
    return backends().chat  # type: ignore[return-value]


def picked(question: str, says: str) -> tuple[CodeSentence, ...]:
    chat().says = says
    chosen = route(question, WORDS)
    return related_lookup(question, chosen, WORDS, HELD, today=date(2025, 6, 1), trust=DEMO)


def test_it_is_off_unless_the_site_switches_it_on() -> None:
    assert picked(UNREAD, "latest results") == ()
    assert chat().prompts == []


def test_where_the_grammar_reads_a_look_up_the_model_is_not_asked(settings: Any) -> None:
    settings.CLINICAL_GUIDED_LOOKUPS = True
    assert picked("latest potassium", "latest results") == ()
    assert chat().prompts == []


def test_a_pick_brings_up_the_records_own_value(settings: Any) -> None:
    settings.CLINICAL_GUIDED_LOOKUPS = True
    found = picked(UNREAD, "latest results")
    assert len(chat().prompts) == 1
    assert "5.2 mmol/L" in found[0].text
    assert found[0].citations_from[0][0] is HELD[0]


@pytest.mark.parametrize("says", ["potassium is 7.9 mmol/L", "none of these", ""])
def test_whatever_else_it_says_shows_nothing(settings: Any, says: str) -> None:
    settings.CLINICAL_GUIDED_LOOKUPS = True
    assert picked(UNREAD, says) == ()


def test_a_model_that_is_down_changes_no_answer(settings: Any) -> None:
    settings.CLINICAL_GUIDED_LOOKUPS = True
    chat().down = True
    assert picked(UNREAD, "latest results") == ()
