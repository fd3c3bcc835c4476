"""Words that a question and its answer use for one matter ("prefers", "choice"): they find, and prove nothing."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from clinical.domain.lexicon.words import stem


@cache
def _groups() -> dict[str, frozenset[str]]:
    table = json.loads(files(__package__).joinpath("kin.json").read_text(encoding="utf-8"))
    found: dict[str, frozenset[str]] = {}
    for row in table["groups"]:
        stems = frozenset(stem(word) for word in row.split())
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems
    return found


def kin_of(word: str) -> frozenset[str]:
    """Return the stems of the words that may stand for `word` in an answer, itself included; lower case."""
    key = stem(word)
    return _groups().get(key, frozenset()) | {key}
