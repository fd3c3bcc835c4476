"""Quotes by meaning: kindred words, two sentences, document and time, what is still awaited."""

from datetime import date
from uuid import UUID

import pytest

from clinical.domain.passages import Part, Passage, Span
from clinical.domain.quotes import best_quotes
from clinical.domain.quotes.documents import Days, days_asked
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.question import read_question

TODAY = date(2026, 3, 1)


def passage(number: int, text: str, effective: str, title: str = "", section: str = "") -> Passage:
    span = Span(f"DocumentReference/{number}", "1", Part.TEXT, 10, 10 + len(text))
    return Passage(UUID(int=number), span, text, "DocumentReference", effective, title, section)


RECORD = [
    passage(
        1,
        "Colonoscopy today under sedation. Two polyps of 4 mm in the sigmoid, both removed. "
        "Naproxen contraindicated (stage 4 kidney disease). Paracetamol 1 g three times daily for the knee. "
        "Home support choice: daily carer, starting in June. Three ramipril doses were forgotten while on a cruise. "
        "The barium study will be reviewed when the results are available. Insulin pump discussed. "
        "Flu jab not given: chest infection this week. Sodium bicarbonate if under 20. Urine sodium 40 spot.",
        "2025-06-10",
        "Endoscopy unit",
    ),
    passage(2, "He would not want dialysis. Takes sertraline for low mood.", "2025-11-02", "Clinic letter"),
    passage(3, "He would consider dialysis if pressed.", "2023-02-01", "Clinic letter"),
    passage(4, "Brother: bowel or stomach cancer, not certain which.", "2025-11-02", section="FAMILY HISTORY"),
    passage(5, "Pneumonia, right lower lobe.", "2025-11-02", section="IMPRESSION"),
]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What did the colonoscopy find?", "Two polyps of 4 mm"),
        ("Why paracetamol and not naproxen for the knee?", "contraindicated (stage 4 kidney disease)"),
        ("Which kind of home support does he prefer?", "choice: daily carer"),
        ("why were ramipril doses missed", "while on a cruise"),
        ("Why was the flu jab not given?", "chest infection this week"),
        ("what is he taking for depression", "sertraline"),
        ("Does his brother have stomach cancer?", "bowel or stomach cancer"),
        ("What is the diagnosis?", "Pneumonia, right lower lobe."),
    ],
)
def test_an_answer_in_other_words_or_in_the_next_sentence_is_found(question: str, words: str) -> None:
    quotes = best_quotes(question, RECORD).quotes
    assert any(words in one.quote for one in quotes)


@pytest.mark.parametrize(
    "question",
    [
        "What did the barium study show?",
        "Why was ramipril stopped?",
        "Which insulin does he take?",
        "Does he have stomach cancer?",
        "What did the CT of the kidney show?",
        "Would he accept a hip replacement?",
        "Is there a family history of pneumonia?",
        "serum sodium?",
    ],
)
def test_what_is_awaited_or_only_touched_on_is_no_answer(question: str) -> None:
    assert not best_quotes(question, RECORD).answered


def test_the_newest_wish_comes_first_when_asked_about_now() -> None:
    assert best_quotes("Would he accept dialysis?", RECORD).quotes[0].quote == "He would not want dialysis."


def test_only_records_of_the_time_asked_about_answer() -> None:
    result = best_quotes("What was said of dialysis in 2023?", RECORD, today=TODAY)
    assert [one.quote for one in result.quotes] == ["He would consider dialysis if pressed."]
    assert not best_quotes("What was said of dialysis in 2019?", RECORD, today=TODAY).answered


def test_last_year_is_the_calendar_year_before_and_in_the_last_year_twelve_months() -> None:
    assert days_asked("any fits last year?", TODAY) == Days("2025-01-01", "2026-01-01")
    assert days_asked("any fits in the last year?", TODAY) == Days("2025-03-01", "")
    assert days_asked("any fits last month?", TODAY) == Days("2026-02-01", "2026-03-01")
    assert days_asked("any fits?", TODAY) is None


@pytest.mark.parametrize(("day", "inside"), [("", True), ("2025", True), ("2025-06-10", True), ("2026-01-01", False)])
def test_a_partial_date_may_lie_within(day: str, inside: bool) -> None:
    assert Days("2025-06-01", "2026-01-01").hold(day) is inside


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("what brought on the rash", Intent.CAUSE),
        ("Which antibiotic was prescribed?", Intent.DRUG),
        ("What was ramipril increased to?", Intent.AMOUNT),
        ("what happens if the swab is positive", Intent.CONDITIONAL),
        ("What did the MRI show?", Intent.RESULT),
    ],
)
def test_the_kind_of_answer_wanted_is_read(question: str, intent: Intent) -> None:
    assert intent in read_question(question).intents
