"""Allergies: recorded, refuted, known to be none, and not recorded are four different answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clinical.domain.facts.fact import Fact, of_kind
from clinical.domain.facts.medications import classes_of, drug_names
from clinical.domain.facts.naming import drug_words, plain
from clinical.domain.facts.tables import classes_by_use, drug_classes
from clinical.domain.projection.rows import AllergyRow

if TYPE_CHECKING:
    from collections.abc import Iterable


class AllergyStatus(StrEnum):
    """What the record says on allergies as a whole."""

    RECORDED = "recorded"
    NONE_KNOWN = "none-known-recorded"
    REFUTED = "refuted"
    NOT_RECORDED = "not-recorded"  # entries exist, but all are resolved, inactive or entered in error
    NEVER_ASKED = "never-asked"  # the record holds no allergy entry at all


@dataclass(frozen=True, slots=True)
class Allergies:
    """The allergy list: active ones by severity, refuted, past, and recorded negatives.

    `conflict` when an active allergy stands beside a recorded "no known allergies" that says
    nothing narrower (such as drugs only).
    """

    status: AllergyStatus
    active: tuple[Fact, ...] = ()
    negatives: tuple[Fact, ...] = ()
    refuted: tuple[Fact, ...] = ()
    past: tuple[Fact, ...] = ()

    @property
    def conflict(self) -> bool:
        """Return whether an allergy and a recorded negative stand side by side."""
        return bool(self.active and self.negatives)


def allergies(facts: Iterable[Fact]) -> Allergies:
    """Return the patient's allergies, the four-way status decided over all entries."""
    held = list(facts)
    entries = sorted(
        of_kind(held, AllergyRow),
        key=lambda entry: (
            entry[1].criticality != "high",
            -entry[1].effective_sort.timestamp(),
            entry[0].resource,
        ),
    )
    refuted = tuple(fact for fact, row in entries if row.verification == "refuted")
    negatives = tuple(
        fact
        for fact, row in entries
        if row.negated and fact not in refuted and row.clinical not in ("inactive", "resolved")
    )
    past = tuple(fact for fact, row in entries if _is_past(row))
    active = tuple(fact for fact, row in entries if fact not in refuted and not row.negated and fact not in past)
    if active:
        status = AllergyStatus.RECORDED
    elif negatives:
        status = AllergyStatus.NONE_KNOWN
    elif refuted:
        status = AllergyStatus.REFUTED
    else:
        ever = any(isinstance(fact.row, AllergyRow) for fact in held)
        status = AllergyStatus.NOT_RECORDED if ever else AllergyStatus.NEVER_ASKED
    return Allergies(status, active, negatives, refuted, past)


def _is_past(row: AllergyRow) -> bool:
    return row.clinical in ("inactive", "resolved") and row.verification != "refuted" and not row.negated


def matches_substance(fact: Fact, substance: str) -> str:
    """Return how an allergy entry bears on a substance: "same", "class", "group" or "".

    "group" where the substance asked about is a group that the entry is one of (nuts, and an allergy to peanuts).

    "class" when the table puts both in one class (an allergy to penicillin, asked about amoxicillin). A class that
    only says what a drug is for ("painkiller") counts where one side names the class itself.
    """
    asked = drug_names(substance)
    kinds = _group(plain(substance))
    class_names = classes_of(substance)
    for name in fact.row.names:
        whole, significant = f" {plain(name)} ", drug_words(name)
        if any(f" {one} " in whole or one in significant or one + "s" in significant for one in asked):
            return "same"
        if not significant:
            continue
        if any(f" {one} " in whole or f" {one}s " in whole for one in kinds):
            return "group"
        own = classes_of(" ".join(significant)).union(*map(classes_of, significant))
        named = _named_classes([substance, *significant, " ".join(significant)])
        if (class_names & own) - (classes_by_use() - named):
            return "class"
    return ""


@lru_cache(maxsize=256)
def _group(asked: str) -> tuple[str, ...]:
    loaded = json.loads(files(__package__).joinpath("allergens.json").read_text(encoding="utf-8"))
    return tuple(one for group in loaded["groups"] if asked in group["asked"] for one in group["of"])


def _named_classes(texts: Iterable[str]) -> frozenset[str]:
    said = set(map(plain, texts))
    return frozenset(item.name for item in drug_classes() if said & set(item.terms))


def negative_covers(fact: Fact, substance: str) -> bool:
    """Return whether a recorded "no known ... allergy" speaks of the substance.

    "No known drug allergies" covers a medicine and says nothing about food or latex.
    """
    said = plain(" ".join(fact.row.names))
    codes = {code.partition("|")[2] for code in fact.row.codes}
    about = {
        "drug": "drug" in said or "medication" in said or "nkda" in said or "409137002" in codes,
        "food": "food" in said or "nkfa" in said or "429625007" in codes,
        "latex": "latex" in said or "1003774007" in codes,
        "environment": "environment" in said or "428607008" in codes,
    }
    if not any(about.values()):
        return True
    is_drug = bool(classes_of(substance)) or len(drug_names(substance)) > 1
    return (about["drug"] and is_drug) or (about["latex"] and plain(substance) == "latex")
