"""Words that say the same: which keys of mentions bear out each other, by the tables of synonyms."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import alike
from clinical.domain.lexicon.words import tokens


@cache
def partners() -> dict[str, frozenset[str]]:
    """Return for the key of each listed word or concept the keys that say the same.

    The rows of `synonyms.json` (source and status stand in the file) are taken together with the pairs of
    concepts of the lexicon. A row holds for each two of its words and does not reach on into other rows.
    """
    found: dict[str, set[str]] = {}
    for one, two in alike():
        found.setdefault(one, set()).add(two)
    text = files("clinical.domain.gate").joinpath("synonyms.json").read_text(encoding="utf-8")
    for row in json.loads(text)["rows"]:
        keys = {_key(word) for word in row.split()}
        for key in keys:
            found.setdefault(key, set()).update(keys - {key})
    return {key: frozenset(others) for key, others in found.items()}


def say_the_same(one: str, two: str) -> bool:
    """Return whether two keys are listed as saying the same."""
    return two in partners().get(one, ())


def _key(word: str) -> str:
    words = tokens(word)
    found = find_concepts(words)
    if len(found) == 1 and (found[0].first, found[0].last) == (0, len(words)):
        return found[0].concept.id
    return f"w:{words[0].stem}"
