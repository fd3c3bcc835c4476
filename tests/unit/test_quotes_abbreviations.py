"""Notes are searched for an abbreviation and for what it stands for, in both directions."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.domain.passages import Part, Passage, Span
from clinical.domain.quotes import best_quotes


def noted(*texts: str, section: str = "") -> list[Passage]:
    return [
        Passage(
            UUID(int=number), Span(f"DocumentReference/{number}", "1", Part.TEXT, 0, len(text)), text,
            "DocumentReference", "2026-01-05", "Clinic note", section,
        )
        for number, text in enumerate(texts, start=1)
    ]  # fmt: skip


def answers(question: str, *texts: str) -> bool:
    return best_quotes(question, noted(*texts)).answered


PAIRS = [
    ("SLR?", "Positive straight leg raise on the right."),
    ("was the straight leg raise positive", "SLR positive at 40 degrees on the left."),
    ("any DOE?", "She becomes short of breath with activity such as two flights of stairs."),
    ("dyspnea on exertion?", "Reports DOE for two weeks."),
    ("any LE edema?", "There is pitting edema to both shins."),
    ("lower extremity swelling?", "No LE edema."),
    ("JVD?", "No jugular venous distention."),
    ("CVA tenderness?", "No costovertebral angle tenderness."),
    ("costovertebral angle tenderness", "No CVAT."),
    ("pedal pulses?", "The dorsalis pedis is not palpable."),
    ("PVR?", "Ultrasound of the bladder: post-void residual 20 mL."),
    ("post void residual", "Bladder scan: residual urine 20 mL."),
    ("is he on DAPT", "Continue aspirin 81 mg and clopidogrel 75 mg."),
    ("on a bowel regimen?", "Docusate 100 mg twice daily."),
    ("any LUTS?", "He denies lower urinary tract symptoms."),
    ("PFTs?", "Pulmonary function tests were normal."),
    ("pulmonary function tests?", "PFTs normal."),
    ("ORIF done?", "He had open reduction and internal fixation of the ankle."),
    ("any melena", "He denies dark, tarry stools."),
    ("EOMI?", "Extraocular movements are intact."),
    ("subdural hematoma?", "CT shows no subdural haematoma."),
]


@pytest.mark.parametrize(("question", "sentence"), PAIRS)
def test_an_abbreviation_and_its_words_find_each_other(question: str, sentence: str) -> None:
    assert answers(question, sentence)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("SLR?", "Leg press was straightforward."),
        ("any DVT?", "CT shows a pulmonary embolism."),
        ("ulcerative colitis?", "Known IBD, in remission."),
        ("CRPS?", "CRP 12 mg/L."),
        ("TOE?", "He stubbed his toe."),
        ("PVR?", "He voided without difficulty."),
    ],
)
def test_what_is_another_matter_or_narrower_is_not_found(question: str, sentence: str) -> None:
    assert not answers(question, sentence)


def test_an_ambiguous_abbreviation_is_searched_for_in_every_meaning() -> None:
    held = noted("Multiple sclerosis since 2010.", "Echo: mild mitral stenosis.")
    quotes = [one.quote for one in best_quotes("any MS?", held).quotes]
    assert len(quotes) == len(held)


def test_an_ambiguous_abbreviation_of_a_note_is_shown_and_is_no_answer() -> None:
    found = best_quotes("has she multiple sclerosis?", noted("Background of MS, walks with a stick."))
    assert not found.answered
    assert [one.quote for one in found.quotes] == ["Background of MS, walks with a stick."]


@pytest.mark.parametrize("question", ["does she drink", "how much does she drink?", "is she drinking", "ETOH?"])
def test_drinking_is_alcohol_unless_another_drink_is_named(question: str) -> None:
    assert not answers(question, "She drinks two glasses of orange juice with breakfast.")
    assert answers(question, "She drinks two glasses of wine at weekends.")


def test_another_drink_is_found_where_it_is_named() -> None:
    assert answers("does she drink enough water", "She drinks plenty of water.")


@pytest.mark.parametrize("text", ["Unable to obtain; patient intubated.", "Could not be asked, patient unconscious."])
def test_allergies_that_could_not_be_asked_are_neither_none_nor_one(text: str) -> None:
    held = noted(text, section="ALLERGIES")
    assert not best_quotes("any allergies?", held).answered
    asked = best_quotes("was an allergy history ever taken?", held)
    assert asked.answered
    assert [one.quote for one in asked.quotes] == [text]


def test_a_family_history_of_a_kind_of_illness_is_answered_by_one_of_that_kind() -> None:
    assert answers("family hx of psych illness", "Family history: sister has bipolar disorder.")


@pytest.mark.parametrize(
    ("sentence", "told"),
    [("Ulcer of the left heel, 2 x 3 cm.", True), ("He has had the ulcer for 6 to 8 weeks.", False)],
)
def test_a_size_is_no_length_of_time(sentence: str, told: bool) -> None:
    assert answers("size of the ulcer", sentence) is told


def test_the_level_of_an_operation_on_the_spine_is_a_vertebra() -> None:
    assert not answers("what level was the discectomy done at?", "A 55-year-old man after discectomy.")
    assert answers("what level was the discectomy done at?", "L4/5 discectomy in 2019.")


@pytest.mark.parametrize(
    ("question", "sentence", "untold"),
    [
        ("has he a rash or fever", "He has a rash on the arm.", ("fever",)),
        ("any rash or fever?", "He has a rash. No fever.", ()),
        ("any fever or rash?", "Denies fever, chills, or rash.", ()),
        ("does he have diabetes or asthma", "No history of diabetes.", ("asthma",)),
        ("any fever or rash?", "Seen today, well in himself.", ()),
    ],
)
def test_each_condition_asked_about_is_looked_for_and_what_is_not_found_is_named(
    question: str, sentence: str, untold: tuple[str, ...]
) -> None:
    assert best_quotes(question, noted(sentence)).untold == untold


def test_a_name_that_opens_a_sentence_tells_who() -> None:
    assert answers("who has POA", "Orla holds power of attorney for health since 2021.")
    assert not answers("who has POA", "Power of attorney was discussed.")


def test_a_history_without_a_section_of_its_own_is_told_by_the_sentence_that_names_it() -> None:
    assert answers("PMH?", "A 61-year-old man with a past medical history of kidney stones and migraine.")
    assert not answers("PMH?", "A 61-year-old man with kidney stones.")
