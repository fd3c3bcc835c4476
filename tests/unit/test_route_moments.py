"""Time counted from an event of the record has one reading, which the answer states; a missing event is no answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from clinical.domain.route import CodeAnswer, answer_by_code, route, vocabulary_of
from tests.unit.fhir_builders import concept, condition, facts, medication, observation

TODAY = date(2025, 6, 1)


def _stay(start: str, end: str, reason: str, kind: str = "IMP") -> dict[str, Any]:
    return {
        "resourceType": "Encounter", "id": f"e{start}", "status": "finished", "class": {"code": kind},
        "period": {"start": start, "end": end}, "reasonCode": [concept(reason)],
    }  # fmt: skip


def _done(name: str, on: str) -> dict[str, Any]:
    return {
        "resourceType": "Procedure", "id": f"p{name}{on}".replace(" ", ""), "status": "completed",
        "code": concept(name), "performedDateTime": on,
    }  # fmt: skip


RECORD = facts(
    {"resourceType": "Patient", "id": "p", "name": [{"family": "Diallo"}], "birthDate": "1950-07-01"},
    *(observation("Potassium", value, on=on) for value, on in (
        ("4.0", "2024-01-05T08:00:00Z"), ("5.5", "2025-02-10T09:00:00Z"), ("4.8", "2025-02-13T07:00:00Z"),
        ("4.4", "2025-03-20T10:00:00Z"), ("4.1", "2025-05-02T10:00:00Z"))),
    _stay("2025-02-10", "2025-02-13", "Bowel obstruction"),
    _stay("2025-03-20", "2025-03-20", "Surgical review", "AMB"),
    _done("Right hemicolectomy", "2025-02-11"),
    _done("Documentation of current medications", "2025-03-20"),
    _done("Biopsy of colon", "2025-01-10"),
    _done("Biopsy of skin", "2025-04-10"),
    medication("Metformin 500 mg", on="2024-06-01"),
    medication("Ramipril 5 mg", status="stopped", on="2023-01-01",
               dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2025-02-10"}}}}]),
    condition("Gout", on="2025-03-01"),
)  # fmt: skip


def ask(question: str) -> CodeAnswer:
    return answer_by_code(route(question, vocabulary_of(RECORD)), RECORD, today=TODAY)


@pytest.mark.parametrize(
    ("question", "reading", "texts"),
    [
        ("potassium before the operation", "before 11-Feb-2025, 'Right hemicolectomy'", ["5.5 mmol/L"]),
        ("pre-op K", "before 11-Feb-2025", ["5.5 mmol/L"]),
        ("potassium on admission", "the first 24 hours from 10-Feb-2025, 'Bowel obstruction'", ["5.5 mmol/L"]),
        ("K at discharge", "the last 24 hours up to 13-Feb-2025", ["4.8 mmol/L"]),
        ("potassium during the last admission", "from 10-Feb-2025 to 13-Feb-2025", ["5.5 mmol/L", "4.8 mmol/L"]),
        ("potassium since the last visit", "after 20-Mar-2025, the last visit before today", ["4.1 mmol/L"]),
        ("first potassium since starting metformin", "since 01-Jun-2024, start of 'Metformin", ["5.5 mmol/L"]),
        ("potassium before ramipril was stopped", "before 10-Feb-2025, end of 'Ramipril", ["4.0 mmol/L"]),
        ("potassium since the diagnosis of gout", "since 01-Mar-2025, 'Gout'", ["4.4 mmol/L", "4.1 mmol/L"]),
        ("highest K after the hemicolectomy", "after 11-Feb-2025", ["4.8 mmol/L"]),
        ("potassium at the last surgical review", "within 24 hours of 20-Mar-2025", ["4.4 mmol/L"]),
    ],
)
def test_an_event_dates_the_question_and_the_reading_is_said(question: str, reading: str, texts: list[str]) -> None:
    answer = ask(question)
    assert answer.answered, answer.absent
    assert answer.sentences[0].text.startswith("Read as: ")
    assert reading in answer.sentences[0].text
    rest = "\n".join(one.text for one in answer.sentences[1:])
    assert all(text in rest for text in texts), rest
    assert all(one.citations_from for one in answer.sentences)


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("potassium before the biopsy", "several different events fit 'biopsy'"),
        ("potassium in the emergency department", "no emergency attendance is recorded"),
        ("potassium since starting apixaban", "no apixaban start is recorded"),
        ("potassium since metformin was stopped", "no metformin stop is recorded"),
    ],
)
def test_an_event_that_is_not_recorded_or_not_one_is_said_to_be_so(question: str, why: str) -> None:
    answer = ask(question)
    assert not answer.answered
    assert why in (answer.absent or "")


def test_words_without_a_year_are_read_and_said() -> None:
    answer = ask("potassium since March")
    assert [one.text for one in answer.sentences][-1] == '"since march" is read as: from 01-Mar-2025 to today.'
    assert len(ask("potassium since 2025").sentences) == 4


def test_what_she_was_on_then_counts_orders_in_force_then() -> None:
    text = "\n".join(one.text for one in ask("what was she on before the operation").sentences)
    assert "Metformin" in text
    assert "Ramipril" in text
    after = "\n".join(one.text for one in ask("medications since March 2025").sentences)
    assert "Metformin" in after
    assert "Ramipril" not in after
