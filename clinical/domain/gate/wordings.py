"""Words of general prose that say the same, distilled from a dictionary by `build_wordings`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from clinical.domain.lexicon.words import stem


@cache
def wordings() -> dict[str, frozenset[str]]:
    """Return for each stem those of the words that say the same; source and status stand in `wordings.json`."""
    text = files("clinical.domain.gate").joinpath("wordings.json").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for row in json.loads(text)["rows"]:
        stems = {stem(word) for word in row.split()}
        for one in stems:
            found.setdefault(one, set()).update(stems - {one})
    return {one: frozenset(others) for one, others in found.items()}
