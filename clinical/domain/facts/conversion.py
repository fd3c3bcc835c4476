"""Units converted by code. The record's own digits stay what is shown first; a converted value stands beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from clinical.domain.provenance import DEMO, Provenance, SourceStatus, Trust, row_digest

_EXACT: Final = Context(prec=28)
_LEAST, _MOST = 3, 4  # significant digits of a converted value: those of the record, within these bounds
_MICRO: Final = str.maketrans({"µ": "u", "μ": "u"})
_TEMPERATURES: Final = {"cel": "cel", "°c": "cel", "degc": "cel", "[degf]": "f", "°f": "f", "degf": "f"}


@dataclass(frozen=True, slots=True)
class Converted:
    """A value in another unit: exact `number`, `text` rounded as shown ("5.50 mmol/L"), and what it rests on."""

    number: Decimal
    text: str
    basis: str


@dataclass(frozen=True, slots=True)
class _Unit:
    kind: str  # mass, substance, charge, count, activity (each also "/volume"), length, pressure, temperature, fraction
    factor: Decimal = Decimal(1)


@cache
def table() -> dict[str, Any]:
    """Return the table of this package's units, formulas and trend thresholds."""
    read: dict[str, Any] = json.loads(files(__package__).joinpath("conversion.json").read_text(encoding="utf-8"))
    return read


@cache
def asked_units() -> dict[str, str]:
    """Return the UCUM code by the unit as questions word it, lower case."""
    return dict(table()["units"]["asked"])


def shown(unit: str) -> str:
    """Return a UCUM code as reports print it."""
    return str(table()["units"]["shown"].get(unit, unit))


@lru_cache(maxsize=4096)  # units are as the senders wrote them: without a bound they would pile up
def _unit(code: str) -> _Unit | None:
    plain = code.translate(_MICRO).strip().lower().replace(" ", "").replace("mmhg", "mm[hg]")
    if plain in _TEMPERATURES:
        return _Unit(f"temperature {_TEMPERATURES[plain]}")
    if plain in ("%", "mmol/mol"):
        return _Unit(f"fraction {plain}")
    units = table()["units"]
    amount, slash, volume = plain.partition("/")
    if amount not in units["amounts"] or (slash and volume not in units["volumes"]) or not plain:
        return None
    kind, factor = units["amounts"][amount]
    if not slash:
        return None if kind == "count" else _Unit(kind, Decimal(factor))
    return _Unit(f"{kind}/volume", Decimal(factor) / Decimal(units["volumes"][volume]))


@cache
def _molar_mass(formula: str) -> Decimal:
    weights = table()["atomic_weights"]["row"]
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    return sum((Decimal(weights[element]) * int(number or 1) for element, number in parts), Decimal(0))


@cache
def _substances() -> dict[str, dict[str, Any]]:
    return {row["analyte"]: row for row in table()["substances"]["rows"]}


def convert(
    number: str,
    unit: str,
    into: str,
    *,
    concept: str = "",
    names: tuple[str, ...] = (),
    trust: Trust = DEMO,
) -> Converted | None:
    """Return a recorded number in another unit, or None where no rule of the table leads there.

    Args:
        number: the record's digits.
        unit: UCUM code, or the unit as shown.
        into: UCUM code of the unit wanted.
        concept: id of the measurement, for conversions between mass and amount of substance and for HbA1c.
        names: the record's names of it; urea is converted from mass only where nitrogen is named.
        trust: whether unverified rows of the table may be used.
    """
    start, goal = _unit(unit), _unit(into)
    if start is None or goal is None:
        return None
    value = Decimal(number)
    if start.kind == goal.kind and start.kind.partition(" ")[0] not in ("temperature", "fraction"):
        if not _allowed("units", table()["units"], trust):
            return None
        return _made(_EXACT.divide(value * start.factor, goal.factor), number, into, "by definition of the units")
    if {start.kind, goal.kind} == {"temperature cel", "temperature f"}:
        if not _allowed("units", table()["units"], trust):
            return None
        fahrenheit = goal.kind.endswith(" f")
        made = value * Decimal("1.8") + 32 if fahrenheit else _EXACT.divide(value - 32, Decimal("1.8"))
        return _made(made, number, into, "°F = 1.8 x °C + 32")
    if concept == "hba1c" and {start.kind, goal.kind} == {"fraction %", "fraction mmol/mol"}:
        return _hba1c(value, number, into, trust)
    return _between_mass_and_amount(value, number, (start, goal), into, concept, names, trust)


def _hba1c(value: Decimal, number: str, into: str, trust: Trust) -> Converted | None:
    row = table()["hba1c"]["row"]
    if not _allowed("hba1c", row, trust):
        return None
    slope, offset = Decimal(row["slope"]), Decimal(row["offset"])
    made = slope * value + offset if into == "%" else _EXACT.divide(value - offset, slope)
    return _made(made, number, into, "NGSP = 0.09148 x IFCC + 2.152")


def _between_mass_and_amount(
    value: Decimal,
    number: str,
    units: tuple[_Unit, _Unit],
    into: str,
    concept: str,
    names: tuple[str, ...],
    trust: Trust,
) -> Converted | None:
    row = _substances().get(concept)
    start, goal = units
    kinds = {start.kind, goal.kind}
    if row is None or not kinds <= {"mass/volume", "substance/volume", "charge/volume"}:
        return None
    if "only_if_named" in row and not any(re.search(row["only_if_named"], name.lower()) for name in names):
        return None
    if not _allowed("substances", row, trust) or ("charge/volume" in kinds and "valence" not in row):
        return None
    grams = _molar_mass(row["formula"])
    per_mole = {
        "mass/volume": grams,
        "substance/volume": Decimal(1),
        "charge/volume": Decimal(row.get("valence", 1)),
    }
    made = _EXACT.divide(value * start.factor * per_mole[goal.kind], per_mole[start.kind] * goal.factor)
    basis = f"molar mass {grams} g/mol" if "mass/volume" in kinds else f"valence {row['valence']}"
    return _made(made, number, into, basis)


def _allowed(name: str, row: dict[str, Any], trust: Trust) -> bool:
    return trust.allows(provenance(name), row_digest(f"conversion/{name}", row))


def rows() -> list[tuple[str, dict[str, Any], Provenance]]:
    """Return each approvable row with the name of its table: formulas, HbA1c, unit definitions, trend thresholds."""
    single = [(name, [table()[name]["row"]]) for name in ("atomic_weights", "hba1c")]
    several = [(name, table()[name]["rows"]) for name in ("substances", "trends")]
    named = [*single, *several, ("units", [table()["units"]])]
    return [(f"conversion/{name}", row, provenance(name)) for name, found in named for row in found]


def provenance(name: str) -> Provenance:
    """Return what a part of the table ("units", "substances", "hba1c", "trends") rests on."""
    part = table()[name]
    return Provenance(part["source"], part["edition"], SourceStatus(part["status"]))


def _made(made: Decimal, number: str, into: str, basis: str) -> Converted:
    digits = len(Decimal(number).as_tuple().digits)
    rounded = Context(prec=min(max(digits, _LEAST), _MOST)).plus(made)
    text = f"{rounded:f} {shown(into)}".strip()
    return Converted(made, text, basis)
