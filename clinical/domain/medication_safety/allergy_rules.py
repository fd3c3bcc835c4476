"""Medicines against recorded allergies: the substance itself, its class, and cross-reactivity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.allergies import AllergyStatus, allergies
from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.names import identify, index_of, tokens_of
from clinical.domain.medication_safety.report import SEVERITIES, Finding, Severity, made
from clinical.domain.medication_safety.rules import rules_of
from clinical.domain.projection.rows import AllergyRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.medication_safety.medicines import Medicine
    from clinical.domain.medication_safety.rules import AllergyRule
    from clinical.domain.provenance import KnowledgeRow, Trust

_NONE: Final = "none"
_NEAREST: Final = {"allergy-substance": 2, "allergy-class": 1, "allergy-cross": 0}


@dataclass(frozen=True, slots=True)
class Bearing:
    """How an allergen bears on one ingredient: `words` follow "the medicine is ordered: <ingredient> "."""

    kind: str
    severity: Severity
    words: str
    row: KnowledgeRow
    table: str


@dataclass(frozen=True, slots=True)
class Allergen:
    """What an allergy entry is about. `is_known` when the tables know the substance or class.

    `bearings` hold, by ingredient, every rule in force that it touches.
    """

    is_known: bool
    bearings: Mapping[str, tuple[Bearing, ...]]


def check_allergies(
    facts: Iterable[Fact], medicines: Sequence[Medicine], trust: Trust
) -> tuple[list[Finding], list[str]]:
    """Return the findings of every active allergy entry against every medicine, and what could not be checked."""
    held = allergies(facts)
    not_checked: list[str] = []
    if held.status is AllergyStatus.NEVER_ASKED and medicines:
        not_checked.append("not checked: allergies because the record holds no allergy entry of any kind")
    places: dict[str, list[int]] = {}
    for place, medicine in enumerate(medicines):
        for one in medicine.drug.ingredients:
            places.setdefault(one, []).append(place)
    findings: list[Finding] = []
    for fact in held.active:
        if not isinstance(fact.row, AllergyRow):
            continue
        allergen = allergen_of(fact.row.names, fact.row.codes, trust)
        if not allergen.is_known:
            not_checked.append(f"not checked: allergy to {fact.row.text} because it is not in the table")
        for place in sorted({place for one in places if one in allergen.bearings for place in places[one]}):
            medicine = medicines[place]
            found = _gravest(allergen, medicine)
            if found is not None:
                findings.append(_finding(fact, fact.row, medicine, *found, trust))
    return findings, not_checked


@lru_cache(maxsize=4096)
def allergen_of(names: tuple[str, ...], codes: tuple[str, ...], trust: Trust) -> Allergen:
    """Return what the names and codes of an allergy entry mean by the rows in force."""
    rules = rules_of(trust)
    ingredients = tuple(dict.fromkeys(one for name in names for one in identify(name, trust).ingredients))
    named = [rules.allergen_codes[code] for code in codes if code in rules.allergen_codes]
    for name in names:
        named += _named(name, trust)
    by_id = {rule.row.id: (rule, False) for one in ingredients for rule in rules.allergies_of.get(one, ())}
    by_id |= {rule.row.id: (rule, True) for rule in named}
    bearings: dict[str, list[Bearing]] = {}
    for one in ingredients:
        itself = Bearing(
            "allergy-substance", Severity.SEVERE, "is the substance itself", rules.ingredients[one], tables.INGREDIENTS
        )
        bearings.setdefault(one, []).append(itself)
    for rule, is_named in by_id.values():
        for one in rule.members | rule.cross.keys():
            if (bearing := _bearing(rule, one, is_named=is_named)) is not None:
                bearings.setdefault(one, []).append(bearing)
    return Allergen(bool(by_id or ingredients), {one: tuple(held) for one, held in bearings.items()})


def _named(name: str, trust: Trust) -> list[AllergyRule]:
    """Return the allergy classes that a name holds the words of.

    One that concerns no medicine (pollen, latex) must be all that is named: what "moon dust" holds, nobody knows.
    """
    rules = rules_of(trust)
    tokens = tokens_of(name)
    found: list[AllergyRule] = []
    read: set[str] = set()
    place = 0
    while place < len(tokens):
        medicine = index_of(trust).names.longest(tokens, place)  # "penicillin v" is one of the penicillins
        term = () if medicine else rules.allergens.longest(tokens, place)
        if term:
            found.append(rules.allergens[term])
        read.update(medicine or term)
        place += max(1, len(medicine), len(term))
    unread = {word for part in identify(name, trust).unknown for word in part.split()} - read
    return [rule for rule in found if rule.members or rule.cross or not unread]


def _bearing(rule: AllergyRule, ingredient: str, *, is_named: bool) -> Bearing | None:
    """Return how a class of the allergen bears on an ingredient.

    A rule whose members say nothing about each other ("none") counts only where the record names the class.
    """
    if rule.within == _NONE and not is_named:
        return None
    if ingredient in rule.members:
        severity = Severity.SEVERE if is_named else SEVERITIES[rule.within]
        words = f"belongs to the same class ({rule.name})"
        return Bearing("allergy-class", severity, words, rule.row, tables.ALLERGIES)
    level, note = rule.cross[ingredient]
    because = f" ({note})" if note else ""
    if level == _NONE:
        words = f"is not expected to cross-react with {rule.name}{because}"
        return Bearing("allergy-cross", Severity.INFO, words, rule.row, tables.ALLERGIES)
    words = f"may cross-react with {rule.name}{because}"
    return Bearing("allergy-cross", SEVERITIES[level], words, rule.row, tables.ALLERGIES)


def _gravest(allergen: Allergen, medicine: Medicine) -> tuple[str, Bearing] | None:
    """Return the ingredient and the gravest rule; that none is expected is said only of what is asked about."""
    found: list[tuple[str, Bearing]] = []
    for one in medicine.drug.ingredients:
        if one in allergen.bearings:
            found += [(one, bearing) for bearing in allergen.bearings[one]]
    said = [one for one in found if one[1].severity is not Severity.INFO or medicine.fact is None]
    return max(said, key=lambda one: (one[1].severity, _NEAREST[one[1].kind])) if said else None


def _finding(
    fact: Fact, row: AllergyRow, medicine: Medicine, ingredient: str, bearing: Bearing, trust: Trust
) -> Finding:
    cited = ((fact, row.name_path or row.anchor), *medicine.citations_from)
    shown = f"{ingredient}, one of them," if medicine.drug.classes else ingredient
    text = f"{_recorded(row)}. {medicine.label} {medicine.how}: {shown} {bearing.words}."
    severity = _graver(bearing.severity, row)
    return made(bearing.kind, severity, text, cited, row=bearing.row, table=bearing.table, trust=trust)


def _graver(severity: Severity, row: AllergyRow) -> Severity:
    """Return the severity, one step up where the record calls the allergy of high criticality."""
    if row.criticality != "high" or severity is Severity.INFO:
        return severity
    return min(Severity.CONTRAINDICATED, Severity(severity + 1))


def _recorded(row: AllergyRow) -> str:
    details = [", ".join(row.reactions), row.criticality and f"criticality {row.criticality}"]
    details += [row.verification] if row.verification not in ("", "confirmed") else []
    shown = "; ".join(filter(None, details))
    return f"Allergy or intolerance to {row.text} is recorded{f' ({shown})' if shown else ''}"
