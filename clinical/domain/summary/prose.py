"""Verbatim sentences of the notes for a summary: per problem, and on how the person lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clinical.domain.summary.notes_read import NotesRead
from clinical.domain.summary.problems import active, social_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.passages import Passage
    from clinical.domain.summary.line import Cited
    from clinical.domain.summary.matter import Matter
    from clinical.domain.summary.notes_read import NoteSentence

PER_PROBLEM: Final = 2
MOST_SOCIAL: Final = 5
MOST_ASSESSED: Final = 10
_NOT_SO: Final = frozenset({"hypothetical", "allergy"})


@dataclass(frozen=True, slots=True)
class Prose:
    """Sentences by the problem's name, of the newest assessment and plan, and on social matters.

    `assessment_held` and `social_held` count them before the cut.
    """

    by_problem: Mapping[str, tuple[Cited, ...]] = field(default_factory=dict)
    assessment: tuple[Cited, ...] = ()
    assessment_held: int = 0
    social: tuple[Cited, ...] = ()
    social_held: int = 0


def prose_of(facts: Sequence[Fact], passages: Sequence[Passage]) -> Prose:
    """Return the newest sentences that name each active problem as the patient's own, and the social ones.

    Args:
        facts: all current facts of one patient.
        passages: of the same patient, in any order; nothing is left out by rank, only by date and number.
    """
    notes = NotesRead(passages)
    assessment = [one.cited for one in notes.latest_assessment()]
    taken = {one.citation.quote for one in assessment}
    by_problem: dict[str, tuple[Cited, ...]] = {}
    for problem in active(facts):
        found: list[NoteSentence] = []
        if not problem.social and problem.matter:
            for one in notes.about(problem.matter):
                if one.cited.citation.quote not in taken and _tells(one, problem.matter):
                    found.append(one)
                    taken.add(one.cited.citation.quote)
                if len(found) == PER_PROBLEM:
                    break
        by_problem[problem.name] = tuple(one.cited for one in found)
    social = [one.cited for one in notes.matching(social_words()) if one.cited.citation.quote not in taken]
    return Prose(
        by_problem, tuple(assessment[:MOST_ASSESSED]), len(assessment), tuple(social[:MOST_SOCIAL]), len(social)
    )


def _tells(sentence: NoteSentence, matter: Matter) -> bool:
    """Return whether the sentence speaks of the problem as the patient's, and not of a mere possibility."""
    named = [one for one in sentence.reading.mentions if matter.named_by(one)]
    if not named:
        return True  # it stands under the problem's heading
    return any(
        not one.attributes & _NOT_SO and not any(cue.startswith("family:") for cue in one.attributes) for one in named
    )
