"""Seen by somebody: a referral, or an appointment to come, is no visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.professions import PROFESSIONS
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_MET: Final = frozenset(stem(word) for word in word_list("met"))
_CAME: Final = frozenset({"visited", "visits", "attended", "came"})
_FROM_AFAR: Final = frozenset(stem(word) for word in ("rang", "ring", "phone", "telephone", "telephoned", "email"))
_SENT: Final = frozenset(stem(word) for word in word_list("sent_to"))


def seen_by(claim: Reading, window: Window) -> Reason | None:
    """Withhold that somebody saw the patient where the evidence tells only of a referral to them."""
    lows = {word.stem for word in claim.words}
    if any(word.low in _CAME for word in claim.words):
        told = frozenset().union(*(reading.stems for reading in window.readings))
        if told & _FROM_AFAR and not told & _MET:
            return Reason.RELATION_DIFFERS  # rang, and did not visit
    if not lows & _MET or lows & _SENT or claim.cues & {"planned", "negated", "order"}:
        return None
    for mention in claim.mentions:
        if mention.key not in PROFESSIONS:
            continue
        held = [
            {word.stem for word in reading.words}
            for reading in window.readings
            if any(same_thing(mention, one) for one in reading.mentions)
        ]
        if held and all(stems & _SENT and not stems & _MET for stems in held):
            return Reason.TIME_DIFFERS
    return None
