"""Hidden characters are made visible where text is shown, and nowhere else."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.visible import escaped_in_json, has_hidden, visible, without_hidden


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("x\u200by", "x⟨U+200B⟩y"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("line\rover", "line⟨U+000D⟩over"),
        ("\u00ad", "⟨U+00AD⟩"),
        ("a\u200db", "a⟨U+200D⟩b"),
    ],
)
def test_each_stands_as_its_code_point(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HbA1c 7.2 % (55 mmol/mol), β-blocker, 5 µg, naïve\tcell\r\nnext\nline",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian is spelt with the non-joiner
        "क्\u200dष",  # and Hindi with the joiner
        "👍🏽❤️",
    ],
)
def test_ordinary_text_comes_back_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert not has_hidden(text)


@given(st.text())
def test_nothing_hidden_is_left_and_nothing_is_shown_twice(text: str) -> None:
    shown = visible(text)

    assert visible(shown) == shown
    assert not {unicodedata.bidirectional(one) for one in shown} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"}
    assert not any(unicodedata.category(one) == "Cc" and one not in "\t\r\n" for one in shown)
    assert visible(without_hidden(text).replace("\r", "")) == without_hidden(text).replace("\r", "")


@given(st.text())
def test_json_reads_the_same_and_shows_nothing_hidden(text: str) -> None:
    encoded = escaped_in_json(json.dumps({"text": text}, ensure_ascii=False))

    assert json.loads(encoded) == {"text": text}
    assert visible(encoded) == encoded
