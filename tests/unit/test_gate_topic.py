"""A sentence is shown only if it is about what was asked: the thing, the person, and what was asked of it."""

import pytest

from clinical.domain.gate import Reason
from tests.unit.gate_evidence import of_text, reason_for

LABS = (
    "Seen on 3 March 2024. Potassium 5.6 mmol/L and sodium 139 mmol/L. Potassium was checked again today. "
    "Creatinine is rising. HbA1c 58 mmol/mol in January. Troponin was not raised."
)
DRUGS = (
    "Ramipril 5 mg was started in 2019. Ramipril was stopped in May 2023 because of a cough. "
    "Bisoprolol 2.5 mg daily continues. She takes apixaban for atrial fibrillation. She has tolerated ramipril well."
)
PERSON = (
    "Her mother has diabetes. She has had asthma since childhood. She is allergic to penicillin (rash). "
    "She has a knee replacement. Her brother has asthma too."
)

ON = [
    (LABS, "What is the latest potassium?", "Potassium was 5.6 mmol/L."),
    (LABS, "latest k?", "Potassium was 5.6 mmol/L."),
    (LABS, "Is the creatinine rising?", "Creatinine is rising."),
    (LABS, "What was the last troponin result?", "Troponin was not raised."),
    (LABS, "What is the A1c?", "HbA1c was 58 mmol/mol in January."),
    (LABS, "How is her kidney function?", "Creatinine is rising."),
    (DRUGS, "Why was ramipril stopped?", "Ramipril was stopped in May 2023 because of a cough."),
    (DRUGS, "When was ramipril stopped?", "Ramipril was stopped in May 2023."),
    (DRUGS, "When was ramipril started?", "Ramipril 5 mg was started in 2019."),
    (DRUGS, "Is she on a beta blocker?", "Bisoprolol 2.5 mg daily continues."),
    (DRUGS, "Is she anticoagulated?", "She takes apixaban for atrial fibrillation."),
    (DRUGS, "Which blood thinner does she take?", "She takes apixaban for atrial fibrillation."),
    (DRUGS, "Does she take bisoprolol?", "Bisoprolol 2.5 mg daily continues."),
    (DRUGS, "What does she take for AF?", "She takes apixaban for atrial fibrillation."),
    (PERSON, "Is there a family history of diabetes?", "Her mother has diabetes."),
    (PERSON, "Does anyone in the family have asthma?", "Her brother has asthma too."),
    (PERSON, "How long has she had asthma?", "She has had asthma since childhood."),
    (PERSON, "Does she have asthma?", "She has had asthma since childhood."),
    (PERSON, "Any allergies?", "She is allergic to penicillin (rash)."),
    (PERSON, "Is she allergic to penicillin?", "She is allergic to penicillin."),
    (PERSON, "Tell me about her.", "She has a knee replacement."),
]
OFF = [
    (LABS, "What is the latest potassium?", "Sodium was 139 mmol/L."),
    (LABS, "What is the latest potassium?", "Potassium was checked again today."),
    (LABS, "What is the sodium?", "HbA1c was 58 mmol/mol in January."),
    (LABS, "What is the creatinine?", "Troponin was not raised."),
    (DRUGS, "Why was ramipril stopped?", "Ramipril 5 mg was started in 2019."),
    (DRUGS, "Why was ramipril stopped?", "She has tolerated ramipril well."),
    (DRUGS, "When was ramipril stopped?", "She has tolerated ramipril well."),
    (DRUGS, "Is she on a statin?", "Bisoprolol 2.5 mg daily continues."),
    (DRUGS, "Does she take bisoprolol?", "She takes apixaban for atrial fibrillation."),
    (PERSON, "Does she have diabetes?", "Her mother has diabetes."),
    (PERSON, "Does she have asthma?", "Her brother has asthma too."),
    (PERSON, "Any allergies?", "She has a knee replacement."),
    (PERSON, "Has she ever had a stroke?", "She has a knee replacement."),
]


@pytest.mark.parametrize(("text", "question", "sentence"), ON)
def test_what_answers_the_question_is_shown(text: str, question: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(text), question=question) is None


@pytest.mark.parametrize(("text", "question", "sentence"), OFF)
def test_what_is_true_but_beside_the_question_is_off_topic(text: str, question: str, sentence: str) -> None:
    assert reason_for(sentence, of_text(text)) is None
    assert reason_for(sentence, of_text(text), question=question) is Reason.OFF_TOPIC
