"""Offsets of JSON values: exact whatever the white space, escapes and key order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.domain.json_spans import SpanNotFoundError, locate, locate_member, locate_within

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def paths(value: Any, base: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [base, *(path for key, item in items for path in paths(item, (*base, key)))]


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(
    value=JSON,
    indent=st.sampled_from([None, 0, 2, "\t", " \n "]),
    separators=st.sampled_from([None, (",", ":"), (" , ", " :\r\n")]),
    ascii_only=st.booleans(),
)
def test_the_text_at_the_offsets_is_the_value(
    value: Any,
    indent: Any,
    separators: Any,
    *,
    ascii_only: bool,
) -> None:
    text = " \n" + json.dumps(value, indent=indent, separators=separators, ensure_ascii=ascii_only) + "\t"
    for path in paths(value):
        start, end = locate(text, path)
        assert json.loads(text[start:end]) == at(value, path)
        member_start, member_end = locate_member(text, path)
        member = text[member_start:member_end]
        if path and isinstance(path[-1], str):
            assert json.loads("{" + member + "}") == {path[-1]: at(value, path)}
        else:
            assert json.loads(member) == at(value, path)


@given(
    value=st.text(max_size=12),
    ascii_only=st.booleans(),
    ends=st.tuples(st.integers(0, 12), st.integers(0, 12)),
)
def test_characters_inside_a_string_are_found_through_escapes(
    value: str,
    ends: tuple[int, int],
    *,
    ascii_only: bool,
) -> None:
    text = json.dumps({"note": [value]}, ensure_ascii=ascii_only)
    start, end = (min(len(value), end) for end in sorted(ends))
    raw_start, raw_end = locate_within(text, ("note", 0), start, end)
    assert json.loads(f'"{text[raw_start:raw_end]}"') == value[start:end]


def test_the_last_of_repeated_keys_counts_as_in_the_json_module() -> None:
    text = '{"a": 1, "a": {"b": 2}}'
    start, end = locate(text, ("a", "b"))
    assert text[start:end] == "2"


@pytest.mark.parametrize("path", [("b",), (0,), ("a", 2), ("a", "x"), ("a", 0, "x")])
def test_a_path_to_nothing_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(SpanNotFoundError) as caught:
        locate('{"a": [1, 2]}', path)
    assert caught.value.reason == "no-such-path"


@pytest.mark.parametrize("text", ["", '{"a": ', '{"a" 1}', '{"a": 1 "b": 2}', "[" * 5000, "{1: 2}"])
def test_what_is_not_json_is_refused_by_reason(text: str) -> None:
    with pytest.raises(SpanNotFoundError) as caught:
        locate(text, ("a", "b") if text.startswith("{") else (0, 0))
    assert caught.value.reason == "not-json"
    assert caught.value.__cause__ is None


def test_a_megabyte_is_searched_quickly_enough_to_cite_from() -> None:
    text = json.dumps({"filler": ["x" * 90] * 11_000, "valueQuantity": {"value": 7.2}})
    start, end = locate(text, ("valueQuantity", "value"))
    assert text[start:end] == "7.2"
