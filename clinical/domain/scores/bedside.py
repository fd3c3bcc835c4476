"""What the record says of oxygen, consciousness and the SpO2 scale at a set of observations; never assumed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.measurements import number_of, row_of
from clinical.domain.facts.render import value_text
from clinical.domain.projection.rows import IN_ERROR, ObservationRow
from clinical.domain.scores.units import to_formula_unit
from clinical.domain.scores.when import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from clinical.domain.facts.fact import Fact
    from clinical.domain.scores.inputs import Readings

# LOINC: inhaled oxygen flow rate and concentration; level of responsiveness (from memory but for 3151-8).
_FLOW, _FRACTION = "3151-8", "3150-6"
_RESPONSIVENESS: Final = ("67775-7", "11454-5")
_OXYGEN_NAMES: Final = (
    "inhaled oxygen", "oxygen therapy", "supplemental oxygen", "air or oxygen", "oxygen delivery", "oxygen device",
)  # fmt: skip
_CONSCIOUSNESS_NAMES: Final = ("acvpu", "avpu", "level of consciousness", "conscious", "responsiveness")
_ROOM_AIR: Final = Decimal(21)
_AIR: Final = re.compile(r"\b(?:room air|air|no (?:supplemental )?oxygen|none|no)\b", re.IGNORECASE)
_OXYGEN: Final = re.compile(
    r"\b(?:oxygen|o2|nasal|cannula|mask|venturi|high flow|ventilat\w*|cpap|yes)\b|l/min", re.IGNORECASE
)
_LEVELS: Final = {
    "new confusion": re.compile(r"confus|deliri|disorient", re.IGNORECASE),
    "voice": re.compile(r"\b(?:voice|verbal)\b", re.IGNORECASE),
    "pain": re.compile(r"\bpain(?:ful)?\b", re.IGNORECASE),
    "unresponsive": re.compile(r"unrespons|comatose", re.IGNORECASE),
    "alert": re.compile(r"(?<!not )(?<!non)\balert\b", re.IGNORECASE),
}
_LETTERS: Final = {"a": "alert", "c": "new confusion", "v": "voice", "p": "pain", "u": "unresponsive"}
_SCALE: Final = re.compile(r"(?:spo2|saturation|oxygen|news ?2?)\D{0,25}\bscale\s*:?\s*([12])\b", re.IGNORECASE)
_TARGET: Final = re.compile(
    r"(?:target|prescribed)\D{0,40}(?:saturation|spo2)\D{0,25}88\s*%?\s*(?:-|–|to)\s*92|"  # noqa: RUF001 - an en dash
    r"(?:saturation|spo2)\D{0,10}target\D{0,25}88\s*%?\s*(?:-|–|to)\s*92",  # noqa: RUF001 - an en dash
    re.IGNORECASE,
)
_OVER: Final = frozenset({IN_ERROR, "inactive", "cancelled", "revoked", "completed", "not-done", "registered"})


def oxygen_at(held: Readings, anchor: ObservationRow, window: timedelta) -> tuple[str, tuple[Fact, ...]]:
    """Return "air", "oxygen" or "" (not recorded, unreadable or contradictory) with the facts of the set."""
    about = [*held.coded(_FLOW, _FRACTION), *held.named(*_OXYGEN_NAMES)]
    return _agreed((fact, _oxygen(row_of(fact))) for fact in _beside(about, anchor, window))


def consciousness_at(held: Readings, anchor: ObservationRow, window: timedelta) -> tuple[str, tuple[Fact, ...]]:
    """Return the ACVPU level or "" with the facts of the set. A Glasgow coma score is not translated."""
    about = [*held.coded(*_RESPONSIVENESS), *held.named(*_CONSCIOUSNESS_NAMES)]
    return _agreed((fact, _level(value_text(row_of(fact).value))) for fact in _beside(about, anchor, window))


def spo2_scale(facts: Iterable[Fact], now: datetime) -> tuple[int, Fact | None]:
    """Return the SpO2 scale recorded for the patient, 1 when none is, with the newest fact that says so.

    Scale 2 is named as such, or recorded as a prescribed target saturation of 88-92 %.
    """
    newest: tuple[int, Fact | None] = (1, None)
    for fact in sorted(facts, key=lambda fact: fact.row.effective_sort):
        if fact.row.effective_sort > now or fact.row.status in _OVER:
            continue
        said = _scale(fact)
        if said:
            newest = (said, fact)
    return newest


def _scale(fact: Fact) -> int:
    row = fact.row
    texts = [row.text, *row.names]
    if isinstance(row, ObservationRow):
        texts = [f"{name} {value_text(row.value)}" for name in texts]
        if row.value.type == "range" and (row.value.low, row.value.high) == ("88", "92"):
            texts = [f"{name} 88-92" for name in row.names]
    for text in texts:
        named = _SCALE.search(text)
        if named:
            return int(named[1])
        if _TARGET.search(text):
            return 2
    return 0


def _beside(about: Sequence[Fact], anchor: ObservationRow, window: timedelta) -> list[Fact]:
    """Return the facts of the newest moment within the window of a set's newest value, each once."""
    near = list(dict.fromkeys(fact for fact in about if together(anchor, row_of(fact), window)))
    latest = max((fact.row.effective_sort for fact in near), default=None)
    return [fact for fact in near if fact.row.effective_sort == latest]


def _agreed(read: Iterable[tuple[Fact, str]]) -> tuple[str, tuple[Fact, ...]]:
    pairs = list(read)
    said = {value for _, value in pairs if value}
    facts = tuple(fact for fact, value in pairs if value)
    return (said.pop() if len(said) == 1 else "", facts)


def _oxygen(row: ObservationRow) -> str:
    number = number_of(row)
    if number is None:
        text = value_text(row.value)
        return "air" if _AIR.search(text) else "oxygen" if _OXYGEN.search(text) else ""
    unit = row.value.ucum or row.value.unit
    flow = to_formula_unit("oxygen-flow", number, unit)
    if flow is not None:
        return "oxygen" if flow > 0 else "air"
    fraction = to_formula_unit("fio2", number, unit)
    return "" if fraction is None else "oxygen" if fraction > _ROOM_AIR else "air"


def _level(text: str) -> str:
    letter = _LETTERS.get(text.strip().lower())
    if letter:
        return letter
    said = [level for level, pattern in _LEVELS.items() if pattern.search(text)]
    return said[0] if len(said) == 1 else ""
