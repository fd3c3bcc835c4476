"""Text that speaks to a reading machine and not to a clinician: it is never quoted as an answer."""

from __future__ import annotations

import re
from functools import cache

from clinical.domain.quotes.cues import table


@cache
def _machine() -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Return words without one of which no such text is, and the patterns: most sentences need only the words."""
    held = table()["machine"]
    return tuple(held["words"]), re.compile("|".join(held["patterns"]), re.IGNORECASE)


def addresses_a_machine(text: str) -> bool:
    """Return whether a sentence gives orders to software that reads it; a physician assistant is a person."""
    words, pattern = _machine()
    low = text.lower()
    return any(word in low for word in words) and pattern.search(text) is not None
