"""The rules in force, compiled for looking up by ingredient; built once for each state of the approvals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.names import tokens_of
from clinical.domain.medication_safety.phrases import Phrases
from clinical.domain.medication_safety.report import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clinical.domain.medication_safety.report import Severity
    from clinical.domain.provenance import KnowledgeRow, Trust


@dataclass(frozen=True, slots=True)
class InteractionRule:
    """A pair rule. `effect` holds the words for it, None where they are not in force here."""

    row: KnowledgeRow
    severity: Severity
    effect: KnowledgeRow | None
    routes: frozenset[str]


@dataclass(frozen=True, slots=True)
class AllergyRule:
    """An allergy class: its ingredients, and level and note for ingredients it may cross-react with."""

    row: KnowledgeRow
    name: str
    members: frozenset[str]
    within: str
    cross: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """A duplication; `as_needed_allowed` when it is none if one of the two is for use when needed."""

    row: KnowledgeRow
    severity: Severity
    as_needed_allowed: bool


class Rules:
    """Every rule that may be used here, by ingredient."""

    def __init__(self, trust: Trust) -> None:
        self.classes: dict[str, set[str]] = {}
        self.ingredients = {row.id: row for row in tables.in_force(tables.INGREDIENTS, trust)}
        for row in self.ingredients.values():
            for one in row.content.get("classes", ()):
                self.classes.setdefault(one, set()).add(row.id)
        self.count = 0
        self._empty = {
            name for name in (tables.INGREDIENTS, *tables.RULES) if next(tables.in_force(name, trust), None) is None
        }
        self.interactions = self._interactions(trust)
        self.allergies = tuple(self._allergy(row) for row in self._rows(tables.ALLERGIES, trust))
        self.allergens: Phrases[AllergyRule] = Phrases()
        for rule in self.allergies:
            for term in rule.row.content.get("terms", ()):
                self.allergens.add(tokens_of(term), rule)
        self.allergen_codes = {code: rule for rule in self.allergies for code in rule.row.content.get("codes", ())}
        self.allergies_of: dict[str, list[AllergyRule]] = {}
        for rule in self.allergies:
            for one in rule.members:
                self.allergies_of.setdefault(one, []).append(rule)
        self.duplicates = self._duplicates(trust)
        self.partners: dict[str, set[str]] = {}
        for a, b in (*self.interactions, *self.duplicates):
            self.partners.setdefault(a, set()).add(b)
            self.partners.setdefault(b, set()).add(a)
        self.doses = self._by_ingredient(tables.DOSE_LIMITS, trust)
        self.renal = self._by_ingredient(tables.RENAL_LIMITS, trust)
        self.pregnancy = self._by_ingredient(tables.PREGNANCY, trust)

    def is_empty(self, table: str) -> bool:
        """Return whether no row of a table is in force."""
        return table in self._empty

    def members(self, items: Iterable[str]) -> frozenset[str]:
        """Return the ingredients of a list of ingredients and "@classes"."""
        found: set[str] = set()
        for item in items:
            found |= self.classes.get(item[1:], set()) if item.startswith("@") else {item}
        return frozenset(found)

    def _rows(self, name: str, trust: Trust) -> list[KnowledgeRow]:
        rows = list(tables.in_force(name, trust))
        self.count += len(rows)
        return rows

    def _interactions(self, trust: Trust) -> dict[tuple[str, str], list[InteractionRule]]:
        effects = {row.id: row for row in tables.in_force(tables.EFFECTS, trust)}
        pairs: dict[tuple[str, str], list[InteractionRule]] = {}
        for row in self._rows(tables.INTERACTIONS, trust):
            held = row.content
            rule = InteractionRule(
                row,
                SEVERITIES[held["severity"]],
                effects.get(held["effect"]),
                frozenset(held.get("routes", ("systemic",))),
            )
            left, right = self.members(held["a"]), self.members(held["b"])
            for pair in _pairs(left, right):
                if pair[0] != pair[1]:
                    pairs.setdefault(pair, []).append(rule)
        return pairs

    def _allergy(self, row: KnowledgeRow) -> AllergyRule:
        held = row.content
        members = self.members(held["of"])
        cross: dict[str, tuple[str, str]] = {}
        for item in held.get("cross", ()):
            for one in self.members([item["to"]]) - members:
                cross.setdefault(one, (item["level"], item.get("note", "")))
        return AllergyRule(row, held["name"], members, held["within"], cross)

    def _duplicates(self, trust: Trust) -> dict[tuple[str, str], DuplicateRule]:
        """Return the rule for each pair of ingredients, smaller name first; a pair that is allowed has none.

        One ingredient twice has the rule "*", unless its class has no other member (paracetamol) and words of its own.
        """
        pairs: dict[tuple[str, str], DuplicateRule] = {}
        same: DuplicateRule | None = None
        allowed: set[tuple[str, str]] = set()
        for row in self._rows(tables.DUPLICATES, trust):
            held = row.content
            sets = [self.members([f"@{one}"]) for one in held["classes"]]
            if held.get("allowed"):
                # of one class: two strengths of one ingredient; of two: one of each
                allowed |= {(one, one) for one in sets[0]} if len(sets) == 1 else _pairs(*sets)
                continue
            rule = DuplicateRule(row, SEVERITIES[held["severity"]], "as-needed" in held.get("except", ()))
            if held["classes"] == ["*"]:
                same = rule
                continue
            for pair in _pairs(sets[0], sets[-1]):
                if pair[0] != pair[1] or len(sets[0]) == 1:
                    pairs.setdefault(pair, rule)
        if same is not None:
            for one in self.ingredients:
                pairs.setdefault((one, one), same)
        return {pair: rule for pair, rule in pairs.items() if pair not in allowed}

    def _by_ingredient(self, name: str, trust: Trust) -> dict[str, Sequence[KnowledgeRow]]:
        found: dict[str, list[KnowledgeRow]] = {}
        for row in self._rows(name, trust):
            for one in self.members([_of(row.content)]):
                found.setdefault(one, []).append(row)
        return {one: tuple(rows) for one, rows in found.items()}


def _pairs(left: Iterable[str], right: Iterable[str]) -> set[tuple[str, str]]:
    """Return one of `left` with one of `right`, in every way, smaller name first."""
    others = tuple(right)
    return {(min(a, b), max(a, b)) for a in left for b in others}


def _of(content: Mapping[str, Any]) -> str:
    return str(content.get("of") or content["ingredient"])


@lru_cache(maxsize=4)
def rules_of(trust: Trust) -> Rules:
    """Return the compiled rules for one state of the approvals."""
    return Rules(trust)
