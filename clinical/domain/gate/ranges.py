"""High and low by the reference range the evidence prints beside a value, and values of now and of then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.gate.verdict import Reason
from clinical.domain.quantity import same_value

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Figure
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_NEAR: Final = 4
_SIDES_OF_RANGE: Final = {"word:low": -1, "word:normal": 0, "word:high": 1}
_NOW: Final = frozenset({"now", "today", "currently"})
_THEN: Final = frozenset({"was", "were", "previously", "previous", "last", "ago", "before", "from", "had"})


def by_its_range(key: str, claim: Reading, window: Window) -> bool:
    """Return whether the value the sentence gives is low, normal or high by the range printed after it."""
    wanted = _SIDES_OF_RANGE.get(key)
    if wanted is None:
        return False
    return any(
        _side(source, reading) == wanted
        for figure in claim.figures
        for reading in window.readings
        for source in reading.figures
        if same_value(figure.quantity, source.quantity) and (figure.heads & source.heads or not figure.heads)
    )


def _side(figure: Figure, reading: Reading) -> int | None:
    following = [one for one in reading.figures if figure.place < one.place <= figure.place + _NEAR]
    if not following or following[0].quantity.high is None or following[0].quantity.pair:
        return None
    between = {word.low for word in reading.words[figure.place : following[0].place]}
    if not between & {"(", "[", "ref", "range", "normal"}:
        return None
    value, low, high = figure.quantity.value, following[0].quantity.value, following[0].quantity.high
    return -1 if value < low else 1 if value > high else 0


def value_of_now(claim: Reading, window: Window) -> Reason | None:
    """A value told as today's is not one that the evidence tells of the past beside today's."""
    if not _NOW & {word.low for word in claim.words}:
        return None
    for figure in claim.figures:
        for reading in window.readings:
            own = [one for one in reading.figures if same_value(figure.quantity, one.quantity)]
            rivals = [
                one for one in reading.figures
                if one.quantity.unit == figure.quantity.unit and not same_value(figure.quantity, one.quantity)
            ]  # fmt: skip
            if (
                own
                and rivals
                and all(_past(one, reading) for one in own)
                and not all(_past(one, reading) for one in rivals)
            ):
                return Reason.TIME_DIFFERS
    return None


def _past(figure: Figure, reading: Reading) -> bool:
    words = {word.low for at, word in enumerate(reading.words) if reading.segments[at] == figure.segment}
    return bool(words & _THEN) or any(place.segment == figure.segment for place in reading.dates)
