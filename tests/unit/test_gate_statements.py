"""A sentence taken apart into statements, and the shorthand of notes written out."""

import pytest

from clinical.domain.gate.clauses import is_statement, statements
from clinical.domain.gate.shorthand import written_out


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "Metformin was held during the admission and may be resumed at discharge.",
            ("Metformin was held during the admission.", "Metformin may be resumed at discharge."),
        ),
        (
            "She has asthma, takes salbutamol and smokes ten cigarettes a day.",
            ("She has asthma.", "She takes salbutamol.", "She smokes ten cigarettes a day."),
        ),
        ("He was not swollen and bruised.", ("He was not swollen.", "He was not bruised.")),
        (
            "Her mother had breast cancer and died at 52.",
            ("Her mother had breast cancer.", "Her mother had died at 52."),
        ),
        (
            "A 58-year-old woman with asthma and gout takes allopurinol.",
            (
                "The patient is A 58-year-old woman.",
                "The patient has asthma and gout.",
                "The patient takes allopurinol.",
            ),
        ),
        ("He was started on aspirin 75 mg and clopidogrel 75 mg.", ()),
        ("She denies fever and increased thirst.", ()),
        ("If fever develops, call and come back.", ()),
    ],
)
def test_each_statement_keeps_its_subject_and_denial(text: str, parts: tuple[str, ...]) -> None:
    assert statements(text) == parts


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("67F c/o cough x 3 days", "67-year-old woman complains of cough for 3 days"),
        ("sore throat 3/7, review 2/52", "sore throat 3 days, review 2 weeks"),
        ("SpO2 97% RA", "SpO2 97% room air"),
        ("It began a week ago.", "It began 1 week ago."),
        ("for six to eight weeks", "for 6 to 8 weeks"),
        ("BP 120/80, T 38.5", "BP 120/80, T 38.5"),
        ("Flomax 0.4 mg", "Flomax 0.4 mg"),
        ("RA since 2011", "RA since 2011"),
    ],
)
def test_shorthand_is_written_out_and_values_are_left_alone(text: str, whole: str) -> None:
    assert written_out(text) == whole


def test_a_statement_has_a_subject_and_a_verb() -> None:
    assert is_statement("She remains on ramipril.")
    assert is_statement("Medical Reasoning: She has been compliant.")
    assert not is_statement("Repeat X-ray in 3 weeks.")
    assert not is_statement("Metformin 500 mg twice daily.")
