"""Answers about problems, immunisations, procedures, visits and who the patient is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.events import STAYS
from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.naming import words
from clinical.domain.facts.render import render
from clinical.domain.facts.statements import (
    about,
    active_problems,
    encounters,
    immunizations,
    immunizations_about,
    newest,
    past_problems,
    patient,
    problems_about,
    procedures,
)
from clinical.domain.facts.tables import investigations, problems
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ConditionRow, EncounterRow, ImmunizationRow, PatientRow, ProcedureRow
from clinical.domain.route.intents import Act, CodeAnswer, CodeSentence, Intent, Topic
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

_STEM: Final = 6
_NOT_HAPPENED: Final = ("not-done", "preparation", "cancelled")
# An admission by its name, whatever the class: "Emergency hospital admission for asthma".
_CALLED: Final = {"inpatient": re.compile(r"\bhospital admission\b|\binpatient\b")}
_FIELD: Final = {"birthDate": "birth_date", "gender": "gender"}


def says(text: str, wanted: Sequence[str]) -> bool:
    """Return whether a sentence has every word; long words by their first letters ("replaced", "replacement")."""
    held = words(text)
    stems = {word[:_STEM] for word in held if len(word) >= _STEM}
    return all(word in held or (len(word) >= _STEM and word[:_STEM] in stems) for word in wanted)


def answer_list(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer a list of problems, immunisations or procedures, or one of them by name or code."""
    match intent.topic:
        case Topic.PROBLEM:
            found = carrying(of(facts, ConditionRow), intent.code) if intent.code else []
            found = found or _narrowed(intent, problems_about(facts, intent.target))
            wrong = [] if found else about(in_error(facts, ConditionRow), intent.target, problems())
            return with_errors(chosen(intent, found, today, "entries"), wrong, intent.said)
        case Topic.PROBLEMS:
            return chosen(intent, active_problems(facts), today, "active problems")
        case Topic.PAST_PROBLEMS:
            return chosen(intent, past_problems(facts), today, "past problems")
        case Topic.IMMUNIZATION:
            found = carrying(immunizations(facts), intent.code) if intent.code else []
            return _immunization(intent, found or immunizations_about(facts, intent.target), today)
        case Topic.IMMUNIZATIONS:
            return _immunization(intent, immunizations(facts), today)
        case Topic.PROCEDURE:
            found = carrying(of(facts, ProcedureRow), intent.code) if intent.code else []
            found = found or _narrowed(intent, about(procedures(facts), intent.target, investigations()))
            if intent.detail == "result":  # that it was done is not what it showed
                return not_found(f"result of {intent.said}", [sentence(fact) for fact in found[:1]])
            return chosen(intent, found, today, "procedures")
        case _:
            return chosen(*_told_apart(intent, procedures(facts)), today, "procedures")


def of(facts: Sequence[Fact], kind: type[ConditionRow | ProcedureRow]) -> list[Fact]:
    """Return the facts of one kind, without those entered in error."""
    return [fact for fact, _ in of_kind(facts, kind)]


def with_errors(found: CodeAnswer, wrong: Sequence[Fact], said: str) -> CodeAnswer:
    """Mention entries made in error where nothing else is recorded on what was asked."""
    if not wrong:
        return found
    note = error_note(wrong, said)
    if found.answered:
        return CodeAnswer((*found.sentences, *note), answered=True, related=found.related)
    return CodeAnswer(tuple(note), absent=found.absent, related=found.related)


def _narrowed(intent: Intent, found: Sequence[Fact]) -> list[Fact]:
    kept = list(found)
    for name in intent.narrowed:
        kept = about(kept, name, (*problems(), *investigations()))
    return kept


