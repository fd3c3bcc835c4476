"""The lines of a "for and against" answer, each citing the record and the criterion it is held to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from clinical.domain.criteria.evaluate import Side
from clinical.domain.criteria.on_notes import Stance
from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import cites
from clinical.domain.summary.line import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.criteria.edition import Edition
    from clinical.domain.criteria.evaluate import Finding
    from clinical.domain.criteria.parse import CriteriaSet

HEADING: Final = "Criteria used"
_NEAR: Final = {
    Stance.CONSIDERED: "only considered, not found",
    Stance.PAST: "told of the past only",
    Stance.SAID: "said",
    Stance.DENIED: "denied",
}


def compose(edition: Edition, criteria: CriteriaSet, findings: Sequence[Finding]) -> tuple[Line, ...]:
    """Return what the criteria are and from where, then the findings for, against and not documented.

    The first line counts them; it does not weigh them: what they come to is the clinician's to judge.
    """
    counts = Counter(one.side for one in findings)
    counted = ", ".join(f"{counts[side]} {side.value.lower()}" for side in Side)
    head = Line(
        f"{criteria.topic[:1].upper()}{criteria.topic[1:]} by the criteria of {edition.in_words}: {counted}. "
        "This lists findings and is no diagnosis.",
        HEADING,
        told=(edition.cite(criteria.start, criteria.end),),
    )
    listed = [_line(one, edition) for side in Side for one in findings if one.side is side]
    return (head, *listed)


def _line(finding: Finding, edition: Edition) -> Line:
    criterion = finding.criterion
    places = tuple(place for fact in finding.outcome.facts for place in cites(fact)) if finding.outcome else ()
    noted = (finding.said.sentence.cited,) if finding.said is not None else ()
    told = (*noted, edition.cite(criterion.start, criterion.end))
    text = f"{criterion.finding}: {_says(finding)}"
    if finding.side is not Side.OPEN and (criterion.speaks == "for") != (finding.side is Side.FOR):
        text = f"{text} (not met)" if finding.outcome else text
    elif finding.side is not Side.OPEN and criterion.speaks == "against":
        text = f"{text} (it would speak against)" if not finding.present else text
    return Line(text, finding.side.value, places, told)


def _says(finding: Finding) -> str:
    parts = []
    if finding.outcome is not None and finding.outcome.text:
        parts.append(finding.outcome.text)
    if finding.said is not None:
        cited = finding.said.sentence.cited
        when = f" of {display_date(cited.effective[:10])}" if cited.effective else ""
        how = f" {_NEAR[finding.said.stance]}," if finding.side is Side.OPEN else ""
        parts.append(f"{how.strip()} note{when}: “{cited.citation.quote}”".strip())
    if finding.side is Side.OPEN:
        fault = f"this row cannot be tested ({finding.criterion.fault})" if finding.criterion.fault else ""
        return "; ".join(part.rstrip(".") for part in ["not documented", fault, *parts] if part) + "."
    return "; ".join(parts)
