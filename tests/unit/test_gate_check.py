from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.gate import Gate, GateEvidence, Reason, check_sentence
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.sentences import split

NOTES = (
    "Potassium 5.6 mmol/L and sodium 139 mmol/L. Ramipril was stopped. She denies chest pain.",
    "Her father had a stroke. HbA1c 7.2 % on 2024-01-15. Possible fracture of the left wrist.",
    "Continue aspirin 75 mg daily. No rash. BP 128/76 mmHg. She will start insulin glargine.",
)


def evidence(*texts: str, offset: int = 0, effective: str = "") -> list[GateEvidence]:
    return [
        GateEvidence(
            label,
            Passage(
                UUID(int=label),
                Span(f"DocumentReference/{label}", "3", Part.TEXT, offset, offset + len(text)),
                text,
                "DocumentReference",
                effective,
            ),
        )
        for label, text in enumerate(texts, 1)
    ]


def test_the_citation_is_the_exact_words_at_their_place_in_the_record() -> None:
    verdict = check_sentence("Sodium was 139 mmol/L [1].", evidence(*NOTES, offset=100))
    (citation,) = verdict.citations
    assert verdict.shown
    assert citation.span.resource == "DocumentReference/1"
    assert citation.span.version == "3"
    assert citation.quote == NOTES[0][citation.span.start - 100 : citation.span.end - 100]
    assert "sodium 139 mmol/L" in citation.quote


def test_a_wrong_marker_is_replaced_by_the_span_that_bears_it_out() -> None:
    verdict = check_sentence("Her father had a stroke [1].", evidence(*NOTES))
    assert verdict.shown
    assert [citation.span.resource for citation in verdict.citations] == ["DocumentReference/2"]


def test_what_was_asked_is_not_evidence_and_another_matter_is_off_topic() -> None:
    sources = evidence(*NOTES)
    asked = "Is the creatinine 128 umol/L?"
    assert check_sentence("Creatinine is 128 umol/L.", sources, question=asked).reason is Reason.NUMBER_NOT_IN_SOURCE
    assert check_sentence("BP was 128/76 mmHg.", sources, question="latest potassium?").reason is Reason.OFF_TOPIC
    assert check_sentence("Potassium was 5.6 mmol/L.", sources, question="latest k?").shown


def test_the_date_of_the_record_stands_where_its_text_gives_none() -> None:
    sources = evidence("Potassium 5.6 mmol/L.", effective="2024-03-05T10:00:00Z")
    assert check_sentence("Potassium was 5.6 mmol/L on 5 March 2024.", sources).shown
    assert not check_sentence("Potassium was 5.6 mmol/L on 6 March 2024.", sources).shown


def test_a_clause_is_not_patched_together_from_two_sentences() -> None:
    sources = evidence("She twisted her right knee. Her left hip is painful.")
    assert not check_sentence("She twisted her left knee.", sources).shown


def test_it_stands_for_the_drug_in_the_sentence_before() -> None:
    sources = evidence("Apixaban was started in 2021. It was stopped in 2023.")
    assert check_sentence("Apixaban was stopped in 2023.", sources).shown
    assert check_sentence("She takes apixaban.", sources).reason is Reason.TIME_DIFFERS


@given(st.sampled_from(NOTES))
def test_every_sentence_of_the_record_bears_itself_out(text: str) -> None:
    gate = Gate(evidence(*NOTES))
    for span in split(text):
        assert gate.check(text[span.start : span.end]).shown


@given(st.sampled_from(NOTES), st.integers(1, 999))
def test_a_value_that_is_nowhere_in_the_record_is_never_shown(text: str, value: int) -> None:
    gate = Gate(evidence(text))
    if str(value) not in text:
        assert not gate.check(f"Potassium was {value} mmol/L.").shown


@given(st.text(max_size=80))
def test_any_text_gets_a_verdict(sentence: str) -> None:
    verdict = check_sentence(sentence, evidence(NOTES[0]))
    assert verdict.shown is (verdict.reason is None)
