"""Questions that have a path of their own: another person's, a summary, a guideline, criteria, a check, a score.

Each is put together by code before its first sentence is shown. What none of them takes goes the ordinary
way: route, facts, quotes, draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.answering import another, criteria, guideline_answers, interactions, summary
from clinical.answering.events import JudgementAsked, Status
from clinical.answering.prepared import Prepared, prepare
from clinical.answering.scores import score_of
from clinical.domain.summary import Line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.scores import ScoreAnswer

# Why a score has no value -> what the answer is then; judgements and applicability leave the evidence standing.
_WITHOUT_VALUE: Final = {
    "missing": Status.NOT_DOCUMENTED,
    "stale": Status.NOT_DOCUMENTED,
    "unverified": Status.REFUSED,
    "not-computed": Status.REFUSED,
}


@dataclass(frozen=True, slots=True)
class OwnPath:
    """A prepared answer, and the judgements that would complete it.

    `about_record` is false where the record was not searched (guidelines): no absence is proved then. A summary
    shows the medication check as a whole; with `about_other` there is none, for it would be this patient's.
    """

    prepared: Prepared
    judgements: tuple[JudgementAsked, ...] = ()
    about_record: bool = True
    is_summary: bool = False
    about_other: bool = False


def own_path(
    question: str, facts: Sequence[Fact], *, grant: AccessGrant, now: datetime, trust: Trust
) -> OwnPath | None:
    """Return the answer of the path that takes the question, None for the ordinary way.

    Args:
        question: as typed.
        facts: all current facts of the granted patient.
        grant: whose record.
        now: the moment of the question, timezone-aware.
        trust: which rows of clinical tables may be used here.
    """
    today = now.date()
    if (named := another.answer(question, facts=facts, grant=grant, today=today)) is not None:
        return OwnPath(named, about_other=True)
    if summary.asked_for(question):
        prepared = summary.answer(question, facts=facts, grant=grant, today=today, trust=trust)
        return OwnPath(prepared, is_summary=True)
    if guideline_answers.asked_for(question):
        return OwnPath(guideline_answers.answer(question, grant=grant, today=today), about_record=False)
    weighed = criteria.answer(question, facts=facts, grant=grant, today=today)
    if weighed is not None and weighed.status is not Status.NOT_DOCUMENTED:
        return OwnPath(weighed)
    if criteria.diagnosis_asked(question):
        reason = "asks for a diagnosis, which is the clinician's to make"
        return OwnPath(
            Prepared("code", reason, Status.REFUSED, (criteria.no_diagnosis(today),), ()), about_record=False
        )
    checked = interactions.answer(question, facts=facts, grant=grant, today=today, trust=trust)
    if checked is not None:
        return OwnPath(checked)
    scored = score_of(question, facts, now=now, trust=trust)
    return None if scored is None else _of_score(scored, grant)


def _of_score(scored: ScoreAnswer, grant: AccessGrant) -> OwnPath:
    """Return a score's sentences; without a value they are what stands in the way, and no answer."""
    status = Status.ANSWERED
    if not scored.answer.answered:
        status = _WITHOUT_VALUE.get(scored.reason, Status.EVIDENCE_ONLY)
    # What the clinician is asked for stands in the form beside the sentences.
    said = [one for one in scored.answer.sentences if one.heading != "Judgements"]
    lines = [Line(one.text, one.heading, places=one.citations_from) for one in said]
    prepared = prepare(lines, grant=grant, route="code", reason="a score by a published formula", status=status)
    asked = tuple(JudgementAsked(one.key, one.words, one.options) for one in scored.questions)
    return OwnPath(prepared, asked)
