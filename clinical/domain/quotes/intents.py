"""What kind of sentence would answer a question: a reason, a date, an amount, a finding, a person, a drug."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind, concepts
from clinical.domain.quotes.kin import sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.mention import Mention

_WHY = re.compile(
    r"\b(?:why|what(?: was| is)?(?: the)? (?:reason|indication|cause|caused)|how come|what for"
    r"|what (?:\w+ ){0,2}(?:caus\w+|trigger\w*|brought|provok\w+|led to|behind))\b",
    re.IGNORECASE,
)
_WHEN = re.compile(r"\b(?:when|what (?:date|day|year|month|time)|how long ago|since when|what age)\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\b(?:how (?:much|many|high|low|often|long|far|big|large|old|tall|heavy|frequently|thick|wide|deep|fast|small)"
    r"|what (?:dose|dosage|strength|percentage|percent|size|level|value|number|rate|score|is the dose|was the dose"
    r"|frequency)|dose of|dosage of|(?:increased|decreased|reduced|raised|lowered|changed|cut|titrated) to)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"^\s*(?:who|whom|by whom|which (?:doctor|surgeon|physician|specialist|nurse))\b", re.IGNORECASE)
_DRUG = re.compile(
    r"\b(?:which|what)\b.*\b(?:takes?|taking|on(?= for\b| now\b|\s*\??\s*$)|prescribed"
    r"|(?:was|were|been) started|treated with|treated for"
    r"|(?:medic(?:ation|ine)|drug|pill|tablet|antibiotic|contraceptive|painkiller|inhaler|chemotherapy)s?)\b",
    re.IGNORECASE,
)
_SIDE = re.compile(
    r"\b(?:which (?:side|knee|leg|arm|eye|ear|foot|hip|hand|shoulder|breast|lung|ankle|wrist|elbow|one))\b",
    re.IGNORECASE,
)
_PLAN = re.compile(r"\b(?:plan|planned|next step|follow[ -]?up|recommend\w*|advised|going to)\b", re.IGNORECASE)
_IF = re.compile(r"\b(?:what|how)\b.*\bif\b", re.IGNORECASE)
_RESULT = re.compile(
    r"\b(?:show\w*|result\w*|find\w*|found|reveal\w*|demonstrate\w*|latest|last|most recent|value|level)\b",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"\bwhat\b.*\b(?:show|find|found|reveal|demonstrate|see|say)\b|\b(?:results?|findings?) of\b", re.IGNORECASE
)


class Intent(StrEnum):
    """What a sentence must hold beside the things asked about."""

    CAUSE = "cause"
    DATE = "date"
    AMOUNT = "amount"
    RESULT = "result"
    PERSON = "person"
    SIDE = "side"
    PLAN = "plan"
    DRUG = "drug"


def intents_of(text: str, clinical: Sequence[Mention], *, actions: bool) -> frozenset[Intent]:
    """Return what a question wants; `clinical` are the things it names, `actions` whether one was done to them."""
    found = {
        intent
        for intent, pattern in (
            (Intent.CAUSE, _WHY),
            (Intent.DATE, _WHEN),
            (Intent.AMOUNT, _AMOUNT),
            (Intent.PERSON, _WHO),
            (Intent.SIDE, _SIDE),
        )
        if pattern.search(text)
    }
    kinds = {one.kind for one in clinical}
    if _IF.search(text):
        found.add(Intent.PLAN)
    if found:
        return frozenset(found)
    drugs = [one.key for one in clinical if one.kind is Kind.DRUG]
    if _DRUG.search(text) and all(key in _classes() for key in drugs):
        return frozenset({Intent.DRUG})
    measured = kinds & {Kind.TEST, Kind.VITAL} and (_RESULT.search(text) or re.match(r"\s*what\b", text, re.IGNORECASE))
    if not actions and (measured or _FOUND.search(text)):
        return frozenset({Intent.RESULT})
    return frozenset({Intent.PLAN}) if _PLAN.search(text) else frozenset()


@cache
def _classes() -> frozenset[str]:
    """Return the ids of drugs that others are a kind of: which one is asked, and the class is no answer."""
    return frozenset(key for one in concepts().values() if one.kind is Kind.DRUG for key in one.wider - {one.id})


def sections_named(text: str) -> frozenset[str]:
    """Return the titles, lower case, of the sections that would answer "what is the diagnosis" and the like."""
    return frozenset(title for pattern, titles in sections() if pattern.search(text) for title in titles)
