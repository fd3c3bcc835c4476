"""What comes of a score: the value or why there is none, as sentences with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clinical.domain.route.intents import CodeAnswer, CodeSentence
from clinical.domain.scores.tables import bands, status_words

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import Trust
    from clinical.domain.scores.judgements import Judgement
    from clinical.domain.scores.tables import Formula

Places = tuple[tuple["Fact", "Path"], ...]


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """An answer and the judgements that would complete it.

    `reason` is "" when a value was calculated, else a code: missing, stale, conflict, not-applicable,
    judgements, unverified, not-computed. `value` and `band` are the total as shown and what it is called.
    `at_least` are the points of what is recorded where the rest can only add to them, `highest` those of the input
    with most; None where not known.
    """

    answer: CodeAnswer
    questions: tuple[Judgement, ...] = ()
    reason: str = ""
    value: str = ""
    band: str = ""
    at_least: int | None = None
    highest: int | None = None


@dataclass(slots=True)
class Sheet:
    """The sentences of one calculation as they come: a line an input, then what limits the result."""

    lines: list[CodeSentence] = field(default_factory=list)
    limits: list[CodeSentence] = field(default_factory=list)
    questions: list[Judgement] = field(default_factory=list)

    def line(self, text: str, places: Places = ()) -> None:
        """Add an input."""
        self.lines.append(CodeSentence(text, places, "Inputs"))

    def limit(self, text: str, places: Places = ()) -> None:
        """Add a sentence on what the result does not say; without places it rests on the inputs."""
        self.limits.append(CodeSentence(text, places, "Limits"))

    def ask(self, judgement: Judgement) -> None:
        """Add a judgement that the clinician is asked for."""
        self.questions.append(judgement)

    def places(self) -> Places:
        """Return everything the inputs rest on, each once."""
        return tuple(dict.fromkeys(place for line in self.lines for place in line.citations_from))


def computed(sheet: Sheet, formula: Formula, trust: Trust, value: str, band: str = "") -> ScoreAnswer:
    """Return an answer with a value; `value` is the total as shown, `band` what it is called."""
    words = status_words(formula.provenance, formula.digest, trust)
    source = f"{formula.provenance.source}; edition {formula.provenance.edition}; {words}"
    head = CodeSentence(f"{formula.title}: {value}.{f' {band}.' if band else ''} Source: {source}.", sheet.places())
    sheet.limits.extend(_asked(sheet))
    answer = CodeAnswer((head, *_complete(sheet)), answered=True)
    return ScoreAnswer(answer, tuple(sheet.questions), value=value, band=band)


def refused(sheet: Sheet, formula: Formula, reason: str, why: str, places: Places = ()) -> ScoreAnswer:
    """Return an answer without a value: why there is none, then the inputs that are there."""
    text = f"No {formula.title}: {why}."
    if reason == "judgements":
        sheet.limits.extend(_asked(sheet))
    head = CodeSentence(text, places or sheet.places())
    answer = CodeAnswer((head, *_complete(sheet)), answered=False, absent=f"{formula.title} ({why})")
    return ScoreAnswer(answer, tuple(sheet.questions), reason)


def banded(score: str, total: Decimal, trust: Trust, *, skip: Collection[str] = ()) -> str:
    """Return what a total is called by every band table that may be used here but `skip`; unverified ones say so."""
    said = []
    for table in bands():
        if table.score != score or table.id in skip or not trust.allows(table.provenance, table.digest):
            continue
        words = status_words(table.provenance, table.digest, trust)
        doubt = " (unverified)" if words.startswith("unverified") else ""
        said.append(f"{table.words(total)}{doubt}")
    joined = "; ".join(said)
    return f"{joined[:1].upper()}{joined[1:]}"


def _complete(sheet: Sheet) -> list[CodeSentence]:
    rest = sheet.places()
    return [
        *sheet.lines,
        *(CodeSentence(one.text, one.citations_from or rest, one.heading) for one in sheet.limits),
    ]


def _asked(sheet: Sheet) -> list[CodeSentence]:
    return [
        CodeSentence(f"To be judged by the clinician; add to the question: {one.how_to_add()}.", (), "Judgements")
        for one in sheet.questions
    ]
