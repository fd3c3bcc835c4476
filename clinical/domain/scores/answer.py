"""A score that was asked for, answered from a patient's facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.naming import plain
from clinical.domain.projection.dates import UNDATED
from clinical.domain.route.intents import CodeAnswer, CodeSentence
from clinical.domain.scores.case import Case
from clinical.domain.scores.of_bleeding import answer_bleeding_risk
from clinical.domain.scores.of_chemistry import answer_bmi, answer_calcium, answer_gap, answer_meld
from clinical.domain.scores.of_kidney import answer_clearance, answer_egfr, answer_injury
from clinical.domain.scores.of_stroke import answer_stroke_risk
from clinical.domain.scores.of_vitals import answer_curb65, answer_news2, answer_qsofa
from clinical.domain.scores.of_wells import answer_wells
from clinical.domain.scores.outcome import ScoreAnswer
from clinical.domain.scores.tables import formulas, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.scores.request import ScoreRequest

_BY_SCORE: Final[dict[str, Callable[[Case], ScoreAnswer]]] = {
    "news2": answer_news2,
    "qsofa": answer_qsofa,
    "curb65": answer_curb65,
    "egfr": answer_egfr,
    "crcl": answer_clearance,
    "aki": answer_injury,
    "bmi": answer_bmi,
    "calcium": answer_calcium,
    "aniongap": answer_gap,
    "meld3": answer_meld,
    "chadsva": answer_stroke_risk,
    "chadsvasc": answer_stroke_risk,
    "hasbled": answer_bleeding_risk,
    "wells-dvt": answer_wells,
    "wells-pe": answer_wells,
}
_OTHER_EDITION: Final = {"chadsva": "chadsvasc", "chadsvasc": "chadsva"}
_TRIAGE: Final = (
    "A triage scale (Emergency Severity Index, Manchester) is not computed here: triage is a decision of the "
    "clinician. NEWS2, with the bands of its source, can be asked for."
)
_WHICH_WELLS: Final = 'Two Wells scores are calculated; ask for "Wells DVT" or "Wells PE".'
_NOT_COMPUTED: Final = {
    "triage": (_TRIAGE, "a triage scale (not computed)"),
    "wells": (_WHICH_WELLS, "a Wells score (which one is not said)"),
}


def answer(request: ScoreRequest, facts: Sequence[Fact], *, now: datetime, trust: Trust) -> ScoreAnswer:
    """Calculate a score from the facts of one patient, or say why not.

    Args:
        request: what `asked_for` returned.
        facts: all current facts of the patient that may be read; entered-in-error is left out here.
        now: the moment of the question, timezone-aware: values after it are not seen, ages are relative to it.
        trust: which formulas may be used here.
    """
    if request.score not in _BY_SCORE:
        text, absent = _NOT_COMPUTED[request.score]
        return ScoreAnswer(CodeAnswer((CodeSentence(text, ()),), absent=absent), (), "not-computed")
    formula = formulas()[request.score]
    if not trust.allows(formula.provenance, formula.digest):
        text = (
            f"{formula.title} is not calculated here: its formula ({formula.provenance.source}) is unverified, "
            "written from memory, and has not been approved by this site."
        )
        absent = f"{formula.title} (formula not approved)"
        return ScoreAnswer(CodeAnswer((CodeSentence(text, ()),), absent=absent), (), "unverified")
    given = _BY_SCORE[request.score](Case(request.score, request.question, facts, now, trust))
    return _beside(given, request, facts, now=now, trust=trust)


def _beside(
    given: ScoreAnswer, request: ScoreRequest, facts: Sequence[Fact], *, now: datetime, trust: Trust
) -> ScoreAnswer:
    """Add the total of the other edition of a score (CHA2DS2-VA beside CHA2DS2-VASc) on the same evidence."""
    other = _OTHER_EDITION.get(request.score)
    if other is None or given.reason or not trust.allows(formulas()[other].provenance, formulas()[other].digest):
        return given
    second = _BY_SCORE[other](Case(other, request.question, facts, now, trust))
    if second.reason:
        return given
    head = replace(second.answer.sentences[0], heading="Other edition")
    return replace(given, answer=replace(given.answer, sentences=(*given.answer.sentences, head)))


def recorded_instead(request: ScoreRequest, facts: Sequence[Fact], *, now: datetime) -> bool:
    """Return whether the record itself holds the value asked for: then the look-up answers, and nothing is calculated.

    Not when a calculation is asked for. A recorded NEWS2 counts for as long as one could be calculated.
    """
    names = read("names")["recorded"].get(request.score, ())
    if request.explicit or not names:
        return False
    hours = read("names")["recorded_hours"].get(request.score)
    since = now - timedelta(hours=hours) if hours else UNDATED
    for fact in results(facts):
        row = row_of(fact)
        concept = measure_key(row).concept
        named = concept in names or any(plain(name) in names for name in row.names)
        if named and since <= row.effective_sort <= now:
            return True
    return False
