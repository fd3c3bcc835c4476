"""For and against a condition the question names, by the criteria of an approved guideline edition in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.answering.events import By, SentenceReady, Status
from clinical.answering.prepared import Prepared, prepare
from clinical.answering.summary import passages_for
from clinical.domain.criteria import Standing, asked_for, compose, diagnosis_asked, parse_criteria, weigh
from clinical.domain.criteria.edition import not_used
from clinical.domain.criteria.evaluate import Side
from clinical.domain.summary import Line
from clinical.domain.summary.notes_read import NotesRead
from clinical.guidelines.library import editions, in_force

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.criteria import Asked, Edition
    from clinical.domain.criteria.parse import CriteriaSet
    from clinical.domain.facts import Fact

__all__ = ["answer", "asked_for", "diagnosis_asked", "no_diagnosis"]

REFUSED: Final = "Not used"
_MOST_WORDS: Final = 60  # phrases a long record is searched for


def answer(question: str, *, facts: Sequence[Fact], grant: AccessGrant, today: date) -> Prepared | None:
    """Return the findings for, against and not documented; None when the question is no such question.

    REFUSED when the only criteria are those of an expired or unapproved edition: the sentence names it.
    NOT_DOCUMENTED when the library holds no criteria for the condition (the caller may then look in the notes), or
    when the record holds nothing on any of them.
    """
    asked = asked_for(question)
    if asked is None:
        return None
    sets = _sets(asked)
    usable = [(edition, criteria) for edition, criteria in sets if edition.standing(today) is Standing.IN_FORCE]
    refused = [edition for edition, _ in sets if edition.standing(today) is not Standing.IN_FORCE]
    lines = [Line(not_used(one, today), REFUSED, told=(one.title_cited(),)) for one in dict.fromkeys(refused)]
    reason = f"for and against {asked.words}, by the criteria of an approved guideline edition"
    if not usable:
        status = Status.REFUSED if refused else Status.NOT_DOCUMENTED
        lines = lines or [Line(_none_held(asked, today), REFUSED)]
        return prepare(lines, grant=grant, route="code+notes", reason=reason, status=status)
    words = [phrase for _, criteria in usable for one in criteria.criteria for phrase in one.words]
    notes = NotesRead(passages_for(words[:_MOST_WORDS], grant))
    found = False
    for edition, criteria in usable:
        findings = weigh(criteria, facts, notes, today)
        found = found or any(one.side is not Side.OPEN for one in findings)
        lines += compose(edition, criteria, findings)
    status = Status.ANSWERED if found else Status.NOT_DOCUMENTED
    return prepare(lines, grant=grant, route="code+notes", reason=reason, status=status)


def no_diagnosis(today: date) -> SentenceReady:
    """Return the sentence that refuses to make a diagnosis, and says what is done instead."""
    topics = _topics(today)
    offered = f" Held in force are criteria for: {'; '.join(topics)}." if topics else " No such criteria are held now."
    text = (
        "No diagnosis is drawn here, and no list of what it might be. Name a condition, and the findings for and "
        f"against it are listed by the criteria of an approved guideline edition.{offered}"
    )
    return SentenceReady(text, By.CODE, ())


def _sets(asked: Asked) -> list[tuple[Edition, CriteriaSet]]:
    return [
        (edition, criteria)
        for edition in editions()
        for criteria in parse_criteria(edition.text)
        if asked.meant_by(criteria)
    ]


def _topics(today: date) -> list[str]:
    held = in_force(editions(), today)
    return sorted({criteria.topic.lower() for one in held for criteria in parse_criteria(one.text)})


def _none_held(asked: Asked, today: date) -> str:
    topics = _topics(today)
    others = f" Criteria in force are held for: {'; '.join(topics)}." if topics else ""
    return f"No guideline in the library holds criteria for {asked.words}; nothing is weighed without them.{others}"
