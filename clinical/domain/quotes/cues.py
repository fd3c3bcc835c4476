"""Patterns of questions and answers, read once from the table beside this module."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_CASED = frozenset({"person"})


@cache
def table() -> dict[str, Any]:
    """Return the patterns; `about` in it says what each part is for."""
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("patterns.json").read_text(encoding="utf-8"))
    return loaded


@cache
def cue(name: str) -> re.Pattern[str]:
    """Return the pattern by which a sentence shows that it holds a reason, a time, a finding, a person or a plan."""
    return re.compile("|".join(table()["cues"][name]), re.NOFLAG if name in _CASED else re.IGNORECASE)


@cache
def asked(name: str) -> re.Pattern[str]:
    """Return the pattern by which a question shows what it wants."""
    return re.compile("|".join(table()["asked"][name]), re.IGNORECASE)
