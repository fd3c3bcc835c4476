"""What the notes say of a finding: there, denied, or only considered; the newest note decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read
from clinical.domain.projection.dates import UNDATED, lower_bound

if TYPE_CHECKING:
    from datetime import date

    from clinical.domain.criteria.parse import Criterion
    from clinical.domain.gate.mention import Mention
    from clinical.domain.summary.notes_read import NoteSentence, NotesRead

_NOT_OF_NOW = frozenset({"hypothetical", "planned", "order", "allergy"})
_UNSURE = frozenset({"uncertain", "unclear"})


class Stance(StrEnum):
    """How a sentence stands to a finding."""

    SAID = "said"
    DENIED = "denied"
    CONSIDERED = "considered"  # possible, suspected, to be ruled out
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence and how it stands to the finding."""

    stance: Stance
    sentence: NoteSentence


def told(criterion: Criterion, notes: NotesRead, today: date) -> list[Told]:
    """Return what the newest note that speaks of the finding says: one sentence, or one of each stance.

    Sentences on relatives, plans and conditions ("if she has ...") say nothing of the patient now. A criterion that
    asks for the history takes the past as said.
    """
    history = any(test.kind == "history" for test in criterion.tests)
    found = [
        Told(stance, sentence)
        for phrase in criterion.words
        for sentence in notes.holding(_mentions(phrase))
        if _recent(sentence, criterion, today) and (stance := _stance(sentence, phrase, history=history)) is not None
    ]
    if not found:
        return []
    newest = max(one.sentence.effective[:10] for one in found)
    firm = [one for one in found if one.stance in (Stance.SAID, Stance.DENIED)]
    if firm:
        newest = max(one.sentence.effective[:10] for one in firm)
    kept: dict[Stance, Told] = {}
    for one in firm or found:
        if one.sentence.effective[:10] == newest:
            kept.setdefault(one.stance, one)
    return list(kept.values())


def _recent(sentence: NoteSentence, criterion: Criterion, today: date) -> bool:
    if criterion.days is None:
        return True
    moment = lower_bound(sentence.effective)
    end = datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)
    return moment > UNDATED and moment >= end - timedelta(days=float(criterion.days))


def _stance(sentence: NoteSentence, phrase: str, *, history: bool) -> Stance | None:
    """Return how a sentence stands to a phrase; None when it does not hold all of it, or not of the patient."""
    matched: list[Mention] = []
    for wanted in _mentions(phrase):
        held = [one for one in sentence.reading.mentions if _names(wanted, one)]
        if not held:
            return None
        matched += held if wanted.clinical or len(_mentions(phrase)) == 1 else held[:1]
    clinical = [one for one in matched if one.clinical] or matched
    for attributes in sorted((one.attributes for one in clinical), key=len):
        if any(one.startswith("family:") for one in attributes) or attributes & _NOT_OF_NOW:
            continue
        if attributes & _UNSURE:
            return Stance.CONSIDERED
        if "negated" in attributes:
            return Stance.DENIED
        return Stance.PAST if "past" in attributes and not history else Stance.SAID
    return None


def _names(wanted: Mention, held: Mention) -> bool:
    return wanted.key in held.keys if wanted.clinical else wanted.key == held.key


@lru_cache(maxsize=1000)
def _mentions(phrase: str) -> tuple[Mention, ...]:
    return read(phrase, loose=True).mentions
