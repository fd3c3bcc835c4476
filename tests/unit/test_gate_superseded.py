"""A sentence from an old note is not shown where a later or corrected record says otherwise."""

from typing import Any

import pytest

from clinical.domain.gate import Reason, check_sentence
from tests.unit.fhir_builders import allergy, condition, facts, medication, observation
from tests.unit.gate_evidence import of_text, reason_for

NOTE = (
    "She takes ramipril 5 mg daily. The latest potassium was 5.6 mmol/L. "
    "Potassium is 5.6 mmol/L. Potassium was 5.6 mmol/L on 3 March 2024. "
    "She has asthma. She had pneumonia in 2019. She is allergic to penicillin. She has no known allergies. "
    "She does not have diabetes. Ramipril was started in 2020."
)
WRITTEN = "2024-03-03"


def reason(sentence: str, *resources: dict[str, Any], written: str = WRITTEN) -> Reason | None:
    return reason_for(sentence, of_text(NOTE, written=written), facts=facts(*resources))


OTHERWISE = [
    ("She takes ramipril 5 mg daily.", [medication("Ramipril 5 mg", status="stopped", on="2024-06-01")]),
    ("She is on ramipril.", [medication("Ramipril", status="cancelled", on="2023-01-01")]),
    ("She takes ramipril 5 mg daily.", [medication("Ramipril 10 mg", on="2024-06-01")]),
    ("Potassium is 5.6 mmol/L.", [observation("Potassium", "4.1", on="2024-06-01")]),
    ("The latest potassium was 5.6 mmol/L.", [observation("Potassium", "4.1", on="2024-06-01")]),
    ("Potassium was 5.6 mmol/L on 3 March 2024.", [observation("Potassium", "6.5", on=WRITTEN, status="corrected")]),
    ("Potassium was 5.6 mmol/L on 3 March 2024.",
     [observation("Potassium", "5.6", on=WRITTEN, status="entered-in-error")]),
    ("She has asthma.", [condition("Asthma", clinical="resolved", abatementDateTime="2025-01-01")]),
    ("She has asthma.", [condition("Asthma", verificationStatus={"coding": [{"code": "refuted"}]})]),
    ("She is allergic to penicillin.", [allergy("Penicillin", verification="refuted")]),
    ("She is allergic to penicillin.", [allergy("Penicillin", verification="entered-in-error")]),
    ("She has no known allergies.", [allergy("Codeine", recordedDate="2024-09-01")]),
    ("She does not have diabetes.", [condition("Type 2 diabetes mellitus", on="2025-02-01")]),
]  # fmt: skip
AS_SAID = [
    ("She takes ramipril 5 mg daily.", [medication("Ramipril 5 mg", on="2024-06-01")]),
    ("She takes ramipril 5 mg daily.", [medication("Ramipril 5 mg", status="stopped", on="2020-06-01"),
                                         medication("Ramipril 5 mg", on="2024-01-01")]),
    ("She takes ramipril 5 mg daily.", [medication("Bisoprolol", status="stopped", on="2024-06-01")]),
    ("Ramipril was started in 2020.", [medication("Ramipril", status="stopped", on="2024-06-01")]),
    ("Potassium was 5.6 mmol/L on 3 March 2024.", [observation("Potassium", "4.1", on="2024-06-01")]),
    ("Potassium is 5.6 mmol/L.", [observation("Potassium", "4.1", on="2023-06-01")]),
    ("Potassium is 5.6 mmol/L.", [observation("Sodium", "139", on="2024-06-01")]),
    ("Potassium is 5.6 mmol/L.", [observation("Potassium", "4.1", on="2024-06-01", status="entered-in-error")]),
    ("She has asthma.", [condition("Asthma")]),
    ("She had pneumonia in 2019.", [condition("Pneumonia", clinical="resolved", abatementDateTime="2019-05-01")]),
    ("She is allergic to penicillin.", [allergy("Penicillin")]),
    ("She has no known allergies.", [allergy("No known allergy")]),
    ("She does not have diabetes.", [condition("Asthma")]),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "resources"), OTHERWISE)
def test_a_later_or_corrected_record_withholds_the_sentence(sentence: str, resources: list[dict[str, Any]]) -> None:
    assert reason(sentence) is None
    assert reason(sentence, *resources) is Reason.SUPERSEDED


@pytest.mark.parametrize(("sentence", "resources"), AS_SAID)
def test_a_record_that_agrees_or_is_older_withholds_nothing(sentence: str, resources: list[dict[str, Any]]) -> None:
    assert reason(sentence, *resources) is None


def test_the_newest_fact_that_says_otherwise_is_named() -> None:
    older = observation("Potassium", "4.1", on="2024-06-01")
    newest = observation("Potassium", "3.9", on="2025-06-01")
    verdict = check_sentence("Potassium is 5.6 mmol/L.", of_text(NOTE, written=WRITTEN), facts=facts(newest, older))
    assert verdict.reason is Reason.SUPERSEDED
    assert verdict.against is not None
    assert verdict.against.row.effective == "2025-06-01"
    assert verdict.citations


def test_a_fact_is_never_set_against_the_passage_made_from_it() -> None:
    (fact,) = facts(observation("Potassium", "4.1", on="2025-06-01"))
    (one,) = of_text("Potassium is 5.6 mmol/L.", written=WRITTEN)
    own = type(fact)(fact.row, one.passage.span.resource, "2")
    assert check_sentence("Potassium is 5.6 mmol/L.", [one], facts=[own]).shown
    assert not check_sentence("Potassium is 5.6 mmol/L.", [one], facts=[fact]).shown
