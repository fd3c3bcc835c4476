"""How far a plan has come: what was only considered was not agreed, what was advised is not booked."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_UNREAL: Final = frozenset({"planned", "order"})


def as_far_as(claim: Reading, window: Window) -> Reason | None:
    """Withhold a plan that is told further on its way than the evidence tells it: "booked" for "advised"."""
    if not any(one.attributes & _UNREAL for one in claim.mentions):
        return None
    said = _families(claim)
    held = frozenset().union(*(_families(reading) for reading in window.readings))
    if any("order" in one.attributes for one in window.mentions):
        held |= {"order"}
    if not said or not held:
        return None
    # A word of two families ("suggested") needs one of them only.
    borne = any(held & _borne_out_by()[family] for family in said)
    return None if borne else Reason.TIME_DIFFERS


def _families(reading: Reading) -> frozenset[str]:
    found = [_by_stem()[word.stem] for word in reading.words if word.stem in _by_stem()]
    return frozenset().union(*found) if found else frozenset()


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("clinical.domain.gate").joinpath("status.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


@cache
def _by_stem() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for family, words in _table()["families"].items():
        for word in words.split():
            found.setdefault(stem(word), set()).add(family)
    return {word: frozenset(families) for word, families in found.items()}


@cache
def _borne_out_by() -> dict[str, frozenset[str]]:
    return {family: frozenset(others.split()) for family, others in _table()["borne_out_by"].items()}
