"""What kind of sentence would answer a question: a reason, a date, an amount, a finding, a person, a drug."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind, concepts
from clinical.domain.quotes.cues import asked
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


_FIRST = (
    Intent.CAUSE, Intent.MANNER, Intent.DATE, Intent.DURATION, Intent.FREQUENCY, Intent.AMOUNT, Intent.MODIFIER,
    Intent.QUALITY, Intent.PERSON, Intent.SIDE,
)  # fmt: skip


def intents_of(text: str, clinical: Sequence[Mention], *, actions: bool) -> frozenset[Intent]:
    """Return what a question wants; `clinical` are the things it names, `actions` whether one was done to them."""
    found = {intent for intent in _FIRST if asked(intent.value).search(text)}
    if asked("if").search(text):
        found = {Intent.CONDITIONAL}
    if asked("only_cause").match(text):
        found = {Intent.CAUSE}  # "why was it raised to 100": the amount is known
    if found:
        return frozenset(found)
    drugs = [one.key for one in clinical if one.kind is Kind.DRUG]
    if drugs and asked("ordered").search(text) and all(key in _classes() for key in drugs):
        return frozenset({Intent.DRUG})
    if asked("drug").search(text) and all(key in _classes() for key in drugs):
        return frozenset({Intent.DRUG})
    if asked("plan").search(text) and not asked("found").search(text):
        return frozenset({Intent.PLAN})
    kinds = {one.kind for one in clinical}
    what = text.lstrip().lower().startswith("what")
    measured = kinds & {Kind.TEST, Kind.VITAL} and (what or asked("result").search(text))
    if not actions and (measured or asked("found").search(text)):
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
