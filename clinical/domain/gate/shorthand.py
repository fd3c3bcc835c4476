"""Shorthand written out, so that "67F c/o cough x 3 days" reads as the sentence it stands for."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib.resources import files

from clinical.domain.gate.clock import on_the_clock
from clinical.domain.lexicon.tables import number_words, table

_NUMBER = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_WORDS_RANGE = re.compile(rf"\b({_NUMBER}) (to|or) ({_NUMBER})\b", re.IGNORECASE)

_OUT_OF = re.compile(rf"\b({_NUMBER}|\d+) out of (five|ten|\d+)\b", re.IGNORECASE)


@lru_cache(maxsize=4_096)
def written_out(text: str) -> str:
    """Return the text with its shorthand written out; places in it are not those of the original."""
    text = _abbreviation().sub(lambda match: abbreviations()[match.group()], _WORDS_RANGE.sub(_in_digits, text))
    text = _OUT_OF.sub(_of_a_scale, on_the_clock(text))
    if not _any().search(text):
        return text
    for pattern, words in _patterns():
        text = pattern.sub(words, text)
    return text


def _of_a_scale(match: re.Match[str]) -> str:
    one, two = (str(number_words().get(part.lower(), part)) for part in (match[1], match[2]))
    return f"{one}/{two}"


def _in_digits(match: re.Match[str]) -> str:
    return f"{number_words()[match[1].lower()]} {match[2]} {number_words()[match[3].lower()]}"


@cache
def abbreviations() -> dict[str, str]:
    """Return the abbreviations, in the letter case they are written in, to what they stand for."""
    loaded = json.loads(files("clinical.domain.gate").joinpath("abbreviations.json").read_text(encoding="utf-8"))
    rows: dict[str, str] = loaded["rows"]
    return rows


@cache
def _abbreviation() -> re.Pattern[str]:
    longest_first = sorted(abbreviations(), key=len, reverse=True)
    return re.compile(r"(?<![\w/-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w/])")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), words) for pattern, words in table("shorthand")["rows"])


@cache
def _any() -> re.Pattern[str]:
    """Return one pattern that finds whatever any row finds: most sentences hold none."""
    return re.compile("|".join(f"(?:{pattern})" for pattern, _ in table("shorthand")["rows"]))
