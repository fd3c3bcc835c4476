"""Answers by code: which facts answer an intent, and in which sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.naming import words
from clinical.domain.facts.statements import (
    about,
    active_problems,
    code_status,
    encounters,
    family_history,
    immunizations,
    immunizations_about,
    latest_vitals,
    newest,
    past_problems,
    patient,
    problems_about,
    procedures,
    recent_results,
)
from clinical.domain.facts.tables import problems
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import EncounterRow, ImmunizationRow, PatientRow, ProcedureRow
from clinical.domain.route.answer_drugs import (
    answer_allergies,
    answer_allergy,
    answer_medication,
    answer_medications,
    answer_past_medications,
)
from clinical.domain.route.answer_measures import answer_measure
from clinical.domain.route.intents import Act, CodeAnswer, CodeSentence, Topic
from clinical.domain.route.sentences import (
    answered,
    cites,
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
    from clinical.domain.route.intents import Intent, Route

_STEM: Final = 6
_STAYS: Final = {
    "inpatient": frozenset({"IMP", "ACUTE", "NONAC", "SS", "OBSENC"}),
    "emergency": frozenset({"EMER"}),
}


def answer_by_code(route: Route, facts: Sequence[Fact], *, today: date) -> CodeAnswer:
    """Answer a route's look-up, and further ones of the same question, from the patient's facts.

    With several look-ups the answer stands when one of them does; `absent` then names the others. "Why" of
    anything but a medicine, and pure narrative questions, are not answered here.

    Args:
        route: what `route()` returned.
        facts: all current facts of one patient the grant lets be read; entered-in-error is left out here.
        today: the day of the question, for "last two years" and for ages.
    """
    if route.intent is None:
        return CodeAnswer()
    if Act.WHY in route.intent.acts and route.intent.topic is not Topic.MEDICATION:
        context = _answer(route.intent, facts, today)
        return CodeAnswer(absent=None, related=context.sentences or context.related)
    parts = [_first_answer(intent, facts, today) for intent in (route.intent, *route.intent.also)]
    missing = [part.absent for part in parts if part.absent]
    return CodeAnswer(
        sentences=tuple(dict.fromkeys(one for part in parts for one in part.sentences)),
        answered=any(part.answered for part in parts),
        absent="; ".join(missing) or None,
        related=tuple(dict.fromkeys(one for part in parts for one in part.related)),
    )


def _first_answer(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    found = _answer(intent, facts, today)
    for other in intent.instead:
        if found.answered:
            break
        second = _answer(other, facts, today)
        found = second if second.answered else found
    return _qualified(intent, found) if intent.qualified else found


def _qualified(intent: Intent, found: CodeAnswer) -> CodeAnswer:
    """Keep as the answer the sentences that hold every qualifying word ("lung" cancer); the rest is related."""
    kept = [one for one in found.sentences if _says(one.text, intent.qualified)]
    if kept:
        return answered(kept)
    related = found.sentences or found.related
    return not_found(f"{found.absent or in_words(intent)} ({', '.join(intent.qualified)})", related)


def _says(text: str, wanted: Sequence[str]) -> bool:
    """Return whether the sentence has every word; long words by their first letters ("replaced", "replacement")."""
    held = words(text)
    stems = {word[:_STEM] for word in held if len(word) >= _STEM}
    return all(word in held or (len(word) >= _STEM and word[:_STEM] in stems) for word in wanted)


def _answer(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:  # noqa: C901 - one case a topic
    match intent.topic:
        case Topic.MEASURE:
            return answer_measure(intent, facts, today)
        case Topic.MEDICATION:
            return answer_medication(intent, facts, today)
        case Topic.MEDICATIONS:
            return answer_medications(facts, today)
        case Topic.PAST_MEDICATIONS:
            return answer_past_medications(intent, facts, today)
        case Topic.ALLERGY:
            return answer_allergy(intent, facts)
        case Topic.ALLERGIES:
            return answer_allergies(facts)
        case Topic.PROBLEM:
            return _chosen(intent, _narrowed(intent, problems_about(facts, intent.target)), today, "entries")
        case Topic.PROBLEMS:
            return _chosen(intent, active_problems(facts), today, "active problems")
        case Topic.PAST_PROBLEMS:
            return _chosen(intent, past_problems(facts), today, "past problems")
        case Topic.IMMUNIZATION:
            return _immunization(intent, immunizations_about(facts, intent.target), today)
        case Topic.IMMUNIZATIONS:
            return _immunization(intent, immunizations(facts), today)
        case Topic.PROCEDURE:
            found = _narrowed(intent, about(procedures(facts), intent.target, ()))
            return _chosen(intent, found, today, "procedures")
        case Topic.PROCEDURES:
            return _chosen(intent, procedures(facts), today, "procedures")
        case Topic.ENCOUNTERS:
            return _encounters(intent, facts, today)
        case Topic.VITALS:
            return _chosen(intent, latest_vitals(within(facts, intent.window, today)), today, "vital signs")
        case Topic.RESULTS:
            groups = recent_results(within(facts, intent.window, today))
            return _chosen(intent, [group[0] for _, group in groups], today, "laboratory results")
        case Topic.CODE_STATUS:
            found = code_status(facts)
            lead = "The record holds more than one statement: " if len({_wish(fact) for fact in found}) > 1 else ""
            return answered([sentence(fact, lead) for fact in found]) if found else not_found("code status")
        case Topic.FAMILY:
            relatives = family_history(facts)
            found = about(relatives, intent.target, problems()) if intent.target else relatives
            return (
                answered(listed(found, "entries"))
                if found
                else not_found(f"family history of {intent.said or 'anything'}")
            )
        case Topic.IDENTITY:
            return _identity(facts, today)


def _narrowed(intent: Intent, found: Sequence[Fact]) -> list[Fact]:
    kept = list(found)
    for name in intent.narrowed:
        kept = about(kept, name, problems())
    return kept


def _wish(fact: Fact) -> str:
    return str(getattr(fact.row, "wish", "")) or fact.row.text


def _chosen(intent: Intent, found: Sequence[Fact], today: date, what: str) -> CodeAnswer:
    """Answer a list by its acts: latest, first, how many, or all of it."""
    inside = within(found, intent.window, today)
    if not inside:
        near = [sentence(fact, "Outside the time asked about: ") for fact in found[:1]]
        return not_found(in_words(intent) or what, near)
    acts = set(intent.acts)
    done = [fact for fact in inside if fact.row.status not in ("not-done", "preparation", "cancelled")]
    is_event = isinstance(inside[0].row, (ProcedureRow, EncounterRow, ImmunizationRow))
    if Act.COUNT in acts:
        counted = done or inside
        head = statement(f"{len(counted)} {what} recorded.", counted)
        return answered([head, *listed(counted, what)])
    if Act.FIRST in acts and done:
        return answered([sentence(done[-1], "First: ")])
    if is_event and Act.SERIES not in acts and acts & {Act.LATEST, Act.WHEN} and done:
        return answered(
            [sentence(done[0], "Latest: "), *(sentence(fact) for fact in done[1:3] if Act.LATEST not in acts)]
        )
    return answered(listed(inside, what, shown=40))


def _immunization(intent: Intent, found: Sequence[Fact], today: date) -> CodeAnswer:
    return _chosen(intent, found, today, "immunisations") if found else not_found(f"immunisation {intent.said}".strip())


def _encounters(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    found = encounters(facts)
    if intent.detail:
        wanted = _STAYS[intent.detail]
        found = newest(fact for fact, row in of_kind(found, EncounterRow) if row.encounter_class in wanted)
    return _chosen(intent, found, today, "encounters")


def _identity(facts: Sequence[Fact], today: date) -> CodeAnswer:
    fact = patient(facts)
    if fact is None or not isinstance(fact.row, PatientRow):
        return not_found("patient's particulars")
    row = fact.row
    paths = [
        (fact, path)
        for path in (("name",), ("birthDate",), ("gender",))
        if path[0] == "name" or getattr(row, _FIELD[path[0]])
    ]
    years = age(row, today)
    aged = f" Age {years} on {display_date(row.deceased or today.isoformat())}." if years else ""
    return answered([CodeSentence(f"{sentence(fact).text}{aged}", (*paths, *cites(fact)[1:1]))])


_FIELD: Final = {"birthDate": "birth_date", "gender": "gender"}


def age(row: PatientRow, today: date) -> str:
    """Return whole years ("82"), of a partial birth date "81 or 82"; at death when that is dated."""
    until = row.deceased[:10] if row.deceased[:4].isdigit() else today.isoformat()
    born = row.birth_date
    if not born[:4].isdigit() or row.deceased == "true":
        return ""
    years = int(until[:4]) - int(born[:4])
    after, before = until[5:], born[5:]
    width = min(len(after), len(before))
    if width and after[:width] != before[:width]:
        return str(years - (after[:width] < before[:width]))
    if len(before) > width or not before or len(before) < len("01-01"):
        return f"{years - 1} or {years}"
    return str(years)
