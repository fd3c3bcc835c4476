"""Puts a whole-chart summary together: one order for every patient, nothing of the must-have classes cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.medications import active_medications
from clinical.domain.facts.render import render
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.provenance import DEMO
from clinical.domain.route.sentences import cites
from clinical.domain.summary import sections
from clinical.domain.summary.line import Line
from clinical.domain.summary.problems import active, around, beside
from clinical.domain.summary.prose import Prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.route.intents import CodeSentence
    from clinical.domain.summary.line import Cited
    from clinical.domain.summary.problems import Beside, Problem

OTHER_PROBLEMS: Final = "Other active problems"
SOCIAL_ENTRIES: Final = "Social findings on the problem list"
SOCIAL: Final = "Living and function, from the notes"
ASSESSMENT: Final = "Newest assessment and plan, from the notes"
CHANGES: Final = "Since the last visit"
_NO_PROSE: Final = Prose()
_NAMES_A_LINE: Final = 12


def compose(
    facts: Sequence[Fact],
    *,
    today: date,
    prose: Prose = _NO_PROSE,
    changes: Sequence[CodeSentence] = (),
    trust: Trust = DEMO,
) -> tuple[Line, ...]:
    """Return the summary's lines in reading order, grouped by `heading`.

    Never cut: allergies, medicines in force, active problems, abnormal latest results, pending results, code
    status. What is cut says so ("5 of 12 encounters shown").

    Args:
        facts: all current facts of one patient that the reader may see.
        today: the day of the question, for ages and for medicines that have ended.
        prose: sentences of the notes, as `prose_of` returns them.
        changes: what changed since the last visit, where the caller has it.
        trust: which rows of the table of high-risk medicines may be used here.
    """
    medicines = active_medications(facts, today=today)
    lines = [
        *sections.identity(facts, today),
        *sections.wishes(facts),
        *sections.allergy_lines(facts),
        *sections.alert_lines(facts),
        *_problem_lines(facts, medicines, prose),
        *sections.medicine_lines(medicines, trust),
        *sections.result_lines(facts),
        *sections.vital_lines(facts),
        *sections.awaited_lines(facts),
        *(Line(one.text, CHANGES, one.citations_from) for one in changes),
        *_quoted(prose.assessment, ASSESSMENT, prose.assessment_held),
        *sections.contact_lines(facts),
        *sections.vaccine_lines(facts),
        *_quoted(prose.social, SOCIAL, prose.social_held),
    ]
    return tuple(lines)


def _problem_lines(facts: Sequence[Fact], medicines: Sequence[Fact], prose: Prose) -> list[Line]:
    """Return a section for each problem that something stands beside, then the other ones, then social entries."""
    problems = active(facts)
    if not problems:
        return [Line("No active problem is recorded.", OTHER_PROBLEMS)]
    told: list[Line] = []
    bare: list[Line] = []
    social: list[Fact] = []
    held = around(facts, medicines)
    for problem in problems:
        if problem.social:
            social += problem.facts
            continue
        found = beside(problem, held)
        quotes = prose.by_problem.get(problem.name, ())
        if found or quotes:
            heading = f"Problem: {problem.name}"
            told += [_entry(problem, heading), *_beside(found, heading), *_quoted(quotes, heading)]
        else:
            bare.append(_entry(problem, OTHER_PROBLEMS))
    return [*told, *bare, *_social_entries(social)]


def _entry(problem: Problem, heading: str) -> Line:
    newest, *older = problem.facts
    if not older:
        return sections.line(newest, heading)
    text = f"{render(newest)} ({len(problem.facts)} active entries of this name)"
    return Line(text, heading, (*cites(newest), *(cites(fact)[0] for fact in older)))


def _beside(found: Beside, heading: str) -> list[Line]:
    lines = []
    if found.by_reason:
        named = _named(found.by_reason)
        lines.append(sections.joined(f"Ordered for it: {named}.", heading, found.by_reason))
    if found.by_table:
        named = _named(found.by_table)
        said = f"In force and commonly given for it (the record does not say what for): {named}."
        lines.append(sections.joined(said, heading, found.by_table))
    if found.results:
        said = "; ".join(map(sections.short_result, found.results))
        lines.append(sections.joined(f"Latest: {said}.", heading, found.results))
    if found.encounter is not None:
        lines.append(sections.line(found.encounter, heading, "Last encounter for it: "))
    return lines


def _named(medicines: Iterable[Fact]) -> str:
    return "; ".join(
        f"{fact.row.text} {fact.row.dosage}".strip() for fact in medicines if isinstance(fact.row, MedicationRow)
    )


def _social_entries(facts: Sequence[Fact]) -> list[Line]:
    lines = []
    for first in range(0, len(facts), _NAMES_A_LINE):
        some = facts[first : first + _NAMES_A_LINE]
        named = "; ".join(dict.fromkeys(fact.row.text for fact in some))
        lines.append(sections.joined(f"Recorded: {named}.", SOCIAL_ENTRIES, some))
    return lines


def _quoted(quotes: Sequence[Cited], heading: str, held: int = 0) -> list[Line]:
    lines = [Line(one.citation.quote, heading, told=(one,), quoted=True) for one in quotes]
    if held > len(quotes):
        lines.append(Line(f"{len(quotes)} of {held} sentences shown.", heading, told=tuple(quotes[-1:])))
    return lines
