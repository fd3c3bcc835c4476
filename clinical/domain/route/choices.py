"""A closed list of look-ups for a question the grammar cannot read, and back from a choice to its look-up.

A model may only pick one of these labels. It never writes a value, and what its pick brings up is shown as related to
the question, never as its answer. The list is built from the patient's own record and the question, so a label that is
not in it cannot be parsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.facts.naming import words
from clinical.domain.provenance import DEMO, Trust
from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.answer import answer_by_code
from clinical.domain.route.intents import Act, CodeAnswer, Intent, Route, RouteKind, Topic
from clinical.domain.route.table import fillers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.vocabulary import Vocabulary

NONE_OF_THESE: Final = "none of these"
MOST: Final = 48  # labels offered, the lists of the whole record among them
_PIECE: Final = 3
_WHOLE: Final = (
    ("medicines in force", Intent(Topic.MEDICATIONS, said="medications")),
    ("past medicines", Intent(Topic.PAST_MEDICATIONS, said="past medications")),
    ("active problems", Intent(Topic.PROBLEMS, said="problems")),
    ("past problems", Intent(Topic.PAST_PROBLEMS, said="past problems")),
    ("allergies", Intent(Topic.ALLERGIES, said="allergies")),
    ("immunisations given", Intent(Topic.IMMUNIZATIONS, said="immunizations")),
    ("immunisations due", Intent(Topic.DUE, said="immunisations due")),
    ("procedures", Intent(Topic.PROCEDURES, said="procedures")),
    ("last visit", Intent(Topic.ENCOUNTERS, (Act.LATEST,), said="encounters")),
    ("vital signs", Intent(Topic.VITALS, said="vitals")),
    ("latest results", Intent(Topic.RESULTS, said="results")),
    ("results out of range", Intent(Topic.ABNORMAL, said="results out of range")),
    ("pending results", Intent(Topic.PENDING, said="pending results")),
    ("reports", Intent(Topic.REPORTS, said="reports")),
    ("code status", Intent(Topic.CODE_STATUS, said="code-status")),
    ("family history", Intent(Topic.FAMILY, said="")),
    ("age and sex", Intent(Topic.IDENTITY, said="identity")),
)
_ACTS: Final = {
    kinds.MEASURE: (("latest", Act.LATEST), ("trend", Act.TREND), ("highest", Act.HIGHEST), ("lowest", Act.LOWEST)),
    kinds.DRUG: (("in force", Act.STATUS), ("reason", Act.WHY), ("begun", Act.FIRST)),
    kinds.PROBLEM: (("recorded", Act.STATUS),),
    kinds.PROCEDURE: (("last", Act.LATEST),),
    kinds.VACCINE: (("last", Act.LATEST),),
    kinds.REPORT: (("last", Act.LATEST),),
}
_TOPICS: Final = {
    kinds.MEASURE: Topic.MEASURE,
    kinds.DRUG: Topic.MEDICATION,
    kinds.PROBLEM: Topic.PROBLEM,
    kinds.PROCEDURE: Topic.PROCEDURE,
    kinds.VACCINE: Topic.IMMUNIZATION,
    kinds.REPORT: Topic.REPORT,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A look-up under a short label, such as "potassium: latest"."""

    label: str
    intent: Intent


def choices(question: str, vocabulary: Vocabulary) -> tuple[Choice, ...]:
    """Return the look-ups to choose from: lists of the whole record, then names of it most like the question's words.

    At most `MOST`; labels are unique. `NONE_OF_THESE` is to be offered beside them.
    """
    offered = {label: Choice(label, intent) for label, intent in _WHOLE}
    asked = _pieces(word for word in words(question) if word not in fillers())
    near = sorted(
        ((len(asked & _pieces(name.split())), name) for name in vocabulary.names if asked & _pieces(name.split())),
        key=lambda one: (-one[0], len(one[1]), one[1]),
    )
    for _, name in near:
        for kind, target in vocabulary.names[name].items():
            for wording, act in _ACTS.get(kind, ()):
                if len(offered) >= MOST:
                    return tuple(offered.values())
                label = f"{name}: {wording}"
                offered.setdefault(label, Choice(label, _intent(kind, name, target, act)))
    return tuple(offered.values())


def _pieces(found: Iterable[str]) -> frozenset[str]:
    """Return the beginnings of words, three letters each: enough to see that names are alike."""
    return frozenset(word[: _PIECE + 1] for word in found if len(word) >= _PIECE)


def _intent(kind: str, name: str, target: str, act: Act) -> Intent:
    key = MeasureKey(target) if kind == kinds.MEASURE else None
    return Intent(_TOPICS[kind], (act,), target, name, key)


def parse_choice(label: str, offered: Sequence[Choice]) -> Intent | None:
    """Return the look-up of a label that was offered, exactly as offered; None for anything else."""
    return next((choice.intent for choice in offered if choice.label == label), None)


def related_by_choice(
    label: str, offered: Sequence[Choice], facts: Sequence[Fact], *, today: date, trust: Trust = DEMO
) -> CodeAnswer:
    """Return what a chosen look-up finds, as related facts only: never `answered`, never an absence."""
    intent = parse_choice(label, offered)
    if intent is None:
        return CodeAnswer()
    chosen = Route(RouteKind.BOTH, f"look-up chosen by the model from a closed list: {label}", intent)
    found = answer_by_code(chosen, facts, today=today, trust=trust)
    return CodeAnswer(related=found.sentences if found.answered else ())
