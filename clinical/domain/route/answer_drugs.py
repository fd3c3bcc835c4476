"""Answers about medicines and allergies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.allergies import (
    AllergyStatus,
    allergies,
    matches_substance,
    negative_covers,
)
from clinical.domain.facts.conflicts import medication_conflicts
from clinical.domain.facts.events import after
from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.medications import (
    ACTIVE,
    active_medications,
    drug_names,
    is_active,
    medications_of,
    names_drug,
    past_medications,
    reasons_of,
)
from clinical.domain.facts.statements import problems_about
from clinical.domain.projection.dates import lower_bound
from clinical.domain.projection.rows import AllergyRow, MedicationRow
from clinical.domain.route.answer_uses import answer_medicines_for
from clinical.domain.route.intents import Act, CodeAnswer, CodeSentence
from clinical.domain.route.sentences import (
    amount,
    answered,
    carrying,
    error_note,
    in_error,
    in_words,
    listed,
    not_found,
    sentence,
    statement,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import Intent

_ORDERS_SHOWN: Final = 5


def answer_medication(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer whether, since when, until when, how much, by whom or why a medicine was ordered.

    In force: every standing order and statement, with entries that contradict them. Not in force: what the record says
    of its end. "In 2024" and the like ask for orders in force then; with "when" or "how many" for orders made then.
    A "why" or "who" is answered only where the record holds it. No fact about the drug: not answered.
    """
    about = carrying(_medicines(facts), intent.code) if intent.code else medications_of(facts, intent.target)
    wrong = error_note([fact for fact in in_error(facts, MedicationRow) if _is_about(fact, intent)], intent.said)
    if not about:
        return CodeAnswer(tuple(wrong), absent=intent.said)
    acts = set(intent.acts)
    at_once = bool(acts & {Act.FIRST, Act.SERIES, Act.COUNT, Act.WHEN, Act.LATEST, Act.WHO})
    inside = within(about, intent.window, today) if at_once else _in_force(about, intent, today)
    if not inside:
        return not_found(in_words(intent), [sentence(fact, "Outside the time asked about: ") for fact in about[:1]])
    active = [fact for fact in inside if _active(fact, today)]
    if Act.WHY in intent.acts and (given_for := _given_for(about, facts)):
        return answered(given_for)
    found = _by_act(intent, inside, active, about)
    if not found.answered:
        return found
    clashing = [one for one in medication_conflicts(about, today=today) if set(one.sides) & set(inside)]
    sides = [sentence(fact, "Both are recorded: ") for one in clashing for fact in one.sides]
    return answered([*found.sentences, *sides, *wrong])


def _given_for(about: Sequence[Fact], facts: Sequence[Fact]) -> list[CodeSentence]:
    """Return orders that refer to a condition as their reason, with it; [] where none does or words say more."""
    if any(_reason(fact) for fact in about):
        return []
    referred = [(fact, found) for fact in about if (found := reasons_of(fact, facts))]
    return [
        one
        for fact, found in referred[:_ORDERS_SHOWN]
        for one in (sentence(fact), *(sentence(why, "Recorded as its reason: ") for why in found))
    ]


def _medicines(facts: Sequence[Fact]) -> list[Fact]:
    return [fact for fact, _ in of_kind(facts, MedicationRow)]


def _is_about(fact: Fact, intent: Intent) -> bool:
    if intent.code:
        return bool(carrying([fact], intent.code))
    return isinstance(fact.row, MedicationRow) and names_drug(fact.row, drug_names(intent.target))


def _active(fact: Fact, today: date) -> bool:
    return isinstance(fact.row, MedicationRow) and is_active(fact.row, today=today)


def _in_force(about: Sequence[Fact], intent: Intent, today: date) -> list[Fact]:
    """Return orders in force at some moment of the time asked about; an active one without an end lasts until now."""
    if intent.window is None:
        return list(about)
    start, end = intent.window.bounds(today)
    kept = []
    for fact in about:
        row = fact.row
        if not isinstance(row, MedicationRow):
            continue
        begun = lower_bound(row.start or row.effective)
        ended = after(row.end) if row.end else None
        if ended is None and row.status not in ACTIVE:
            ended = after(row.effective or row.start)  # stopped on a day nobody recorded: only the order is dated
        if (end is None or begun < end) and (start is None or ended is None or ended > start):
            kept.append(fact)
    return kept


def _by_act(intent: Intent, inside: list[Fact], active: list[Fact], about: Sequence[Fact]) -> CodeAnswer:
    acts = set(intent.acts)
    if Act.WHY in acts:
        explained = [fact for fact in about if _reason(fact)]
        if not explained:
            return not_found(f"reason for {intent.said}", listed(active or inside, "entries"))
        return answered(listed(explained, "entries"))
    if Act.WHO in acts:
        named = [fact for fact in inside if isinstance(fact.row, MedicationRow) and fact.row.requester]
        if not named:
            return not_found(f"who ordered {intent.said}")
        return answered([_ordered_by(fact) for fact in named[:_ORDERS_SHOWN]])
    if Act.ENDED in acts and acts & {Act.WHEN, Act.LATEST, Act.FIRST}:
        ended = [fact for fact in inside if not _still(fact, active)]
        if not ended:
            return not_found(f"end of {intent.said}", listed(active, "entries"))
        return answered(listed(ended, "entries", lead="Not in force: "))
    return answered(_in_order(intent, inside, active))


