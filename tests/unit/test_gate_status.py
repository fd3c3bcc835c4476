"""What was only planned, offered, ordered, wanted or tried is not told as done; the same status in other words is."""

import json
from importlib.resources import files

import pytest

from clinical.domain.gate import Reason
from clinical.domain.gate.plans import as_far_as
from clinical.domain.gate.reading import read
from clinical.domain.gate.rules import RULES
from tests.unit.gate_evidence import of_text, reason_for

# Each tells of a deed that has not taken place; "{}" is the deed as a noun, in its place in the sentence.
NOT_YET = (
    "We talked about {}.",
    "She is considering {}.",
    "{} was offered.",
    "{} was recommended.",
    "{} has been requested.",
    "{} is booked for Monday.",
    "{} was postponed.",
    "{} may be needed.",
    "{} if no better.",
    "She is on the waiting list for {}.",
    "She hopes for {}.",
    "She is a candidate for {}.",
    "Funding for {} has been approved.",
    "We discussed the benefits of {}.",
    "She declined {}.",
    "Information about {} was given.",
    "The next step is {}.",
)
DEEDS = (
    ("a liver biopsy", "A liver biopsy was performed."),
    ("an MRI of the knee", "She had an MRI of the knee."),
    ("bezafibrate 400 mg", "She takes bezafibrate 400 mg."),
    ("a knee replacement", "She underwent a knee replacement."),
)


@pytest.mark.parametrize("told", NOT_YET)
@pytest.mark.parametrize(("deed", "done"), DEEDS)
def test_a_deed_that_has_not_taken_place_is_not_told_as_done(told: str, deed: str, done: str) -> None:
    evidence = told.format(deed)
    assert reason_for(done, of_text(evidence[0].upper() + evidence[1:])) is not None


@pytest.mark.parametrize(("deed", "done"), DEEDS)
def test_a_deed_that_took_place_is_told_as_done(deed: str, done: str) -> None:
    verb = {"takes": "takes", "had": "has had", "underwent": "has had"}.get(done.split()[1], "has had")
    assert reason_for(done, of_text(f"She {verb} {deed}.")) is None


@pytest.mark.parametrize(
    ("evidence", "sentence", "expected"),
    [
        ("Dietitian to see.", "The dietitian has seen her.", Reason.TIME_DIFFERS),
        ("Dietitian referral sent.", "The dietitian has seen her.", Reason.TIME_DIFFERS),
        ("She has tried to stop codeine.", "She stopped codeine.", Reason.TIME_DIFFERS),
        ("Extubate if the cough is strong.", "The patient was extubated.", Reason.TIME_DIFFERS),
        ("Pending at discharge: vitamin D.", "Vitamin D was low.", Reason.NOT_BORNE_OUT),
        ("This is viral wheeze rather than asthma.", "She has asthma.", Reason.NEGATION_DIFFERS),
        ("He has a brother on insulin.", "He takes insulin.", Reason.SUBJECT_DIFFERS),
        ("Advised to use ibuprofen gel.", "He was advised to use ibuprofen tablets.", Reason.NOT_BORNE_OUT),
        ("Ventilated for 48 hours, then oxygen for 6 days.", "Ventilated for 6 days.", Reason.VALUE_OF_ANOTHER),
        ("Observations every 2 hours.", "Observations were done for 2 hours.", Reason.VALUE_OF_ANOTHER),
        ("Iron tablets on alternate days.", "Iron tablets are taken daily.", Reason.NOT_BORNE_OUT),
        ("Vaccinated against tetanus in 2021.", "She was vaccinated against tetanus today.", Reason.DATE_NOT_IN_SOURCE),
        ("Two trips, no falls.", "She fell twice.", Reason.NEGATION_DIFFERS),
    ],
)
def test_what_only_looks_alike_is_withheld(evidence: str, sentence: str, expected: Reason) -> None:
    assert reason_for(sentence, of_text(evidence)) is expected


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        ("An MRI has been requested.", "An MRI was ordered."),
        ("Dietitian to see.", "The dietitian is to see her."),
        ("She agreed to have a liver biopsy.", "A liver biopsy is planned."),
        ("L wrist pain, onset 0640.", "The pain in the left wrist began at 06:40."),
        ("Son informed at 1905.", "His son was informed at five past seven in the evening."),
        ("Pain 3 out of 10.", "The pain was 3/10."),
        ("Creatinine 1.4 (was 1.1).", "Creatinine rose from a baseline of 1.1 to 1.4."),
        ("Haematoma of the forehead.", "There is a bruise on the forehead."),
        ("Her mum was shown how to use the spacer.", "Her mother was shown how to use the spacer."),
        ("Ibuprofen not given as asthma.", "Ibuprofen was not given because of asthma."),
        ("EtOH daily, c/o CP.", "He complains of chest pain."),
    ],
)
def test_the_same_in_other_words_is_shown(evidence: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(evidence)) is None


def test_a_plan_is_not_told_further_on_its_way_than_it_is() -> None:
    assert reason_for("Surgery has been booked.", of_text("Surgery was advised.")) is Reason.TIME_DIFFERS
    assert reason_for("Surgery was recommended.", of_text("Surgery was advised.")) is None
    assert as_far_as in RULES


@pytest.mark.parametrize("name", ["synonyms", "abbreviations", "status"])
def test_each_table_of_the_gate_names_its_source_and_status(name: str) -> None:
    loaded = json.loads(files("clinical.domain.gate").joinpath(f"{name}.json").read_text(encoding="utf-8"))
    assert loaded["source"]
    assert loaded["status"] in {"checked", "from memory", "approved"}


def test_water_is_no_alcohol_and_a_cut_no_reduction() -> None:
    assert "alcohol" not in read("He drank sips of water.").keys
    assert "alcohol" in read("He drinks two pints a day.").keys
    assert "word:decrease" not in read("He cut his palm on glass.").keys
    assert "word:decrease" in read("Ramipril was cut to 5 mg.").keys
