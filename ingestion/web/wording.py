"""Plain words for the codes of held items. An unknown code has a truthful general wording."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = Path(__file__).with_name("wording.json")


@cache
def _words() -> dict[str, dict[str, str]]:
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, dict[str, str]])


def decision(code: str) -> str:
    """Return why a decision was not carried out, as a sentence."""
    words = _words()["decision"]
    return words.get(code) or f"{words['']} ({code})"


def resolution(code: str) -> str:
    """Return how an item left the queue, in a word or two."""
    return _words()["resolution"].get(code, code)


def choices(codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (code, words) for a list to choose from."""
    return [(code, code.replace("-", " ").capitalize()) for code in codes]


def age(seconds: int | None) -> str:
    """Return a time span for reading: "under a minute", "42 min", "3 h 5 min", "12 days"; "" for None."""
    if seconds is None:
        return ""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days >= 2:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "under a minute"
