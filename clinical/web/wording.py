"""Plain words for the codes that doors, gate and feeds use. An unknown code has a truthful general wording."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = Path(__file__).with_name("wording.json")


@cache
def _words() -> dict[str, dict[str, str]]:
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, dict[str, str]])


def _say(table: str, code: str) -> str:
    words = _words()[table]
    return words.get(code, words[""])


def denial(code: str) -> str:
    """Return why access was refused, as a sentence."""
    return _say("denial", code)


def withheld(code: str) -> str:
    """Return why a drafted sentence was withheld, as a sentence."""
    return _say("withheld", code)


def refusal(code: str) -> str:
    """Return why a question was not taken, as a sentence."""
    return _say("refusal", code)


def unavailable(code: str) -> str:
    """Return why no draft was made, as a sentence."""
    return _say("unavailable", code)


def stale(code: str, *, in_list: bool = False) -> str:
    """Return why a saved answer may no longer hold, without a full stop; shorter for a list."""
    return _say("stale_in_list" if in_list else "stale", code)


def author(code: str) -> str:
    """Return who wrote a sentence."""
    return _say("author", code)


def severity(code: str) -> str:
    """Return how serious a finding of the medication check is."""
    return _say("severity", code)


def status(code: str) -> str:
    """Return how a question ended."""
    return _say("status", code)


def route(code: str) -> str:
    """Return which way a question went."""
    return _say("route", code)


def resource_type(code: str) -> str:
    """Return what a clinician calls a FHIR resource type; an unlisted type keeps its own name."""
    return _words()["resource_type"].get(code, code)
