"""Words the evidence lacks: passed over where they state nothing, weighed where they change what is said."""

import pytest

from clinical.domain.gate import Reason
from clinical.domain.gate.reading import read
from clinical.domain.gate.softening import relaxed
from clinical.domain.gate.source import read_passage
from clinical.domain.lexicon.tables import concepts, general_keys, rivals, soft_keys, word_list
from tests.unit.gate_evidence import of_text, reason_for

PLAN = "PLAN\n\nStart apixaban 5 mg. Repeat X-ray in 3 weeks. Please request a colonoscopy. Advised to stop smoking."
DAUGHTER = "Daughter rang about a fall last night. His mother has asthma. Mom has no concerns except a cough."
LEFT = (
    "MRI: invasive carcinoma of the right breast. 16 mmHg right and 27 mmHg left eye pressure. Right 3 mm, left 5 mm."
)
NOTES = (
    "Ibuprofen has been taken every 6 hours but did not help. The knee was treated before surgery. "
    "A night splint was offered but she declined. Metformin 1 g was replaced by gliclazide 80 mg. "
    "Antibiotics not indicated. HbA1c 7.9 % (4.0-5.6). Codeine: nausea. Falls: three, none with injury."
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (NOTES, "Gliclazide 80 mg took the place of metformin."),
        (NOTES, "Metformin 1000 mg was switched to gliclazide 80 mg."),
        (NOTES, "Antibiotics were not needed."),
        (NOTES, "HbA1c was high at 7.9 %."),
        (NOTES, "She turned down a night splint."),
        (PLAN, "Apixaban 5 mg is to be started."),
        (PLAN, "A colonoscopy has been requested."),
        (PLAN, "The X-ray is to be repeated in three weeks."),
        (PLAN, "She was advised to give up smoking."),
        (DAUGHTER, "There was a fall last night."),
        (DAUGHTER, "His mother is asthmatic."),
        (LEFT, "She has right-sided breast cancer."),
    ],
)
def test_other_words_for_the_same_are_shown(text: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(text)) is None


@pytest.mark.parametrize(
    ("text", "sentence", "expected"),
    [
        (NOTES, "Ibuprofen every 6 hours helped.", Reason.NEGATION_DIFFERS),
        (NOTES, "The knee was treated after surgery.", Reason.NOT_BORNE_OUT),
        (NOTES, "She received a night splint.", Reason.TIME_DIFFERS),
        (NOTES, "Gliclazide 80 mg was switched to metformin 1 g.", Reason.VALUE_OF_ANOTHER),
        (NOTES, "HbA1c was low at 7.9 %.", Reason.NOT_BORNE_OUT),
        (NOTES, "The falls caused an injury.", Reason.NEGATION_DIFFERS),
        (PLAN, "She takes apixaban 5 mg.", Reason.TIME_DIFFERS),
        (PLAN, "Apixaban 5 mg was started.", Reason.TIME_DIFFERS),
        (PLAN, "A repeat X-ray has been done.", Reason.TIME_DIFFERS),
        (PLAN, "A colonoscopy was performed.", Reason.TIME_DIFFERS),
        (PLAN, "She has stopped smoking.", Reason.TIME_DIFFERS),
        (DAUGHTER, "He has asthma.", Reason.SUBJECT_DIFFERS),
        (DAUGHTER, "His mother has a cough.", Reason.SUBJECT_DIFFERS),
        (LEFT, "She has left-sided breast cancer.", Reason.CONDITION_NOT_IN_SOURCE),
    ],
)
def test_a_word_that_changes_what_is_said_is_never_passed_over(text: str, sentence: str, expected: Reason) -> None:
    assert reason_for(sentence, of_text(text)) is expected


def test_an_order_is_not_intake_whoever_wrote_it() -> None:
    ordered = of_text("Amlodipine 5 mg daily was ordered by Dr Lee.")
    assert reason_for("Dr Lee ordered amlodipine 5 mg daily.", ordered) is None
    assert reason_for("She takes amlodipine 5 mg daily.", ordered) is Reason.TIME_DIFFERS


def test_no_word_that_is_weighed_is_on_the_list_of_those_passed_over() -> None:
    passed = soft_keys() | general_keys()
    assert not passed & word_list("sites")
    assert not passed & {f"word:{name}" for name in word_list("qualities")}
    assert not passed & {key for key, concept in concepts().items() if not key.startswith("word:") and concept.names}
    assert all(f"w:{stem}" not in general_keys() for stem in rivals())


def test_a_name_from_elsewhere_in_the_passage_bears_nothing_out_alone() -> None:
    sources = of_text("Seen by Dr Novak. Desires a TOLAC. Cough for 3 days.")
    assert reason_for("Dr Novak heard of a cough for 3 days.", sources) is None
    assert reason_for("She had a TOLAC.", sources) is Reason.TIME_DIFFERS


def test_a_sentence_is_never_relaxed_until_nothing_is_left() -> None:
    (one,) = of_text("Potassium 5.6 mmol/L.")
    window = read_passage(one.passage).windows()[0]
    claim = read("The outcome was described.")
    assert relaxed(claim, window) == claim
