"""Scores on the path of a question: taken when one is asked for and the record does not hold it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.scores import answer, asked_for, recorded_instead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.domain.facts import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.scores import ScoreAnswer


def score_of(question: str, facts: Sequence[Fact], *, now: datetime, trust: Trust) -> ScoreAnswer | None:
    """Return the score a question asks for, calculated or with the reason why not; None leaves it to the look-up.

    None also where the record holds the value itself (a reported eGFR, a charted BMI) and no calculation is asked for.
    `now` is timezone-aware: the moment of the question, by which values are old.
    """
    request = asked_for(question)
    if request is None or recorded_instead(request, facts, now=now):
        return None
    return answer(request, facts, now=now, trust=trust)
