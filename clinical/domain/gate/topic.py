"""Whether a sentence is about what was asked: the thing, the person, and what was asked of the thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.binding import QUALITIES
from clinical.domain.gate.mention import TIME_WORDS
from clinical.domain.gate.reading import read
from clinical.domain.lexicon.tables import Kind, family_words

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_MEASURED: Final = frozenset({Kind.TEST, Kind.VITAL})
_LIKE: Final = ({Kind.TEST, Kind.VITAL}, {Kind.DRUG, Kind.VACCINE})
_ALLERGY: Final = frozenset({"allergy", "intolerance"})
_KIN: Final = frozenset({"family", "relatives", "relative", "inherited", "hereditary", "genetic", "runs", "kin"})
_VALUE: Final = frozenset({"value", "level", "result", "reading", "latest", "last", "recent", "high", "low", "much"})
_WHEN: Final = frozenset({"when", "since", "date", "long"})
_ACTS: Final = frozenset({"stopped", "started", "increased", "decreased"})
_TELLS_TIME: Final = TIME_WORDS | frozenset({"ago", "since", "yet", "never", "before", "after", "until", "childhood"})


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question asks: the clinical concepts it names (none where it names none), and of them what.

    `near` are wider names of these concepts; `acts` what it asks to have been done; `kin` says that it asks about
    relatives too.
    """

    keys: frozenset[str]
    near: frozenset[str] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    acts: frozenset[str] = frozenset()
    wants_value: bool = False
    wants_time: bool = False
    kin: bool = False


def topic_of(question: str) -> Topic:
    """Read what a question is about. Its wording is never evidence."""
    reading = read(question, loose=True)
    named = [one for one in reading.mentions if one.clinical]
    lows = {word.low.removesuffix("'s") for word in reading.words}
    kinds = frozenset(one.kind for one in named)
    return Topic(
        keys=frozenset(one.key for one in named),
        near=frozenset(key for one in named for key in one.keys),
        kinds=kinds,
        acts=frozenset(reading.cues & _ACTS),
        wants_value=bool(kinds) and kinds <= _MEASURED and bool(lows & _VALUE) and not lows & _WHEN,
        wants_time=bool(lows & _WHEN),
        kin=bool(lows & (_KIN | frozenset(family_words()))) or any(one.startswith("family") for one in reading.cues),
    )


def about(claim: Reading, window: Window, topic: Topic) -> bool:
    """Return whether a sentence that the evidence bears out is about what was asked."""
    if not topic.keys:
        return True
    named = [one for one in claim.mentions if one.clinical]
    asked = [one for one in named if one.keys & topic.keys or one.key in topic.near]
    if not asked and not _meant(claim, named, window, topic):
        return False
    if asked and not topic.kin and all(_of_relative(one) for one in asked):
        return False  # "Does she have diabetes?" is not asked of her mother
    if "allergy" in topic.keys and not (claim.cues & _ALLERGY or claim.keys & (topic.keys | _ALLERGY)):
        return False
    if topic.wants_value and asked and not _says_result(claim):
        return False
    if topic.acts and asked and not topic.wants_time:
        return bool(_told(claim) & topic.acts) or _gives_reason(claim) or "negated" in claim.cues
    return not (topic.wants_time and asked) or _tells_time(claim) or bool(_told(claim) & topic.acts)


def _meant(claim: Reading, named: list[Mention], window: Window, topic: Topic) -> bool:
    """Return whether it goes with what was asked without naming it: never another test or drug instead."""
    if not topic.keys & window.keys:
        return False
    return not any(one.kind in like and topic.kinds & like for one in named for like in _LIKE)


def _of_relative(mention: Mention) -> bool:
    return any(one.startswith("family:") for one in mention.attributes)


def _says_result(claim: Reading) -> bool:
    """Return whether a value, a quality, a change, a plan or an absence is told."""
    return bool(
        claim.figures
        or claim.cues & {"negated", "planned", "order", *_ACTS}
        or any(one.key in QUALITIES or one.key in {"word:outstanding", "word:stable"} for one in claim.mentions)
    )


def _told(claim: Reading) -> frozenset[str]:
    """Return what the sentence says was done, not done included."""
    return frozenset(one.removeprefix("not-") for one in claim.cues)


def _gives_reason(claim: Reading) -> bool:
    return "word:cause" in claim.keys or any(word.low in {"because", "due", "after", "for"} for word in claim.words)


def _tells_time(claim: Reading) -> bool:
    return (
        bool(claim.dates)
        or any(figure.quantity.unit in {"a", "mo", "wk", "d", "h", "min"} for figure in claim.figures)
        or any(word.low in _TELLS_TIME for word in claim.words)
    )
