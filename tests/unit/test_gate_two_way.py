"""What changes a clause of the evidence is said in the sentence too, and what is said together stands together."""

import pytest

from clinical.domain.gate.wordings import wordings
from tests.unit.gate_evidence import of_text, reason_for

CLINIC = (
    "Uses tiotropium daily and salbutamol about four times a week. "
    "Flu jab given in October; pneumococcal vaccine overdue."
)
WARD = "Confused last night, oriented this morning. Physio to mobilise with frame."
TRIAGE = "Ibuprofen given at triage, paracetamol at home prn. XR: buckle fracture distal radius, ulna normal."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CLINIC, "Salbutamol is used about four times a day."),
        (CLINIC, "He received the pneumococcal vaccine in October."),
        (WARD, "She is confused this morning."),
        (WARD, "She has mobilised with a frame."),
        (TRIAGE, "Paracetamol was given at triage."),
        (TRIAGE, "The ulna is fractured."),
        ("Ring 111 if sats under 90.", "Staff rang 111."),
        ("She has been placed on the waiting list for cognitive therapy.", "She has begun cognitive therapy."),
        ("Ventilated for 36 hours then CPAP for 19 days.", "He was ventilated for 19 days."),
        ("He has a brother on methylphenidate.", "He takes methylphenidate."),
        ("Two small rectal polyps left in situ, one polyp removed by snare.", "The rectal polyps were removed."),
    ],
)
def test_a_clause_that_says_otherwise_bears_nothing_out(text: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(text)) is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (CLINIC, "Salbutamol is used about four times a week."),
        (TRIAGE, "Ibuprofen was given at triage."),
        ("Lives with her sister, who has lupus.", "Her sister has lupus."),
        ("He takes ramipril 5 mg once daily.", "He takes ramipril 5 mg daily."),
    ],
)
def test_a_clause_that_says_the_same_bears_it_out(text: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(text)) is None


def test_words_of_the_dictionary_say_the_same_both_ways() -> None:
    table = wordings()
    assert "declin" in table["refus"]
    assert all(one in table[other] for one, others in table.items() for other in others)
