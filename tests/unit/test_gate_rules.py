import pytest

from clinical.domain.gate.pairs import Pair, judge
from clinical.domain.gate.verdict import Reason

LABS = "K 4.1 mmol/L, Na 139 mmol/L on 3 March 2024. Troponin <0.01 ng/mL. Urine: potassium 40 mmol/L."
DRUGS = "Apixaban 5 mg twice daily was stopped in May 2023 because of a GI bleed. Bisoprolol 2.5 mg daily continues."
PAIN = "She denies chest pain or dyspnea. Mild swelling of the left ankle. Possible pneumonia on chest X-ray."
FAMILY = "FAMILY HISTORY\n\nMother: breast cancer at 52.\n\nALLERGIES\n\nPenicillin (rash)."
PLAN = (
    "We will start atorvastatin 20 mg at night. "
    "Metformin was increased from 500 mg to 1000 mg. If fever develops, call."
)


def reason(evidence: str, sentence: str) -> Reason | None:
    return judge(Pair("1", evidence, sentence, supported=True)).reason


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        (LABS, "Potassium was 4.1 mmol/L."),
        (LABS, "Sodium was 139 in March 2024 [1]."),
        (LABS, "Urine potassium was 40 mmol/L."),
        (DRUGS, "Eliquis was discontinued in May 2023 due to gastrointestinal bleeding."),
        (DRUGS, "She takes bisoprolol 2.5 mg once a day."),
        (PAIN, "No shortness of breath."),
        (PAIN, "There is mild left ankle edema."),
        (PAIN, "The chest radiograph showed possible pneumonia."),
        (FAMILY, "Her mother had breast cancer at 52."),
        (FAMILY, "She is allergic to penicillin."),
        (PLAN, "Lipitor 20 mg nightly will be started."),
        (PLAN, "Metformin was raised to 1000 mg."),
    ],
)
def test_a_paraphrase_that_the_evidence_bears_out_is_shown(evidence: str, sentence: str) -> None:
    assert reason(evidence, sentence) is None


@pytest.mark.parametrize(
    ("evidence", "sentence", "expected"),
    [
        (LABS, "Potassium was 4.2 mmol/L.", Reason.NUMBER_NOT_IN_SOURCE),
        (LABS, "Sodium was 4.1 mmol/L.", Reason.VALUE_OF_ANOTHER),
        (LABS, "Potassium was 4.1 mg/dL.", Reason.UNIT_DIFFERS),
        (LABS, "Sodium was 139 mmol/L on 4 March 2024.", Reason.DATE_NOT_IN_SOURCE),
        (LABS, "Troponin 0.01 ng/mL.", Reason.NUMBER_NOT_IN_SOURCE),
        (LABS, "Chloride was 139 mmol/L.", Reason.VALUE_OF_ANOTHER),
        (LABS, "Potassium was 40 mmol/L.", Reason.VALUE_OF_ANOTHER),
        (DRUGS, "She takes apixaban 5 mg twice daily.", Reason.TIME_DIFFERS),
        (DRUGS, "Warfarin was stopped in May 2023.", Reason.DRUG_NOT_IN_SOURCE),
        (DRUGS, "Bisoprolol 2.5 mg was stopped.", Reason.TIME_DIFFERS),
        (PAIN, "She has chest pain.", Reason.NEGATION_DIFFERS),
        (PAIN, "No swelling of the left ankle.", Reason.NEGATION_DIFFERS),
        (PAIN, "Mild swelling of the right ankle.", Reason.LATERALITY_DIFFERS),
        (PAIN, "Pneumonia on chest X-ray.", Reason.CERTAINTY_DIFFERS),
        (PAIN, "Severe swelling of the left ankle.", Reason.NOT_BORNE_OUT),
        (FAMILY, "She had breast cancer at 52.", Reason.SUBJECT_DIFFERS),
        (FAMILY, "Her sister had breast cancer at 52.", Reason.SUBJECT_DIFFERS),
        (FAMILY, "She takes penicillin.", Reason.RELATION_DIFFERS),
        (PLAN, "She takes atorvastatin 20 mg at night.", Reason.TIME_DIFFERS),
        (PLAN, "Metformin was increased to 500 mg.", Reason.NUMBER_NOT_IN_SOURCE),
        (PLAN, "She has a fever.", Reason.CERTAINTY_DIFFERS),
        (PLAN, "She has diabetes.", Reason.CONDITION_NOT_IN_SOURCE),
    ],
)
def test_a_changed_meaning_is_withheld_with_its_reason(evidence: str, sentence: str, expected: Reason) -> None:
    assert reason(evidence, sentence) is expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("K 4.1 mmol/L, see [results](http://x.example).", Reason.MARKUP),
        ("K 4.1 mmol/L <b>today</b>.", Reason.MARKUP),
        ("K 4.1 mmol/L [9].", Reason.MARKUP),
        ("K 4.1 mmol/L [Source A].", Reason.MARKUP),
        ("K 4.1\u202e mmol/L.", Reason.MARKUP),
        ("As an AI I see K 4.1 mmol/L.", Reason.META_TALK),
        ("We measured K 4.1 mmol/L.", Reason.META_TALK),
        ("Was K 4.1 mmol/L?", Reason.META_TALK),
        ("Das Kalium ist 4.1 mmol/L und nicht niedrig.", Reason.LANGUAGE),
        ("She is well.", Reason.NOT_BORNE_OUT),
    ],
)
def test_form_alone_can_withhold(sentence: str, expected: Reason) -> None:
    assert reason(LABS, sentence) is expected


def test_numerals_of_classes_are_not_the_first_person() -> None:
    assert reason("Troponin I 0.04 ng/mL.", "Troponin I was 0.04 ng/mL.") is None


def test_without_evidence_nothing_is_shown() -> None:
    assert reason("", "K 4.1 mmol/L.") is Reason.NO_SOURCE
