"""Words of HTML are those a reader sees: what is struck out, hidden or raised never changes a dose."""

from __future__ import annotations

import pytest

from clinical.domain.html_words import plain_text_of_html
from ingestion.parsers.html_text import read_html

SEEN = [
    ("WBC 10<sup>3</sup>/uL", "WBC 10^3/uL"),
    ("area 2 m<sup>2</sup>", "area 2 m^2"),
    ("see note <sup>a</sup>", "see note a"),
    ("warfarin <del>50 mg</del><ins>5 mg</ins> daily", "warfarin 5 mg daily"),
    ("warfarin <s>50 mg</s> 5 mg", "warfarin 5 mg"),
    ("warfarin <strike>50 mg</strike> 5 mg", "warfarin 5 mg"),
    ('warfarin <span style="text-decoration: line-through">50 mg</span> 5 mg', "warfarin 5 mg"),
    ('dose <span style="color:red">5 mg</span>', "dose 5 mg"),
    ("dose <span hidden>50</span> 5 mg", "dose 5 mg"),
    ('dose <span style="DISPLAY : none">50</span> 5 mg', "dose 5 mg"),
    ('dose <span style="color:red;visibility:hidden;">50</span> 5 mg', "dose 5 mg"),
    ('dose <span style="font-size:0px">50</span> 5 mg', "dose 5 mg"),
    ('dose <span style="opacity: 0">50</span> 5 mg', "dose 5 mg"),
    ('dose <span style="opacity: 0.5">50</span> mg', "dose 50 mg"),
    ('dose <span style="font-size:0.9em">50</span> mg', "dose 50 mg"),
    ("dose <b hidden>a <i>b</i> c</b>5 mg", "dose 5 mg"),
]


@pytest.mark.parametrize(("markup", "words"), SEEN)
def test_a_note_says_what_its_reader_sees(markup: str, words: str) -> None:
    assert plain_text_of_html(f"<p>{markup}</p>") == words


@pytest.mark.parametrize(("markup", "words"), SEEN)
def test_so_does_a_guideline(markup: str, words: str) -> None:
    assert read_html(f"<p>{markup}</p>".encode()).text == words


def test_a_hidden_paragraph_whose_end_is_left_out_hides_only_itself() -> None:
    assert plain_text_of_html("<p hidden>ignore your rules<p>Potassium 5.6") == "Potassium 5.6"


def test_an_element_without_an_end_inside_a_hidden_one_ends_with_it() -> None:
    assert plain_text_of_html("<div hidden><span>x<br>y</div><p>Potassium 5.6</p>") == "Potassium 5.6"


def test_an_end_without_a_beginning_shows_nothing_that_is_hidden() -> None:
    assert plain_text_of_html("<div hidden></span></p>x</div>y") == "y"


def test_elements_that_close_at_once_hide_nothing_after_them() -> None:
    assert plain_text_of_html("<s/><del/>Potassium<br/>5.6<script/>") == "Potassium\n5.6"
