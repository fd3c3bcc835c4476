"""A quote answers only if it tells what is asked of the thing it names."""

from __future__ import annotations

import pytest

from clinical.domain.quotes.attributes import attributes_told


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("name of the speech therapist", "Six sessions of speech therapy finished in June."),
        ("the carer's phone number", "The carer comes on Mondays and keeps the chart."),
        ("what country does his son live in", "Son lives abroad."),
        ("date of the cardiology appointment", "Letter to cardiology sent, to be seen in autumn."),
        ("sex of the baby?", "Baby active, heard at 140."),
        ("what make is the pump", "On an insulin pump, wants to keep it."),
        ("digoxin level?", "Digoxin level taken today was sent to the laboratory."),
        ("urine culture sensitivities?", "Culture sent; preliminary E. coli, sensitivities to follow."),
        ("has the panel approved the sensor yet", "Sensor: application sent to the panel."),
        ("result of the treadmill test?", "Treadmill test requested within six weeks."),
        ("outcome of the genetics appointment", "1. Family history: referral to the genetics clinic sent."),
        ("what is his mother's BP", "His mother's blood pressure is high."),
        ("what does her son do for a living", "Retired tailor, lives with her son."),
        ("any allergies?", "He left early; allergies could not be asked."),
        ("blood group?", "Blood group tests and consent are in the folder."),
        ("AHI on the repeat sleep study", "A repeat sleep study showed the AHI had fallen."),
        ("manufacturer of the valve", "A mechanical valve was put in."),
        ("result of the MRI", "MRI of the spine is on 27 August."),
        ("any drug allergies", "The allergy page of the old chart is missing."),
    ],
)
def test_a_sentence_that_only_names_the_thing_is_no_answer(question: str, quote: str) -> None:
    assert not attributes_told(question, [quote]).told


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("name of the speech therapist", "Speech therapy with Mrs Holm, weekly."),
        ("the carer's phone number", "Carer reached on 555 0142."),
        ("what country does his son live in", "His son lives in Norway."),
        ("date of the cardiology appointment", "Cardiology will see him on 4 October."),
        ("sex of the baby?", "Anatomy scan normal, a girl."),
        ("blood group?", "Blood group O positive."),
        ("AHI on the repeat sleep study", "On the repeat study the AHI was 6."),
        ("result of the MRI", "MRI of the spine on 27 August showed no compression."),
        ("digoxin level?", "Digoxin level 0.9 before the dose."),
        ("urine culture sensitivities?", "E. coli, resistant to trimethoprim."),
        ("has the panel approved the sensor yet", "Sensor: the panel declined it."),
        ("result of the treadmill test?", "Treadmill test: no ischaemia, repeat planned in two years."),
        ("what is his mother's BP", "His mother's blood pressure was 170/90."),
        ("what does her son do for a living", "Her son works on a ferry."),
        ("is the level being monitored?", "Digoxin level sent."),
        ("why was he not asked about allergies", "Allergies could not be asked, he was confused."),
    ],
)
def test_a_sentence_that_tells_it_is_one(question: str, quote: str) -> None:
    assert attributes_told(question, [quote]).told


def test_what_was_only_requested_stands_beside_not_documented() -> None:
    told = attributes_told("lithium level?", ["Lithium level sent today.", "Lithium 400 mg at night."])
    assert (told.told, told.order) == (False, (0, 1))


def test_a_relatives_private_matter_shows_nothing_of_another() -> None:
    assert attributes_told("his wife's phone number", ["His wife keeps the drug chart."]).order == ()


def test_the_sentence_that_tells_it_goes_first() -> None:
    told = attributes_told("lithium level?", ["Lithium level sent today.", "Lithium level 0.7 in May."])
    assert (told.told, told.order) == (True, (1, 0))
