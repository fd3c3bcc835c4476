from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.chunks import MAX_WORDS, chunk, heading_of

PIECES = st.sampled_from(
    [
        "PLAN\n", "# History\n\n", "Plan:\n", "Denies chest pain. ", "- aspirin 81 mg daily\n", "K 4.1. ",
        "She walks two miles on most days without any breathlessness and sleeps on one pillow. " * 3, "word " * 450,
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_word_is_lost_or_repeated(text: str) -> None:
    chunks = chunk(text)
    words = [word for piece in chunks for word in text[piece.start : piece.end].split()]
    assert words == text.split()
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    assert all(len(text[c.start : c.end].split()) <= 2 * MAX_WORDS + 60 for c in chunks)


def test_a_passage_is_of_one_section_and_starts_with_its_heading() -> None:
    text = "Seen today.\n\nFAMILY HISTORY\n\nMother had diabetes.\n\nPLAN\n\nMEDICATIONS\n\nContinue metformin."
    pieces = [(piece.section, text[piece.start : piece.end]) for piece in chunk(text)]
    assert pieces == [
        ("", "Seen today."),
        ("FAMILY HISTORY", "FAMILY HISTORY\n\nMother had diabetes."),
        ("MEDICATIONS", "PLAN\n\nMEDICATIONS\n\nContinue metformin."),
    ]


def test_a_long_section_is_cut_between_sentences_at_a_usual_length() -> None:
    text = "She walks two miles on most days without any breathlessness. " * 60
    sizes = [len(text[piece.start : piece.end].split()) for piece in chunk(text)]
    assert len(sizes) > 2
    assert all(60 <= size <= 180 for size in sizes)
    assert all(text[piece.end - 1] == "." for piece in chunk(text))


def test_headings_are_known_by_their_form() -> None:
    assert heading_of("## Past history") == "Past history"
    assert heading_of("Assessment and plan:") == "Assessment and plan"
    assert heading_of("CHIEF COMPLAINT") == "CHIEF COMPLAINT"
    assert heading_of("NKDA") is None
    assert heading_of("ASPIRIN 81 MG DAILY") is None
    assert heading_of("She is well.") is None