def chosen(intent: Intent, found: Sequence[Fact], today: date, what: str) -> CodeAnswer:
    """Answer a list by its acts: latest, first, how many, or all of it."""
    inside = within(found, intent.window, today)
    if not inside:
        near = [sentence(fact, "Outside the time asked about: ") for fact in found[:1]]
        return not_found(in_words(intent) or what, near)
    acts = set(intent.acts)
    if Act.WHY in acts:
        inside = [fact for fact in inside if getattr(fact.row, "reason", "")]
        if not inside:
            return not_found(f"reason for {in_words(intent) or what}")
    done = [fact for fact in inside if fact.row.status not in _NOT_HAPPENED]
    is_event = isinstance(inside[0].row, (ProcedureRow, EncounterRow, ImmunizationRow))
    if Act.COUNT in acts:
        counted = done or inside
        head = statement(f"{amount(len(counted), what)} recorded.", counted)
        return answered([head, *listed(counted, what)])
    if Act.FIRST in acts and done:
        return answered([sentence(done[-1], "First: ")])
    if is_event and Act.SERIES not in acts and acts & {Act.LATEST, Act.WHEN} and done:
        return answered(
            [sentence(done[0], "Latest: "), *(sentence(fact) for fact in done[1:3] if Act.LATEST not in acts)]
        )
    return answered(listed(inside, what, shown=40))


def _immunization(intent: Intent, found: Sequence[Fact], today: date) -> CodeAnswer:
    if not found:
        return not_found(f"immunisation {intent.said}".strip())
    if Act.DOSE in intent.acts and not {Act.LATEST, Act.FIRST, Act.COUNT, Act.WHY} & set(intent.acts):
        given = within(found, intent.window, today)  # "the dates of the doses" are those of all of them
        return answered(listed(given, "immunisations", shown=40)) if given else chosen(intent, found, today, "")
    return chosen(intent, found, today, "immunisations")


def _told_apart(intent: Intent, found: Sequence[Fact]) -> tuple[Intent, list[Fact]]:
    """Keep the entries whose sentence has the qualifying words, and call the intent answered in that respect."""
    if not intent.qualified:
        return intent, list(found)
    kept = [fact for fact in found if says(render(fact), intent.qualified)]
    return (_unqualified(intent), kept) if kept else (intent, list(found))


def _unqualified(intent: Intent) -> Intent:
    return Intent(intent.topic, intent.acts, intent.target, intent.said, window=intent.window, detail=intent.detail)


def answer_encounters(intent: Intent, facts: Sequence[Fact], today: date) -> tuple[Intent, CodeAnswer]:
    """Answer visits, of one class, kind or reason; the intent comes back without the words that were used up."""
    found = encounters(facts)
    if intent.detail:
        wanted = STAYS[intent.detail]
        called = _CALLED.get(intent.detail)
        found = newest(
            fact
            for fact, row in of_kind(found, EncounterRow)
            if row.encounter_class in wanted or (called is not None and called.search(" ".join(row.names).lower()))
        )
    if intent.target:
        found = about(found, intent.target, ())
    for name in intent.narrowed:
        found = _for_reason(found, name)
    told, found = _told_apart(intent, found)
    if Act.WHERE in intent.acts:
        placed = [fact for fact, row in of_kind(found, EncounterRow) if row.location]
        if not placed:
            return told, not_found(f"place of the {intent.said or 'visit'}", [sentence(fact) for fact in found[:1]])
        return told, answered([sentence(placed[0], "Latest with a place: ")])
    if Act.HOW_LONG in intent.acts and found:
        return told, answered([sentence(within(found, intent.window, today)[0], "Latest: ")])
    return told, chosen(told, found, today, "encounters")


def _for_reason(found: Sequence[Fact], name: str) -> list[Fact]:
    wanted = [term.split() for item in problems() if name in item.terms for term in item.terms] or [name.split()]
    return [fact for fact in found if any(says(render(fact), one) for one in wanted)]


def answer_identity(facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer name, birth date, sex, age, and death where it is recorded."""
    fact = patient(facts)
    if fact is None or not isinstance(fact.row, PatientRow):
        return not_found("patient's particulars")
    row = fact.row
    paths = [
        (fact, path)
        for path in (("name",), ("birthDate",), ("gender",))
        if path[0] == "name" or getattr(row, _FIELD[path[0]])
    ]
    if row.deceased:
        paths.append((fact, ("deceasedBoolean" if row.deceased == "true" else "deceasedDateTime",)))
    years = age(row, today)
    aged = f" Age {years} on {display_date(row.deceased or today.isoformat())}." if years else ""
    return answered([CodeSentence(f"{sentence(fact).text}{aged}", tuple(paths))])


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
