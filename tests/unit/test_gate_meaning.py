"""Being on a treatment is more than its being named; a row of dates is no statement."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.domain.gate import GateEvidence, check_sentence
from clinical.domain.passages import Part, Passage, Span


def shown(evidence: str, sentence: str) -> bool:
    span = Span("DocumentReference/1", "1", Part.TEXT, 0, len(evidence))
    passage = Passage(UUID(int=1), span, evidence, "DocumentReference")
    return check_sentence(sentence, [GateEvidence(1, passage)]).shown


@pytest.mark.parametrize(
    "evidence",
    [
        "Dialysis choice: peritoneal, catheter to be placed when eGFR nears 12 or symptoms force it.",
        "Dialysis was discussed with him and his wife.",
        "He will start dialysis if the eGFR falls below 10.",
        "He has looked at films of both dialysis methods.",
    ],
)
def test_a_treatment_talked_of_is_not_a_treatment_given(evidence: str) -> None:
    assert not shown(evidence, "He is now on dialysis.")


@pytest.mark.parametrize(
    ("evidence", "sentence"),
    [
        ("He started dialysis in May.", "He is on dialysis."),
        ("She is on home oxygen, two litres.", "She is on home oxygen."),
        ("He is now on the deceased donor list since 3 June 2026.", "He is now on the deceased donor list."),
        ("Metformin 500 mg twice daily.", "She is on metformin 500 mg twice daily."),
    ],
)
def test_what_is_given_may_be_said(evidence: str, sentence: str) -> None:
    assert shown(evidence, sentence)


def test_a_row_of_dates_says_nothing() -> None:
    assert not shown(
        "Seen on 2023-06-20. Spironolactone was stopped.", "2023-06-20: 2023-06-20: 2023-06-20: 2023-06-20"
    )
