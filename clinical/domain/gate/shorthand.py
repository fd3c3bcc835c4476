"""Shorthand written out, so that "67F c/o cough x 3 days" reads as the sentence it stands for."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from clinical.domain.lexicon.tables import number_words, table

_HINT = re.compile(
    r"[/\u2191\u2193#\u00b0]|\d[FMRx]|[a-z]x\b|\b[A-Z]{2,}|\bx\s?\d|\bpt|ve\b|\bp\.|\bdeg|mcg|No\.|re:|yo\b|\bto\b|\bor\b|\ban?\b|than|half|time|put|due|next|review|start|stop|finish|fortnight|off|daily|status:|requester|intolerance:|performed:|authored|recorded:|onset:|verification:|\\d\\+",
    re.IGNORECASE,
)

_NUMBER = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_WORDS_RANGE = re.compile(rf"\b({_NUMBER}) (to|or) ({_NUMBER})\b", re.IGNORECASE)


@lru_cache(maxsize=4_096)
def written_out(text: str) -> str:
    """Return the text with its shorthand written out; places in it are not those of the original."""
    if not _HINT.search(text):
        return text
    text = _WORDS_RANGE.sub(_in_digits, text)
    for pattern, words in _patterns():
        text = pattern.sub(words, text)
    return text


def _in_digits(match: re.Match[str]) -> str:
    return f"{number_words()[match[1].lower()]} {match[2]} {number_words()[match[3].lower()]}"


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), words) for pattern, words in table("shorthand")["rows"])
