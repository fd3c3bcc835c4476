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


class Intent(StrEnum):
    """What a sentence must hold beside the things asked about."""

    CAUSE = "cause"
    MANNER = "manner"
    DATE = "date"
    DURATION = "duration"
    FREQUENCY = "frequency"
    AMOUNT = "amount"
    RESULT = "result"
    PERSON = "person"
    SIDE = "side"
    PLAN = "plan"
    CONDITIONAL = "conditional"
    QUALITY = "quality"
    MODIFIER = "modifier"
    STATED = "stated"
    DRUG = "drug"


_HARM = r"(?:hurt|injur\w*|happen\w*|br[eo]ak\w*|broken|fall|fell|sprain\w*|fractur\w*|occur\w*|sustain\w*|twist\w*|tear|torn|discover\w*|found|detected|noticed)"
_ASKED = tuple(
    (intent, re.compile(pattern, re.IGNORECASE))
    for intent, pattern in (
        (
            Intent.CAUSE,
            r"\b(?:why|what(?:'s| was| is| were)?(?: the)?(?: most)?(?: likely| probable| suspected| main)?"
            r" (?:reason|indication|causes?|caused)|how come|what for"
            r"|what (?:\w+ ){0,3}(?:caus\w+|trigger\w*|brought|provok\w+|led to|behind|rais(?:es|ed|ing)|driv(?:es|ing)|explains?))\b",
        ),
        (
            Intent.MANNER,
            rf"^\s*how (?:did|was|were|has|is|had)\b.*\b{_HARM}\b|\bwhat (?:was|were) (?:\w+ ){{1,2}}doing\b",
        ),
        (
            Intent.DATE,
            r"^\W*(?:\w+[,:]? )?when\b|\b(?:when (?:was|were|did|is|are|will|does|do|has|had|should|can)"
            r"|what (?:date|day|year|month|time)|how long ago|since when|what age)\b",
        ),
        (
            Intent.DURATION,
            r"\b(?:how long(?! ago)|(?:for )?how many (?:hours|days|weeks|months|years)(?! ago)|duration)\b",
        ),
        (Intent.FREQUENCY, r"\b(?:how (?:often|frequently|regularly|many times)|what frequency)\b"),
        (
            Intent.AMOUNT,
            r"\b(?:how (?:much|many(?! times| hours| days| weeks| months| years)|high|low|far|big|large|old|tall|heavy|thick"
            r"|wide|deep|fast|small|bad|severe)"
            r"|what (?:dose|dosage|strength|percentage|percent|size|level|value|number|rate|score|is the dose|was the dose"
            r"|\w+ dose|is the size|was the size)|dose of|dosage of"
            r"|(?:increased|decreased|reduced|raised|lowered|changed|cut|titrated) to)\b",
        ),
        (
            Intent.MODIFIER,
            r"\bwhat\b.*\b(?:makes?|helps?|helped|reliev\w+|eases?|eased|improves?|worsens?|aggravates?|exacerbates?)\b",
        ),
        (Intent.QUALITY, r"\b(?:feels? like|character of|describes? (?:the|his|her) \w*\s?(?:pain|symptom)|nature of)\b"),
        (Intent.PERSON, r"^\s*(?:who|whom|by whom|which (?:doctor|surgeon|physician|specialist|nurse))\b"),
        (
            Intent.SIDE,
            r"\b(?:which (?:side|knee|leg|arm|eye|ear|foot|hip|hand|shoulder|breast|lung|ankle|wrist|elbow|kidney|one))\b",
        ),
    )
)
_MEDICINES = r"(?:medic(?:ation|ine)|drug|pill|tablet|antibiotic|contraceptive|painkiller|inhaler|chemotherapy|cream|ointment|statin)s?"
_DRUG = re.compile(
    rf"\b(?:which|what)\b.*\b(?:takes?|taking|on(?= for\b| now\b|\s*\??\s*$)|prescribed"
    rf"|(?:was|were|been) started|treated with|treated for|{_MEDICINES})\b"
    rf"|\b(?:any(?:thing)?|something)\b.*\b(?:prescribed|given|started|taken|taking)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(r"\b(?:which|what)\b.*\b(?:ordered|given|recommended|added)\b", re.IGNORECASE)
_PLAN = re.compile(
    r"\b(?:plan|planned|next step|follow[ -]?up|recommend\w*|advised|going to (?!bed|the|school|work|therapy|church))\b",
    re.IGNORECASE,
)
_IF = re.compile(r"\b(?:what|how)\b.*\bif\b", re.IGNORECASE)
_RESULT = re.compile(
    r"\b(?:show\w*|result\w*|find\w*|found|reveal\w*|demonstrate\w*|latest|last|most recent|value|level)\b",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"\bwhat\b.*\b(?:show|find|found|reveal|demonstrate|see|seen|say)\b|\b(?:results?|findings?) of\b", re.IGNORECASE
)


def intents_of(text: str, clinical: Sequence[Mention], *, actions: bool) -> frozenset[Intent]:
    """Return what a question wants; `clinical` are the things it names, `actions` whether one was done to them."""
    found = {intent for intent, pattern in _ASKED if pattern.search(text)}
    if _IF.search(text):
        found = {Intent.CONDITIONAL}
    if found:
        return frozenset(found)
    drugs = [one.key for one in clinical if one.kind is Kind.DRUG]
    if drugs and _ORDERED.search(text) and all(key in _classes() for key in drugs):
        return frozenset({Intent.DRUG})
    if _DRUG.search(text) and all(key in _classes() for key in drugs):
        return frozenset({Intent.DRUG})
    if _PLAN.search(text) and not _FOUND.search(text):
        return frozenset({Intent.PLAN})
    kinds = {one.kind for one in clinical}
    measured = kinds & {Kind.TEST, Kind.VITAL} and (_RESULT.search(text) or re.match(r"\s*what\b", text, re.IGNORECASE))
    if not actions and (measured or _FOUND.search(text)):
        return frozenset({Intent.RESULT})
    return frozenset()


@cache
def _classes() -> frozenset[str]:
    """Return the ids of drugs that others are a kind of: which one is asked, and the class is no answer."""
    return frozenset(key for one in concepts().values() if one.kind is Kind.DRUG for key in one.wider - {one.id})


def sections_named(text: str, concepts_asked: frozenset[str]) -> frozenset[str]:
    """Return the titles, lower case, of the sections that would answer "what is the diagnosis" and the like.

    `concepts_asked`: the keys of the things the question names; a section answers where they are the section's own.
    """
    return frozenset(
        title for pattern, of, titles in sections() if pattern.search(text) and concepts_asked <= of for title in titles
    )
