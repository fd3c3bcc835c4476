"""The words and patterns of the question grammar, read once from grammar.json."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def grammar() -> dict[str, Any]:
    """Return the grammar table."""
    read: dict[str, Any] = json.loads(files(__package__).joinpath("grammar.json").read_text(encoding="utf-8"))
    return read


@cache
def pattern(group: str, name: str = "") -> re.Pattern[str]:
    """Return a compiled pattern of the table: `group` alone, or one of its names."""
    return re.compile(grammar()[group][name] if name else grammar()[group])


@cache
def fillers() -> frozenset[str]:
    """Return the words that ask nothing by themselves."""
    return frozenset(grammar()["fillers"])


@cache
def common_words() -> frozenset[str]:
    """Return the words of names in a record that name nothing by themselves ("acute")."""
    return frozenset(grammar()["common"])
