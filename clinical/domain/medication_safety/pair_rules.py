"""Medicines against each other: interactions and therapeutic duplication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.medication_safety.report import Finding, Severity, made
from clinical.domain.medication_safety.rules import rules_of
from clinical.domain.medication_safety.tables import DUPLICATES, INTERACTIONS
from clinical.domain.provenance import SourceStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.domain.medication_safety.medicines import Medicine
    from clinical.domain.medication_safety.rules import InteractionRule, Rules
    from clinical.domain.provenance import Trust


def check_pairs(medicines: Sequence[Medicine], trust: Trust) -> list[Finding]:
    """Return the interactions and duplications between any two of the medicines."""
    rules = rules_of(trust)
    findings: list[Finding] = []
    for first, second in _touching(medicines, rules):
        left, right = medicines[first], medicines[second]
        findings += _interactions(left, right, rules, trust)
        findings += _duplicates(left, right, rules, trust)
    return findings


def _touching(medicines: Sequence[Medicine], rules: Rules) -> list[tuple[int, int]]:
    """Return the places of any two medicines that a rule may speak of; local ones take no part."""
    places: dict[str, list[int]] = {}
    for place, one in enumerate(medicines):
        for ingredient in () if one.is_local else one.drug.ingredients:
            places.setdefault(ingredient, []).append(place)
    return sorted(
        {
            (first, second)
            for ingredient, held in places.items()
            for other in rules.partners.get(ingredient, frozenset()) & places.keys()
            for first in held
            for second in places[other]
            if first < second
        }
    )


def _interactions(left: Medicine, right: Medicine, rules: Rules, trust: Trust) -> Iterator[Finding]:
    """Yield one finding an effect: of two rules with the same effect the graver, of equals the checked one."""
    best: dict[str, tuple[tuple[Severity, bool], InteractionRule, str, str]] = {}
    for a in left.drug.ingredients:
        for b in right.drug.ingredients:
            for rule in rules.interactions.get((min(a, b), max(a, b)), ()):
                if not all(_applies(rule, one) for one in (left, right)):
                    continue
                rank = (rule.severity, rule.row.provenance.status is SourceStatus.CHECKED)
                effect = str(rule.row.content["effect"])
                if effect not in best or rank > best[effect][0]:
                    best[effect] = (rank, rule, a, b)
    for _, rule, a, b in best.values():
        panel = " Contraindicated together by the ONC high-priority panel." if "panel" in rule.row.content else ""
        text = f"{_named(left, a)} with {_named(right, b)}{_effect(rule, trust)}.{panel}"
        cited = left.citations_from + right.citations_from
        yield made("interaction", rule.severity, text, cited, row=rule.row, table=INTERACTIONS, trust=trust)


def _effect(rule: InteractionRule, trust: Trust) -> str:
    """Return the words for the effect; they are a row of their own, and may be less sure than the pair."""
    if rule.effect is None:
        return ""
    unsure = trust.status(rule.effect.provenance, rule.effect.digest) is SourceStatus.FROM_MEMORY
    pair_unsure = trust.status(rule.row.provenance, rule.row.digest) is SourceStatus.FROM_MEMORY
    return f": {rule.effect.content['text']}{' (wording unverified)' if unsure and not pair_unsure else ''}"


def _applies(rule: InteractionRule, medicine: Medicine) -> bool:
    return ("inhaled" if medicine.route == "inhaled" else "systemic") in rule.routes


def _named(medicine: Medicine, ingredient: str) -> str:
    return medicine.label if ingredient in medicine.label.lower() else f"{medicine.label} ({ingredient})"


def _duplicates(left: Medicine, right: Medicine, rules: Rules, trust: Trust) -> Iterator[Finding]:
    if (left.route == "inhaled") != (right.route == "inhaled"):
        return
    either_as_needed = left.as_needed or right.as_needed
    for a in left.drug.ingredients:
        for b in right.drug.ingredients:
            rule = rules.duplicates.get((min(a, b), max(a, b)))
            if rule is None or (rule.as_needed_allowed and either_as_needed):
                continue
            text = f"{_named(left, a)} with {_named(right, b)}: {rule.row.content['text']}."
            cited = left.citations_from + right.citations_from
            yield made("duplicate", rule.severity, text, cited, row=rule.row, table=DUPLICATES, trust=trust)
            return
