from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.sentences import SentenceStream, split

CLINICAL = st.sampled_from(
    [
        "Hb fell. [1] ", "Na rose to 151 [2]. ", "Seen by Dr. Smith today. ", "K 4.1 mmol/L. ", "Hb 9.1.[1] ",
        "Metformin 500 mg b.i.d. with food. ", "Take 1 tab p.o. b.i.d. Recheck in a week. ", "PLAN\n", "Plan:\n",
        "- aspirin 81 mg\n", "1. Hypertension\n", "2. Stable.\n\n", "No fever! ", "Any pain? ", "e.g. cough ",
        "wrapped line that ends with the\nnext part. ", "She is on vitamin D. ", "Hb 9.1. [1, 2] [3]\n",
        "(see above.) ",
        "approx. 5 mL. ", "10 a.m. clinic. ", "[not a marker] ", "Value .5 mg. ", "\u2022 Denies pain.\n",
    ]
)  # fmt: skip
TEXTS = st.lists(CLINICAL, max_size=8).map("".join)


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split(text)]


def streamed(pieces: list[str]) -> list[str]:
    stream = SentenceStream()
    found = [sentence for piece in pieces for sentence in stream.feed(piece)]
    return found + stream.close()


@given(TEXTS, st.lists(st.integers(0, 200), max_size=30))
def test_sentences_do_not_depend_on_how_tokens_are_cut(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(places)]
    assert streamed(pieces) == sentences(text)
    assert streamed(list(text)) == sentences(text)


@given(st.one_of(TEXTS, st.text()))
def test_no_character_but_white_space_is_lost_or_repeated(text: str) -> None:
    joined = "".join(sentences(text))
    assert "".join(joined.split()) == "".join(text.split())
    assert all(sentence == sentence.strip() for sentence in sentences(text))


def test_a_marker_after_the_full_stop_stays_with_its_sentence() -> None:
    assert sentences("Hb 9.1. [1] Na 139 [2].[3] Stable.") == ["Hb 9.1. [1]", "Na 139 [2].[3]", "Stable."]


def test_titles_dosage_abbreviations_and_decimals_do_not_end_a_sentence() -> None:
    text = "Seen by Dr. Smith. Metformin 500 mg b.i.d. with food, e.g. at lunch. K 4.1 today. Vitamin D. Recheck."
    assert sentences(text) == [
        "Seen by Dr. Smith.",
        "Metformin 500 mg b.i.d. with food, e.g. at lunch.",
        "K 4.1 today.",
        "Vitamin D.",
        "Recheck.",
    ]


def test_headings_and_list_lines_are_sentences_and_wrapped_lines_are_joined() -> None:
    text = "PLAN\n1. Stop aspirin\n2. Recheck K in\n3 days\n\nShe was\nwell."
    assert sentences(text) == ["PLAN", "1. Stop aspirin", "2. Recheck K in\n3 days", "She was\nwell."]


def test_a_sentence_is_given_as_soon_as_the_next_one_begins() -> None:
    stream = SentenceStream()
    assert stream.feed("Hb 9.1 g/dL. [1]") == []
    assert stream.feed(" N") == ["Hb 9.1 g/dL. [1]"]
    assert stream.close() == ["N"]


def test_a_label_in_small_letters_begins_a_sentence_and_any_other_small_letter_does_not() -> None:
    assert sentences("Her husband came along. potassium: 4.2 today.") == [
        "Her husband came along.",
        "potassium: 4.2 today.",
    ]
    assert sentences("BP taken. blood pressure: 120/80.") == ["BP taken.", "blood pressure: 120/80."]
    assert sentences("Seen by the reg. who agreed: home today.") == ["Seen by the reg. who agreed: home today."]
