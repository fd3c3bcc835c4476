"""A question put more simply: its halves one by one, and without circumstances that no one sentence carries.

Tried only after the question as it stands has found no answer. The time a question names still holds: it is left out of
the words looked for, never of the days looked in.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_SHORTEST = 3  # characters of a half that can name anything
_MOST = 4  # readings tried: each reads the passages again


@dataclass(frozen=True, slots=True)
class Simpler:
    """One simpler reading: its words, and what else its answer must show.

    `judged_as` is the question whose attributes (a name, a level) a quote must tell: the whole one, where the half is
    only its subject. `figure`: that a quote must hold a number, for the other half asks when, how much or how old.
    """

    text: str
    judged_as: str
    figure: bool = False


@cache
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("simpler.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _patterns(name: str) -> tuple[re.Pattern[str], ...]:
    held = _table()[name]
    return tuple(re.compile(one, re.IGNORECASE) for one in (held if isinstance(held, list) else [held]))


def simpler(question: str) -> tuple[Simpler, ...]:
    """Return simpler readings of a question as typed, the nearest first; none where it has no second condition."""
    bare = without_circumstances(question)
    found = [] if bare == question else [Simpler(bare, question)]
    for half in _halves(question):
        found.append(half)
        if (less := without_circumstances(half.text)) != half.text:
            found.append(Simpler(less, half.judged_as, half.figure))
    different = {one.text.strip(" ?").lower(): one for one in reversed(found)}
    kept = [one for one in found if different[one.text.strip(" ?").lower()] is one]
    return tuple(kept[:_MOST])


def without_circumstances(question: str) -> str:
    """Return a question without "in April", "at the last clinic" and the like; two words or more are kept."""
    left = question
    for pattern in _patterns("circumstances"):
        less = pattern.sub("", left)
        if len(re.findall(r"\w{3,}", less)) > 1:
            left = less
    return left.strip()


def _halves(question: str) -> list[Simpler]:
    for seam in _patterns("seams"):
        parts = [one.strip(" ?,") for one in seam.split(question) if one and len(one.strip(" ?,")) >= _SHORTEST]
        if len(parts) > 1:
            return [half for at, one in enumerate(parts) if (half := _half(parts, at, one, question)) is not None]
    return []


def _half(parts: list[str], at: int, text: str, question: str) -> Simpler | None:
    """Return one part to be looked for by itself; None if it only points back ("and when was it")."""
    (asks,), (pronouns,), (wants,) = _patterns("asks"), _patterns("pronouns"), _patterns("wants_figure")
    if asks.match(text):
        return None if at and pronouns.search(text) else Simpler(f"{text}?", text)
    if at == 0 and re.search(r"\b(?:he|she|i|we|they)\b", text, re.IGNORECASE):
        return None  # what is told before the question is no question
    others = " ".join(parts[:at] + parts[at + 1 :])
    return Simpler(f"what is the {text}?", question, figure=bool(wants.search(others)))
