"""What the sentence tells as done was done: it is not only planned, offered, ordered, wanted or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.binding import QUALITIES, SIDES
from clinical.domain.gate.deeds import is_deed
from clinical.domain.gate.mention import TIME_WORDS
from clinical.domain.gate.verdict import Reason
from clinical.domain.gate.wording import same_words
from clinical.domain.lexicon.tables import word_list

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_UNREAL: Final = frozenset({"planned", "order", "hypothetical"})
_REAL: Final = frozenset({"planned-too", "continued", "heading"})
_NOT_TOLD_DONE: Final = _UNREAL | {"uncertain", "negated", "avoid", "allergy", "intolerance", "planned-too"}
_SITES: Final = word_list("sites")
_PAST: Final = word_list("told_done") | word_list("past_verbs")
_TELLERS: Final = frozenset({"i", "we", "he", "she", "they", "patient"})
_IS_SO: Final = frozenset({"given", "done", "happy", "aware", "already", "remains", "ongoing", "ex"})
_SHORTEST: Final = 4


def done_in_evidence(claim: Reading, window: Window) -> Reason | None:
    """Withhold what is told as a fact where the evidence speaks of it only as of something not yet done."""
    if not _told_as_fact(claim) or any(same_words(claim, reading) for reading in window.readings):
        return None
    if claim.cues & _UNREAL and len({one.segment for one in claim.mentions}) == 1:
        return None
    unreal = {one.segment for one in claim.mentions if one.attributes & _UNREAL}
    for mention in claim.mentions:
        if mention.segment in unreal or not _tells_a_deed(mention):
            continue
        sources = [
            _not_yet(one, reading)
            for reading in window.readings
            for one in reading.mentions
            if same_thing(mention, one)
        ]
        if sources and all(sources):
            return Reason.TIME_DIFFERS
    return None


def _not_yet(source: Mention, reading: Reading) -> bool:
    """Return whether the evidence speaks of it as not yet done; an entry "leaflet given" under a plan is done."""
    if not source.attributes & _UNREAL or source.attributes & _REAL:
        return False
    if source.attributes & _UNREAL != {"order"}:
        return True
    here = [word.low for at, word in enumerate(reading.words) if reading.segments[at] == source.segment]
    told_by = [word.low for word in reading.words[:2]]
    if told_by[:1] and told_by[0] in _TELLERS:  # "I provided refills for tadalafil and finasteride"
        here += told_by[1:]
    return not any(low in _PAST or low in _IS_SO or (low.endswith("ed") and len(low) > _SHORTEST) for low in here)


def _told_as_fact(claim: Reading) -> bool:
    """Return whether the sentence has a verb that tells what is or was so."""
    return bool(claim.tenses) or any(
        word.low in _PAST or (word.low.endswith("ed") and len(word.low) > _SHORTEST) for word in claim.words
    )


def _tells_a_deed(mention: Mention) -> bool:
    """Return whether a word is told as a fact and may be part of a deed: no finding, place, side, quality or time."""
    return not (
        not is_deed(mention)
        or mention.attributes & _NOT_TOLD_DONE
        or mention.key in _SITES | SIDES | QUALITIES
        or mention.text.lower() in TIME_WORDS
    )
