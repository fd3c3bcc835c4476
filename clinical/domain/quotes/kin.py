"""Words that a question and its answer use for one matter ("prefers", "choice"): they find, and prove nothing."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from clinical.domain.lexicon.words import stem


@cache
def sections() -> tuple[tuple[re.Pattern[str], frozenset[str]], ...]:
    """Return patterns of questions for a whole section, each with the titles such a section has, lower case."""
    rows = _table()["sections"]
    return tuple((re.compile(row["asked"], re.IGNORECASE), frozenset(row["titles"])) for row in rows)


@cache
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("kin.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for row in _table()["groups"]:
        stems = frozenset(stem(word) for word in row.split())
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems
    return found


def kin_of(word: str) -> frozenset[str]:
    """Return the stems of the words that may stand for `word` in an answer, itself included; lower case."""
    key = stem(word)
    return _groups().get(key, frozenset()) | {key}
