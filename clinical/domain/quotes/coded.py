"""Concepts of the lexicon by the codes a record may carry instead of words."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clinical.domain.facts.tables import by_loinc
from clinical.domain.lexicon.tables import concepts

if TYPE_CHECKING:
    from collections.abc import Iterable

_SYSTEMS = {
    "http://snomed.info/sct": "sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxn",
    "http://hl7.org/fhir/sid/cvx": "cvx",
    "http://hl7.org/fhir/sid/icd-10": "icd",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd",
}
_LOINC = "http://loinc.org"
_SHORTEST_ICD = 3  # characters of a category: "I10"


@cache
def _table() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return (system, code) to the ids of the concepts that carry it. Source: the table's own words."""
    loaded = json.loads(files(__package__).joinpath("codes.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for concept, systems in loaded["concepts"].items():
        for system, codes in systems.items():
            for code in codes:
                found[system, code] = (*found.get((system, code), ()), concept)
    return found


def concepts_coded(codes: Iterable[str]) -> frozenset[str]:
    """Return the ids of the concepts, and of what they are kinds of, that codes "system|code" stand for.

    ICD-10 is read by the longest beginning that the table has: E11.65 is type 2 diabetes.
    """
    found: set[str] = set()
    for one in codes:
        system, _, code = one.rpartition("|")
        short = _SYSTEMS.get(system, "")
        if short == "icd":
            beginnings = [code[:length] for length in range(len(code), _SHORTEST_ICD - 1, -1)]
            named = next((_table()[short, begin] for begin in beginnings if (short, begin) in _table()), ())
        else:
            named = _table().get((short, code), ())
        found.update(key for concept in named for key in concepts()[concept].wider)
    return frozenset(found)


def is_known(codes: Iterable[str]) -> bool:
    """Return whether one of the codes "system|code" is in a table of ours, so that its entry can be found by a name."""
    held = list(codes)
    loinc = {one.rpartition("|")[2] for one in held if one.rpartition("|")[0] == _LOINC}
    return bool(concepts_coded(held)) or bool(loinc & by_loinc().keys())
