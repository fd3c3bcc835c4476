"""Whether a rule of a Consent is about the uses that this product makes of a record.

Purposes and actions are set against a table (`consent_uses.json`, which names its source). A code that is not in it
cannot be told: neither that it means one of our uses nor that it does not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.projection.elements import as_dict, as_list, as_str

if TYPE_CHECKING:
    from collections.abc import Iterator

_PURPOSE: Final = "purpose"  # Codings
_ACTION: Final = "action"  # CodeableConcepts


class Use(StrEnum):
    """Whose uses a rule is about."""

    OURS = "ours"
    OTHERS = "others"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class _Codes:
    systems: frozenset[str]
    ours: frozenset[str]
    others: frozenset[str]


def use_of(provision: dict[str, Any]) -> Use:
    """Return whose uses a rule is about: OURS when it names neither purpose nor action, or at least one that is ours.

    OTHERS: all its purposes, or all its actions, are known and not ours. UNTOLD: none of those known is ours, and
    one is not known.
    """
    told = {_told(provision, _PURPOSE), _told(provision, _ACTION)}
    return next(one for one in (Use.OTHERS, Use.UNTOLD, Use.OURS) if one in told)


def inner_of(provision: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rules inside a rule; one that names no purpose (or action) keeps those of a rule for others."""
    handed = {name: provision[name] for name in (_PURPOSE, _ACTION) if _told(provision, name) is Use.OTHERS}
    inner = [as_dict(one) for one in as_list(provision.get("provision"))]
    return [handed | {name: value for name, value in one.items() if value} for one in inner]


def _told(provision: dict[str, Any], name: str) -> Use:
    codes = _codes()[name]
    found = {_entry(one, codes) for one in as_list(provision.get(name))}
    if not found or Use.OURS in found:
        return Use.OURS
    return Use.UNTOLD if Use.UNTOLD in found else Use.OTHERS


def _entry(entry: object, codes: _Codes) -> Use:
    named = {code for system, code in _codings(as_dict(entry)) if system in codes.systems}
    if named & codes.ours:
        return Use.OURS
    return Use.OTHERS if named & codes.others else Use.UNTOLD


def _codings(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in as_list(entry.get("coding", entry)):
        coding = as_dict(one)
        yield as_str(coding.get("system")), as_str(coding.get("code"))


@cache
def _codes() -> dict[str, _Codes]:
    table = json.loads(files(__package__).joinpath("consent_uses.json").read_text(encoding="utf-8"))
    return {
        name: _Codes(*(frozenset(table[name][part]) for part in ("systems", "ours", "others")))
        for name in (_PURPOSE, _ACTION)
    }
