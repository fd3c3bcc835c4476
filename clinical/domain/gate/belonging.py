"""Rules on what belongs to what and to when: a side or quality to its thing, a medicine to the present or the past."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.binding import QUALITIES, SIDES, attached, groups, named_with, of_a_rival
from clinical.domain.gate.verdict import Reason
from clinical.domain.gate.wording import same_words
from clinical.domain.lexicon.tables import Kind

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_TAKES = re.compile(r"\b(?:takes?|taking|is on|are on|continues?|remains? on|uses|using)\b", re.IGNORECASE)
ACTIONS = frozenset(
    {
        "stopped",
        "started",
        "increased",
        "decreased",
        "changed",
        "planned",
        "not-stopped",
        "past",
        "allergy",
        "intolerance",
    }
)


def qualities(claim: Reading, window: Window) -> Reason | None:
    """Left or right, normal or high, mild or severe: of the same thing in both."""
    sides = {one.key for reading in window.readings for one in reading.mentions if one.key in SIDES}
    one_side = len(window.readings) == 1 and len(sides) == 1
    for mention in claim.mentions:
        if mention.key not in QUALITIES:
            continue
        sources = [
            attached(source, reading)
            for reading in window.readings
            for source in reading.mentions
            if source.key == mention.key
        ]
        for group in groups(mention, claim, sided=mention.key in SIDES, own=True):
            named = group | named_with(mention, claim)
            if mention.key in SIDES and one_side:
                continue  # the evidence knows no other side
            if sources and not any(not keys or named & keys for keys in sources):
                return Reason.LATERALITY_DIFFERS if mention.key in SIDES else Reason.VALUE_OF_ANOTHER
        if mention.key not in SIDES and any(of_a_rival(mention, claim, reading) for reading in window.readings):
            return Reason.VALUE_OF_ANOTHER
    return None


def sides_counted(claim: Reading, window: Window) -> Reason | None:
    """A side is not named more often than in the evidence: "left worse than left"."""
    said = Counter(mention.key for mention in claim.mentions if mention.key in SIDES)
    held = Counter(mention.key for mention in window.mentions if mention.key in SIDES)
    return Reason.LATERALITY_DIFFERS if any(count > held[key] for key, count in said.items()) else None


def still_so(claim: Reading, window: Window) -> Reason | None:
    """A drug that the passage says was stopped, or speaks of only in the past, is not being taken."""
    if any(same_words(claim, reading) for reading in window.readings):
        return None  # the record's own words, quoted whole
    now = "past" not in claim.tenses
    for mention in claim.mentions:
        if mention.kind is not Kind.DRUG or mention.attributes & ACTIONS:
            continue
        if now and mention.keys & window.later_stopped:
            return Reason.TIME_DIFFERS
        forms = {
            reading.tenses
            for reading in window.readings
            if any(same_thing(mention, source) for source in reading.mentions)
        }
        if now and any("started" in one.attributes and same_thing(mention, one) for one in window.mentions):
            continue  # was put on it, and nothing here says that it was stopped
        opposite = {"present"} if "past" in claim.tenses else {"past"}
        all_opposite = len(claim.tenses) == 1 and forms and all(form == opposite for form in forms)
        if all_opposite and (now or any(_TAKES.search(reading.text) for reading in window.readings)):
            return Reason.TIME_DIFFERS
    return None
