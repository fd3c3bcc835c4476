"""Clinical scores by published formulas: pure, every input visible with its age, nothing missing is guessed.

`asked_for` reads a question, `answer` calculates from typed facts. Sources and status stand in the
`.json` tables of this package; a formula not checked against its source is not used on a site until approved.
"""

from clinical.domain.scores.answer import answer, recorded_instead
from clinical.domain.scores.judgements import Judgement
from clinical.domain.scores.outcome import ScoreAnswer
from clinical.domain.scores.request import ScoreRequest, asked_for
from clinical.domain.scores.tables import Formula, formulas, sources

__all__ = [
    "Formula",
    "Judgement",
    "ScoreAnswer",
    "ScoreRequest",
    "answer",
    "asked_for",
    "formulas",
    "recorded_instead",
    "sources",
]
