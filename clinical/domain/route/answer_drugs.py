"""Answers about medicines and allergies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clinical.domain.facts.allergies import (
    AllergyStatus,
    allergies,
    matches_substance,
    negative_covers,
)
from clinical.domain.facts.medications import (
    active_medications,
    is_active,
    medications_of,
    past_medications,
)
from clinical.domain.facts.statements import problems_about
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.route.intents import Act
from clinical.domain.route.sentences import answered, in_words, listed, not_found, sentence, within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import CodeAnswer, CodeSentence, Intent


def answer_medication(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer whether, since when, how much or why a medicine was ordered.

    In force: every standing order and statement. Not in force: what the record says of its end. A "why"
    is answered only where the record holds a reason. No fact about the drug: not answered.
    """
    about = medications_of(facts, intent.target)
    if not about:
        return not_found(intent.said)
    active = [fact for fact in about if isinstance(fact.row, MedicationRow) and is_active(fact.row, today=today)]
    chosen = within(about if _asks_history(intent) else active or about, intent.window, today)
    if not chosen:
        return not_found(in_words(intent), [sentence(fact, "Outside the time asked about: ") for fact in about[:1]])
    if Act.WHY in intent.acts:
        explained = [fact for fact in about if _reason(fact)]
        if not explained:
            return not_found(f"reason for {intent.said}", listed(chosen, "entries"))
        return answered(listed(explained, "entries"))
    if Act.FIRST in intent.acts:
        return answered([sentence(chosen[-1], "First: ")])
    lead = "" if active else "Not in force: "
    return answered(listed(chosen, "entries", lead=lead))


def _asks_history(intent: Intent) -> bool:
    return bool({Act.FIRST, Act.SERIES, Act.COUNT} & set(intent.acts)) or intent.window is not None


def _reason(fact: Fact) -> str:
    return (fact.row.status_reason or fact.row.reason) if isinstance(fact.row, MedicationRow) else ""


def answer_medications(facts: Sequence[Fact], today: date) -> CodeAnswer:
    """List what is in force; where nothing is, say so only if the record shows medicines that ended."""
    active = active_medications(facts, today=today)
    if active:
        return answered(listed(active, "active medications", shown=40))
    past = past_medications(facts, today=today)
    return not_found("active medications", listed(past, "past medications", lead="Not in force: ", shown=3))


def answer_past_medications(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """List orders and statements that are no longer in force."""
    past = within(past_medications(facts, today=today), intent.window, today)
    return answered(listed(past, "past medications", shown=40)) if past else not_found("past medications")


def answer_allergies(facts: Sequence[Fact]) -> CodeAnswer:
    """List allergies; a recorded "no known allergies" is an answer, an empty list is not."""
    held = allergies(facts)
    if held.status is AllergyStatus.NEVER_ASKED:
        return not_found("allergies (no allergy entry of any kind)")
    if held.status is AllergyStatus.NOT_RECORDED and not held.past:
        return not_found("allergies")
    sentences = [
        *listed(held.active, "allergies", shown=40),
        *(sentence(fact, "Conflicts with the allergies above: " if held.conflict else "") for fact in held.negatives),
        *(sentence(fact) for fact in held.refuted),
    ]
    if not held.active:
        sentences.extend(sentence(fact, "No longer active: ") for fact in held.past)
    return answered(sentences)


def answer_allergy(intent: Intent, facts: Sequence[Fact]) -> CodeAnswer:
    """Answer whether an allergy to one substance is recorded, refuted, past or denied by a recorded negative.

    An entry of the same drug class is shown as what it is. Other allergies are `related`, no answer.
    """
    held = allergies(facts)
    sentences: list[CodeSentence] = []
    for group, lead in ((held.active, ""), (held.refuted, ""), (held.past, "No longer active: ")):
        for fact in group:
            match matches_substance(fact, intent.target):
                case "same":
                    sentences.append(sentence(fact, lead))
                case "class":
                    sentences.append(sentence(fact, f"{lead}Same drug class as {intent.said}: "))
    sentences.extend(sentence(fact) for fact in problems_about(facts, intent.target) if _is_allergy(fact))
    covering = [fact for fact in held.negatives if negative_covers(fact, intent.target)]
    sentences.extend(sentence(fact) for fact in covering)
    if sentences:
        return answered(sentences)
    others = [*held.active, *held.negatives]
    return not_found(
        f"allergy to {intent.said}", [sentence(fact, "Recorded, but not what was asked: ") for fact in others]
    )


def _is_allergy(fact: Fact) -> bool:
    return any(re.search(r"allerg|intoleran|anaphyla", name, re.IGNORECASE) for name in fact.row.names)
