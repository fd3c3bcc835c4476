"""Whether the evidence speaks of everything a sentence mentions, by any of its names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import same_thing, spoken_of
from clinical.domain.gate.binding import SIDES
from clinical.domain.gate.ranges import by_its_range
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, table

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_MISSING = {
    Kind.DRUG: Reason.DRUG_NOT_IN_SOURCE,
    Kind.VACCINE: Reason.DRUG_NOT_IN_SOURCE,
    Kind.TEST: Reason.TEST_NOT_IN_SOURCE,
    Kind.VITAL: Reason.TEST_NOT_IN_SOURCE,
    Kind.CONDITION: Reason.CONDITION_NOT_IN_SOURCE,
    Kind.WORD: Reason.NOT_BORNE_OUT,
}
_FOR = frozenset(
    {"for", "from", "after", "following", "with", "when", "on", "as", "given", "since", "view", "so", "cause"}
)
_NEAR = 4
_ACTIVE = frozenset(
    {"cause", "causes", "bring on", "brings on", "brought on", "trigger", "triggers", "lead to", "leads to"}
)
_ORDINALS = {f"word:{name}": number for number, name in enumerate(table("word_lists")["lists"]["ordinals"].split(), 1)}


def everything_mentioned(claim: Reading, window: Window) -> Reason | None:
    """Each drug, test, condition and word that states something is in the evidence, by any of its names."""
    for wanted in (Kind.DRUG, Kind.VACCINE, Kind.TEST, Kind.VITAL, Kind.CONDITION, Kind.WORD):
        for mention in claim.mentions:
            if mention.kind is wanted and not _found(mention, claim, window):
                return Reason.LATERALITY_DIFFERS if mention.key in SIDES else _MISSING[wanted]
    return None


def _found(mention: Mention, claim: Reading, window: Window) -> bool:
    if spoken_of(mention, window):
        return True
    if mention.key == "word:cause" and any(
        _reason_in_brackets(reading) or _reason_after(mention, claim, reading) for reading in window.readings
    ):
        return True
    if mention.key in _ORDINALS and any(
        figure.quantity.value == _ORDINALS[mention.key] for reading in window.readings for figure in reading.figures
    ):
        return True
    if by_its_range(mention.key, claim, window):
        return True
    if mention.kind is Kind.VITAL and any(
        mention.key in figure.wider for reading in window.readings for figure in reading.figures
    ):
        return True  # "38.4 °C" is a temperature
    # A name may stand anywhere in the passage.
    return _is_name(mention, claim) and claim.words[mention.first].stem in window.named


def _is_name(mention: Mention, claim: Reading) -> bool:
    """Return whether a word is the name of somebody, in a sentence that says more than that name."""
    text = claim.words[mention.first].text
    others = len(claim.mentions) + len(claim.figures) + len(claim.dates) - 1
    return mention.key.startswith("w:") and text.istitle() and mention.first > 0 and others > 0


def _reason_in_brackets(reading: Reading) -> bool:
    """Return whether a condition is set apart as a reason or reaction: "stopped (hypoglycaemia)", "codeine: nausea"."""
    labelled = any(word.low == "reaction" for word in reading.words)
    opened = {at + 1 for at, word in enumerate(reading.words) if word.low in {"(", ":", "-"}}
    return (labelled or bool(reading.cues & {"stopped", "allergy", "intolerance"})) and any(
        one.first in opened and one.kind is Kind.CONDITION for one in reading.mentions
    )


def _reason_after(cause: Mention, claim: Reading, reading: Reading) -> bool:
    """Return whether the evidence gives this reason after a "for" or "from": "section for fetal distress"."""
    if cause.text.lower() in _ACTIVE:  # "coughing brings on the leak"
        reason = next((one for one in claim.mentions if one.last <= cause.first and one.key not in SIDES), None)
    else:
        reason = next((one for one in claim.mentions if one.first >= cause.last and one.key not in SIDES), None)
    if reason is None:
        return False
    return any(
        same_thing(reason, one) and {word.low for word in reading.words[max(one.first - _NEAR, 0) : one.first]} & _FOR
        for one in reading.mentions
    )