def _in_order(intent: Intent, inside: list[Fact], active: list[Fact]) -> Sequence[CodeSentence]:
    """Return how many orders, the first, the newest, or those in force, as asked."""
    acts = set(intent.acts)
    if Act.COUNT in acts:
        head = statement(f"{len(inside)} {_entries(inside)} on {intent.said} recorded.", inside)
        return [head, *listed(inside, "entries")]
    if acts & {Act.FIRST, Act.WHEN, Act.HOW_LONG} and Act.LATEST not in acts:
        first = inside[-1]
        now = [fact for fact in active if fact is not first]
        return [sentence(first, "First: " if len(inside) > 1 else ""), *listed(now, "entries", lead="Now: ")]
    if Act.LATEST in acts:
        newest = inside[0]
        others = [fact for fact in active if fact is not newest]
        return listed([newest, *others] if _still(newest, active) else [*others, newest], "entries")
    lead = "" if active else "Not in force: "
    if Act.SERIES in acts or intent.window is not None:
        return listed(inside, "entries", lead=lead)
    return listed(active or inside, "entries", lead=lead)


def _still(fact: Fact, active: Sequence[Fact]) -> bool:
    return any(fact is one for one in active)


def _entries(inside: Sequence[Fact]) -> str:
    kinds = {fact.row.resource_type for fact in inside}
    noun = "order" if kinds == {"MedicationRequest"} else "entry"
    return noun if len(inside) == 1 else {"order": "orders", "entry": "entries"}[noun]


def _ordered_by(fact: Fact) -> CodeSentence:
    row = fact.row
    said = row.requester if isinstance(row, MedicationRow) else ""
    act = "Ordered" if row.resource_type == "MedicationRequest" else "Stated"
    one = sentence(fact)
    field = "requester" if row.resource_type == "MedicationRequest" else "informationSource"
    return CodeSentence(f"{act} by {said}: {one.text}", ((fact, (field,)), *one.citations_from))


def _reason(fact: Fact) -> str:
    return (fact.row.status_reason or fact.row.reason) if isinstance(fact.row, MedicationRow) else ""


def answer_medications(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """List what is in force; where nothing is, say so only if the record shows medicines that ended.

    With a time asked about: orders in force at some moment of it; new ones where "started" or "new" is asked.
    """
    active = active_medications(facts, today=today)
    if intent.detail == "for":
        return answer_medicines_for(intent, facts, today)
    if intent.detail == "on-hold":
        held = [fact for fact in active if fact.row.status == "on-hold"]
        return answered(_counted(intent, held, "medications on hold")) if held else not_found("medications on hold")
    if intent.window is not None:
        standing = [*active, *past_medications(facts, today=today)]
        found = within(standing, intent.window, today) if intent.detail == "new" else _in_force(standing, intent, today)
        if not found:
            return not_found(in_words(intent))
        return answered(_counted(intent, found, "medications"))
    if active:
        return answered(_counted(intent, active, "active medications"))
    past = past_medications(facts, today=today)
    if not past or intent.detail:
        return not_found("active medications")
    head = statement(f"None of {amount(len(past), 'medications')} recorded is in force.", past)
    return answered([head, *listed(past, "past medications", lead="Not in force: ")])


def _counted(intent: Intent, found: Sequence[Fact], what: str) -> list[CodeSentence]:
    head = [statement(f"{amount(len(found), what)} recorded.", found)] if Act.COUNT in intent.acts else []
    return [*head, *listed(found, what, shown=40)]


def answer_past_medications(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """List orders and statements that are no longer in force; with a time asked about, those that ended in it."""
    past = past_medications(facts, today=today)
    if intent.window is not None:
        start, end = intent.window.bounds(today)
        ends = [(fact, lower_bound(getattr(fact.row, "end", "") or fact.row.effective)) for fact in past]
        past = [one for one, at in ends if (start is None or at >= start) and (end is None or at < end)]
    return answered(_counted(intent, past, "past medications")) if past else not_found("past medications")


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
    if intent.code:
        coded = carrying([*held.active, *held.refuted, *held.past], intent.code)
        return answered(listed(coded, "allergies")) if coded else not_found(f"allergy to {intent.said}")
    sentences: list[CodeSentence] = []
    same: list[Fact] = []
    for group, lead in ((held.active, ""), (held.refuted, ""), (held.past, "No longer active: ")):
        for fact in group:
            match matches_substance(fact, intent.target):
                case "same":
                    same.append(fact)
                    sentences.append(sentence(fact, lead))
                case "group":
                    sentences.append(sentence(fact, f"{lead}One of {intent.said}: "))
                case "class":
                    sentences.append(sentence(fact, f"{lead}Same drug class as {intent.said}: "))
    sentences.extend(sentence(fact) for fact in problems_about(facts, intent.target) if _is_allergy(fact))
    if intent.detail == "reaction" and same and not any(_reacted(fact) for fact in same):
        sentences.append(statement("No reaction is recorded with it.", same))
    covering = [fact for fact in held.negatives if negative_covers(fact, intent.target)]
    sentences.extend(sentence(fact) for fact in covering)
    if sentences:
        return answered(sentences)
    others = [*held.active, *held.negatives]
    wrong = [
        fact
        for fact in in_error(facts, AllergyRow)
        if isinstance(fact.row, AllergyRow)
        and not fact.row.negated
        and matches_substance(fact, intent.target) == "same"
    ]
    near = [sentence(fact, "Recorded, but not what was asked: ") for fact in others]
    return CodeAnswer(tuple(error_note(wrong, intent.said)), absent=f"allergy to {intent.said}", related=tuple(near))


def _reacted(fact: Fact) -> bool:
    return isinstance(fact.row, AllergyRow) and bool(fact.row.reactions)


def _is_allergy(fact: Fact) -> bool:
    return any(re.search(r"allerg|intoleran|anaphyla", name, re.IGNORECASE) for name in fact.row.names)
