"""Which medicines a question asks about as something to give."""

from __future__ import annotations

import pytest

from clinical.domain.medication_safety.asked import asked_medicines, asks_about_safety
from clinical.domain.provenance import DEMO
from tests.unit.fhir_builders import facts

HEATHER = facts({"resourceType": "Patient", "id": "h", "name": [{"family": "Rowan", "given": ["Heather"]}]})


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("can I give her ibuprofen?", ("ibuprofen",)),
        ("is amoxicillin ok?", ("amoxicillin",)),
        ("Would Augmentin be safe with her allergy?", ("augmentin",)),
        ("any problem with adding clarithromycin?", ("clarithromycin",)),
        ("Could he take co-codamol?", ("co codamol",)),
        ("can he have a penicillin?", ("penicillin",)),
        ("what about an NSAID?", ("nsaid",)),
        ("can I give ibuprofin", ("ibuprofin",)),
        ("May I prescribe trimethoprim and furosemide?", ("trimethoprim", "furosemide")),
        ("is it safe to start her on foozamab", ("foozamab",)),
        ("Is zopiclonex safe?", ("zopiclonex",)),
        ("can I give her some zarfluxin for sleep", ("zarfluxin",)),
        ("can Heather have ibuprofen?", ("ibuprofen",)),
    ],
)
def test_what_may_be_given_is_asked_about(question: str, asked: tuple[str, ...]) -> None:
    assert asked_medicines(question, HEATHER, trust=DEMO) == asked


@pytest.mark.parametrize(
    "question",
    [
        "Is she still on warfarin?",
        "why was clopidogrel stopped?",
        "Could you tell me whether she is on warfarin?",
        "should she continue warfarin?",
        "When was her last dose of morphine?",
        "what is the dose of bisoprolol",
        "Latest potassium?",
        "can she go home?",
        "can she have surgery?",
        "Can I have her latest results please?",
        "Is her potassium ok?",
        "is he allergic to penicillin?",
        "Why can she not take alendronate?",
        "which statin could he not tolerate",
        "how long should letrozole go on",
    ],
)
def test_a_look_up_asks_about_giving_nothing(question: str) -> None:
    assert asked_medicines(question, HEATHER, trust=DEMO) == ()


@pytest.mark.parametrize(
    ("question", "is_safety"),
    [
        ("Any interactions between his medicines?", True),
        ("what is contraindicated for her", True),
        ("medication review please", True),
        ("Latest potassium?", False),
    ],
)
def test_questions_about_safety_are_told_apart(question: str, is_safety: bool) -> None:
    assert asks_about_safety(question) is is_safety
