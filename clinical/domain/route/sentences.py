"""Sentences of a code answer and what they cite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.render import render
from clinical.domain.projection.rows import IN_ERROR, MedicationRow, ReportRow, Row
from clinical.domain.route.intents import CodeAnswer, CodeSentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path
    from clinical.domain.route.intents import Intent
    from clinical.domain.route.times import Between, Window

SHOWN: Final = 12  # entries of a list that are shown before it is cut, and said to be cut


def cites(fact: Fact) -> tuple[tuple[Fact, Path], ...]:
    """Return the paths a fact's sentence rests on: what bears it, its name, date, reason for stopping."""
    row = fact.row
    paths: list[Path] = [row.anchor, row.name_path, row.effective_path]
    if isinstance(row, MedicationRow):
        paths.append(row.status_reason_path)
    if isinstance(row, ReportRow) and row.coded:
        paths.append(("conclusionCode",))
    named = [path for path in dict.fromkeys(paths) if path]
    return tuple((fact, path) for path in named or [()])


def sentence(fact: Fact, lead: str = "") -> CodeSentence:
    """Return the fact's sentence, with words that say how it answers ("Latest result: ")."""
    return CodeSentence(f"{lead}{render(fact)}", cites(fact))


def statement(text: str, facts: Iterable[Fact], *, path: Path = (), heading: str = "") -> CodeSentence:
    """Return a computed sentence that rests on several facts (a count, a trend), or on one part of each."""
    places = (((fact, path),) if path else cites(fact) for fact in facts)
    return CodeSentence(text, tuple(place for several in places for place in several), heading)


def amount(count: int, what: str) -> str:
    """Return "1 encounter" or "3 encounters"; `what` is a plural."""
    if count != 1:
        return f"{count} {what}"
    return f"1 {what.removesuffix('ies')}y" if what.endswith("ies") else f"1 {what.removesuffix('s')}"


def in_error(facts: Iterable[Fact], kind: type[Row]) -> list[Fact]:
    """Return the entries of a kind that were entered in error; they are counted, never shown."""
    return [fact for fact in facts if isinstance(fact.row, kind) and fact.row.status == IN_ERROR]


def error_note(wrong: Sequence[Fact], what: str) -> list[CodeSentence]:
    """Return the sentence that says how many entries do not count, without what they say; none for none."""
    if not wrong:
        return []
    count = "One entry" if len(wrong) == 1 else f"{len(wrong)} entries"
    verb = "is" if len(wrong) == 1 else "are"
    return [statement(f"{count} on {what} entered in error {verb} not counted.", wrong, path=_error_path(wrong[0]))]


def _error_path(fact: Fact) -> Path:
    return ("verificationStatus",) if fact.row.kind in ("condition", "allergy") else ("status",)


def carrying(facts: Iterable[Fact], code: str) -> list[Fact]:
    """Return the facts that carry a bare code, lower case, newest first."""
    found = [fact for fact in facts if any(one.rpartition("|")[2].lower() == code for one in fact.row.codes)]
    return sorted(found, key=lambda fact: (fact.row.effective_sort, fact.resource), reverse=True)


def listed(facts: Sequence[Fact], what: str, *, lead: str = "", shown: int = SHOWN) -> tuple[CodeSentence, ...]:
    """Return a sentence a fact; a list that is cut ends with "12 of 30 shown"."""
    sentences = [sentence(fact, lead) for fact in facts[:shown]]
    if len(facts) > shown:
        sentences.append(statement(f"{shown} of {len(facts)} {what} shown.", facts[shown : shown + 1]))
    return tuple(sentences)


def answered(sentences: Sequence[CodeSentence]) -> CodeAnswer:
    """Return an answer; without a sentence it is not one."""
    return CodeAnswer(tuple(sentences), answered=bool(sentences))


def not_found(what: str, related: Sequence[CodeSentence] = ()) -> CodeAnswer:
    """Return that the facts hold nothing about `what`, with what is near it."""
    return CodeAnswer(absent=what, related=tuple(related))


def within(facts: Iterable[Fact], window: Window | Between | None, today: date) -> list[Fact]:
    """Return the facts whose earliest possible moment lies in the window; all without one."""
    if window is None:
        return list(facts)
    start, end = window.bounds(today)
    return [
        fact
        for fact in facts
        if (start is None or fact.row.effective_sort >= start) and (end is None or fact.row.effective_sort < end)
    ]


def in_words(intent: Intent) -> str:
    """Return what was looked for, with its time: "potassium since march"."""
    what = f"{intent.detail} {intent.said or intent.topic.value}".strip()
    return f"{what} {intent.window.words if intent.window else ''}".strip()
