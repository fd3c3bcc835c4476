"""A note in a language without rules is quoted, never drafted from; a sentence in one is never shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.gate import Reason, has_rules_for
from tests.unit.gate_evidence import of_text, reason_for

OTHER = [
    "El paciente niega dolor torácico y no tiene fiebre.",
    "Dolor abdominal desde hace 3 días.",
    "Patiente de 54 ans, diabète de type 2, sous metformine.",
    "Fièvre et toux.",
    "Der Patient klagt über Husten, kein Fieber.",
    "Kein Fieber.",
    "Blutdruck 120/80",
    "Paciente com tosse há 5 dias, sem febre.",
    "Il paziente riferisce dolore al ginocchio sinistro.",
    "Patiënt heeft geen koorts.",
    "Patienten har ont i vänster knä och ingen feber.",
    "Pacjent nie ma gorączki, ale jest kaszel.",
    "Hastada öksürük var, tedavi yok.",
    "患者は咳をしています。",
    "Пациент жалуется на боль в груди.",
    "The patient was seen today. El paciente refiere dolor en la pierna izquierda desde hace dos semanas.",
]
ENGLISH = [
    "Potassium 5.6 mmol/L.",
    "NKDA.",
    "K 4.1",
    "",
    "Pain in the left hand.",
    "Mrs de la Cruz was seen by Dr van der Berg.",
    "Sjögren's syndrome and Guillain-Barré.",
    "He was seen at Hôpital Saint-Louis in Paris for Crohn's disease.",
    "The patient speaks Spanish; an interpreter was present.",
    "Metformin 500 mg BD, beta blocker, 5 \u03bcg.",
    "Died in 2019 of a stroke.",
]


@pytest.mark.parametrize("text", OTHER)
def test_another_language_is_told_even_when_short_or_mixed(text: str) -> None:
    assert not has_rules_for(text)


@pytest.mark.parametrize("text", ENGLISH)
def test_english_values_and_foreign_names_are_read(text: str) -> None:
    assert has_rules_for(text)


@pytest.mark.parametrize("text", OTHER)
def test_nothing_is_drafted_from_or_in_another_language(text: str) -> None:
    assert reason_for(text, of_text(text)) in {Reason.LANGUAGE, Reason.NO_SOURCE}
    assert reason_for("Potassium was 5.6 mmol/L.", of_text(f"{text} Potassium 5.6 mmol/L.")) is Reason.NO_SOURCE


def test_a_passage_in_english_still_bears_out_beside_one_that_is_not() -> None:
    evidence = of_text("Kein Fieber. Kalium ist 5.6 mmol/L und nicht hoch.", "Potassium 5.6 mmol/L.")
    assert reason_for("Potassium was 5.6 mmol/L.", evidence) is None


@given(st.text(max_size=60))
def test_any_text_is_told(text: str) -> None:
    assert has_rules_for(text) in {True, False}
