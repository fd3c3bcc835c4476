"""Whether what was found settles a question, or may only stand beside "not documented"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import of_kind
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.route import Act, RouteKind, Topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts import Fact
    from clinical.domain.passages import Passage
    from clinical.domain.route import Route

_LIST_OF_DRUGS: Final = re.compile(
    r"^\W*(?:current |present |home |regular )?(?:medications?|medicines|drugs)\b", re.IGNORECASE
)


def notes_settle(chosen: Route, facts: Sequence[Fact], quoted: Sequence[Passage]) -> bool:
    """Whether sentences of the notes that tell what is asked answer it.

    Args:
        chosen: the question's route.
        facts: all typed facts of the patient, of any status.
        quoted: the passages that the sentences stand in, best first.
    """
    if is_advice(chosen):
        return False
    return not only_code_can_tell(chosen) or _lists_what_no_row_holds(chosen, facts, quoted)


def only_code_can_tell(chosen: Route) -> bool:
    """Whether a sentence of the notes on the matter does not settle the question: a stretch of time, a state of a list.

    "CRP before the operation" is not answered by any CRP, nor "which drugs are on hold" by any sentence on drugs.
    """
    if chosen.kind is not RouteKind.CODE or chosen.intent is None:
        return False
    timed = chosen.intent.moment is not None or chosen.intent.window is not None
    listed = chosen.intent.topic in (Topic.MEDICATIONS, Topic.PAST_MEDICATIONS)
    return listed or (timed and chosen.intent.topic is Topic.MEASURE)


def _lists_what_no_row_holds(chosen: Route, facts: Sequence[Fact], quoted: Sequence[Passage]) -> bool:
    """Whether the medicines taken are asked for, no row holds one of any status, and a list of a note names them."""
    intent = chosen.intent
    if intent is None or intent.topic is not Topic.MEDICATIONS:
        return False
    if intent.detail or intent.window is not None or intent.moment is not None or intent.qualified or intent.narrowed:
        return False
    if any(True for _ in of_kind(facts, MedicationRow)):
        return False
    return bool(quoted) and all(_LIST_OF_DRUGS.match(one.section) is not None for one in quoted)


def is_advice(chosen: Route) -> bool:
    """Whether a decision is asked for, which is the clinician's: the record only holds what bears on it."""
    return chosen.intent is not None and chosen.intent.detail == "advice"


def shows_what_is_near(chosen: Route) -> bool:
    """Whether facts that do not answer are shown: the order itself where its reason is asked, allergies for advice.

    Never another sample, substance or time than was asked about: beside "not documented" it would be taken
    for the answer.
    """
    return is_advice(chosen) or (chosen.intent is not None and Act.WHY in chosen.intent.acts)
