"""Clinicians' shorthand in questions ("Hx of gout?", "simva", "vit K"), written out before a question is read."""

from __future__ import annotations

import re
from functools import cache

from clinical.domain.lexicon.tables import table


def written_out(question: str) -> str:
    """Return the question with its shorthand written out; what is no shorthand stays as typed."""
    for short, meant in _rows():
        question = short.sub(meant, question)
    return question


@cache
def _rows() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(short, re.IGNORECASE), meant) for short, meant in table("asked")["rows"])
