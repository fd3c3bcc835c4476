"""Change over time: words that mean a rise or fall of what is measured, and the direction two dated values give."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from clinical.domain.gate.deeds import HABITS
from clinical.domain.gate.mention import Mention
from clinical.domain.gate.timing import dates_of_figure
from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, concepts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.dates import WrittenDate
    from clinical.domain.gate.mention import Figure
    from clinical.domain.gate.reading import Reading
    from clinical.domain.lexicon.words import Token
    from clinical.domain.quantity import Quantity

# What a unit measures and how many of the smallest of its kind it holds; exact, by definition.
METRIC = {
    "ng": ("mass", Decimal(1)), "ug": ("mass", Decimal(10**3)), "mg": ("mass", Decimal(10**6)),
    "g": ("mass", Decimal(10**9)), "kg": ("mass", Decimal(10**12)),
    "mL": ("volume", Decimal(1)), "dL": ("volume", Decimal(100)), "L": ("volume", Decimal(1000)),
    "mo": ("months", Decimal(1)), "a": ("months", Decimal(12)), "d": ("minutes", Decimal(1440)),
    "wk": ("minutes", Decimal(10080)),
    "min": ("minutes", Decimal(1)), "h": ("minutes", Decimal(60)),
    "mm": ("length", Decimal(1)), "cm": ("length", Decimal(10)), "m": ("length", Decimal(1000)),
}  # fmt: skip
_MEASURED = frozenset({Kind.TEST, Kind.VITAL})
_RISE, _FALL = "increased", "decreased"
_WORDS = {_RISE: "word:increase", _FALL: "word:decrease"}
_LEVELS = {"word:increase": "word:high", "word:decrease": "word:low"}
_WAYS = frozenset({"stairs", "steps", "hill", "hills", "ladder", "staircase"})
_RAISED = frozenset({"raised", "increased", "reduced", "decreased"})
_IS = frozenset(
    {"is", "are", "was", "were", "be", "been", "remains", "remained", "slightly", "mildly", "markedly", "significantly"}
)
_FORMER = frozenset({"was", "previously", "baseline", "from", "prior", "before", "last"})
_NEAR = 3
_NOW = frozenset({"now", "today", "currently"})
_FIRST, _LAST = (0, 0, 0), (9999, 12, 31)


def changes(mentions: list[Mention], words: Sequence[Token]) -> list[Mention]:
    """Read "the CRP fell" as a fall of the CRP, "lost 6 kg in weight" as weight loss, "was raised" as high too."""
    mentions = [_level(one, words) for one in mentions if not _is_way(one, words)]
    if any(one.kind is Kind.DRUG for one in mentions):  # of a medicine "at night" is every night
        mentions = [_as(one, "word:at-night") if one.key == "word:every-night" else one for one in mentions]
    measured = [one for one in mentions if one.kind in _MEASURED]
    mentions = [
        _as(one, "word:decrease")
        if one.key == "falls" and (any(0 <= one.first - two.last < _NEAR for two in measured) or _fell_from(one, words))
        else one
        for one in mentions
    ]
    if not measured and not any(one.kind is Kind.DRUG or one.key in HABITS for one in mentions):
        mentions = [_cut(one) for one in mentions]
    for verb, name in (("word:lose", "weight-loss"), ("word:gain", "weight-gain")):
        verbs = [one for one in mentions if one.key == verb]
        weights = [one for one in mentions if one.key == "weight" and one.segment in {two.segment for two in verbs}]
        if verbs and weights:
            mentions = [_as(one, name) if one in weights else one for one in mentions if one not in verbs]
    return mentions


def _fell_from(mention: Mention, words: Sequence[Token]) -> bool:
    """Return whether something fell from an amount to another, no person off a ladder."""
    following = [word.low for word in words[mention.last : mention.last + 3]]
    return following[:1] in (["from"], ["to"], ["by"]) and (
        following[1:2] == ["every"] or (following[1:2] != [] and following[1][:1].isdigit())
    )


def _cut(mention: Mention) -> Mention:
    """A cut is a wound or a division where nothing is spoken of that could be cut down."""
    if mention.key != "word:decrease" or mention.text.lower().split()[-1] != "cut":
        return mention
    return replace(mention, key="w:cut", keys=frozenset({"w:cut"}))


def _is_way(mention: Mention, words: Sequence[Token]) -> bool:
    """Return whether this is a way up or down, no change: "going up and down stairs"."""
    following = {word.low for word in words[mention.last : mention.last + _NEAR]}
    return mention.key in _LEVELS and words[mention.last - 1].low in {"up", "down"} and bool(following & _WAYS)


def _level(mention: Mention, words: Sequence[Token]) -> Mention:
    """Return a change that may as well be a level with both names: "ALT was raised"."""
    level = _LEVELS.get(mention.key)
    before = {word.low for word in words[max(mention.first - 2, 0) : mention.first]}
    after = words[mention.last].low if mention.last < len(words) else "."
    if level is None or mention.text.lower() not in _RAISED or not before & _IS or after in {"to", "from", "by"}:
        return mention
    return replace(mention, keys=mention.keys | {level})


def _as(mention: Mention, key: str) -> Mention:
    concept = concepts().get(key)
    return mention if concept is None else replace(mention, key=key, keys=concept.wider, kind=concept.kind)


def direction(claim: Reading) -> Reason | None:
    """A rise ends higher than it began, a fall lower."""
    said = claim.cues & {_RISE, _FALL}
    pair = _from_to(claim.figures)
    if pair is None or len(said) != 1:
        return None
    low, high = (pair[0], pair[1]) if said == {_RISE} else (pair[1], pair[0])
    return None if amount(low.quantity) < amount(high.quantity) else Reason.VALUE_OF_ANOTHER


def amount(quantity: Quantity) -> Decimal:
    """Return the number, in the smallest unit of its kind where the unit is metric: 1 g is more than 500 mg."""
    kind = METRIC.get(quantity.unit)
    return quantity.value * kind[1] if kind else quantity.value


def computed(claim: Reading, readings: Sequence[Reading]) -> tuple[Mention, ...]:
    """Return the rise or fall that two dated values of the evidence amount to, where the sentence tells of one."""
    pair = _from_to(claim.figures)
    said = claim.cues & {_RISE, _FALL}
    if pair is None or len(said) != 1 or any(reading.cues & said for reading in readings):
        return ()
    start, end = (_dated(figure, readings) for figure in pair)
    if not any(one < two for one in start for two in end):
        return ()
    name = _RISE if amount(pair[0].quantity) < amount(pair[1].quantity) else _FALL
    things = [one for reading in readings for one in reading.mentions if one.key in pair[0].heads | pair[1].heads]
    word = _WORDS[name]
    first = Mention(word, frozenset({word}), Kind.WORD, 0, 0, 0, frozenset(), name)
    return (first, *(replace(one, attributes=one.attributes | {name}) for one in things))


def _from_to(figures: Sequence[Figure]) -> tuple[Figure, Figure] | None:
    starts = [one for one in figures if one.role == "from"]
    ends = [one for one in figures if one.role == "to"]
    return (starts[0], ends[0]) if len(starts) == len(ends) == 1 else None


def _dated(figure: Figure, readings: Sequence[Reading]) -> list[tuple[int, int, int]]:
    """Return the days of a value; "now" is after every other of its sentence."""
    present = [
        _LAST if _now(one, reading) else _FIRST
        for reading in readings
        if not reading.dates and any(_now(other, reading) for other in reading.figures)
        for one in reading.figures
        if one.quantity.value == figure.quantity.value and one.heads & figure.heads
    ]
    before = [
        _FIRST if _then(one, reading) else _LAST
        for reading in readings
        if any(_then(other, reading) for other in reading.figures if other.heads & figure.heads)
        for one in reading.figures
        if one.quantity.value == figure.quantity.value and one.heads & figure.heads
    ]
    return (
        present
        + before
        + [
            day
            for reading in readings
            for one in reading.figures
            if one.quantity.value == figure.quantity.value and one.heads & figure.heads
            for date in dates_of_figure(one, reading)
            if (day := _day(date)) is not None
        ]
    )


def _then(figure: Figure, reading: Reading) -> bool:
    """Return whether a value is told as the former one: "MCV 92 (was 108)"."""
    return bool({word.low for word in reading.words[max(figure.place - 2, 0) : figure.place]} & _FORMER)


def _now(figure: Figure, reading: Reading) -> bool:
    return any(word.low in _NOW and reading.segments[at] == figure.segment for at, word in enumerate(reading.words))


def _day(date: WrittenDate) -> tuple[int, int, int] | None:
    return (date.year, date.month, date.day or 0) if date.year and date.month else None
