"""Answers about a test or vital sign."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from clinical.domain.facts.fact import MeasureKey, measure_key
from clinical.domain.facts.measurements import (
    extremes,
    number_of,
    other_samples,
    results,
    row_of,
    series,
    trend,
    unit_of,
)
from clinical.domain.facts.render import value_text
from clinical.domain.facts.tables import measurements
from clinical.domain.projection.dates import display_date
from clinical.domain.route.intents import Act
from clinical.domain.route.sentences import answered, in_words, listed, not_found, sentence, statement, within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import CodeAnswer, CodeSentence, Intent


def asked_key(facts: Sequence[Fact], key: MeasureKey) -> MeasureKey:
    """Return the key with its sample decided: as named, else the table's, else blood, else the one held."""
    known = measurements().get(key.concept)
    if key.sample:
        return key
    if known is not None:
        return MeasureKey(key.concept, known.sample)
    held = sorted(
        {
            measure_key(row_of(fact)).sample
            for fact in results(facts)
            if measure_key(row_of(fact)).concept == key.concept
        }
    )
    if len(held) == 1 or "blood" not in held:
        return MeasureKey(key.concept, held[0] if held else "")
    return MeasureKey(key.concept, "blood")


def answer_measure(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer latest, previous, first, highest, lowest, above, below, trend, count, when and list.

    A result in another sample than asked never answers: it is handed over as `related`.
    """
    if intent.key is None:
        return not_found(in_words(intent))
    key = asked_key(facts, intent.key)
    every = series(facts, key)
    found = within(every, intent.window, today)
    if not found:
        sample = f" in {key.sample}" if key.sample else ""
        what = f"{intent.said}{sample}{f' {intent.window.words}' if intent.window else ''}"
        near = [sentence(fact, "Outside the time asked about: ") for fact in every[-1:]]
        for other in other_samples(facts, key):
            near.extend(
                sentence(fact, f"In {other.sample or 'a sample not named'}: ") for fact in series(facts, other)[-1:]
            )
        return not_found(what, near)
    sentences: list[CodeSentence] = []
    for act in sorted(intent.acts, key=lambda act: act is not Act.LATEST):
        sentences.extend(_act(act, intent, found))
    if Act.PREVIOUS in intent.acts and found[0].row.effective_sort == found[-1].row.effective_sort:
        return not_found(f"previous {intent.said}", _latest(found))
    return answered(_unique(sentences or _latest(found)))


def _act(act: Act, intent: Intent, found: list[Fact]) -> list[CodeSentence]:
    match act:
        case Act.LATEST | Act.STATUS | Act.WHEN:
            if intent.window is not None and act is Act.STATUS and len(found) > 1:
                return list(listed(found[::-1], "results"))
            others = set(intent.acts) - {Act.LATEST, Act.STATUS, Act.WHEN, Act.SERIES}
            return [] if act is Act.WHEN and others else _latest(found)
        case Act.PREVIOUS:
            older = [fact for fact in found if fact.row.effective_sort < found[-1].row.effective_sort]
            previous = [fact for fact in older if fact.row.effective_sort == older[-1].row.effective_sort]
            return [*_latest(found), *(sentence(fact, "Previous result: ") for fact in previous)]
        case Act.FIRST:
            first = [fact for fact in found if fact.row.effective_sort == found[0].row.effective_sort]
            return [sentence(fact, f"First of {_count(found)}: ") for fact in first]
        case Act.HIGHEST | Act.LOWEST:
            return _extreme(found, highest=act is Act.HIGHEST)
        case Act.ABOVE | Act.BELOW:
            return _beyond(found, intent.threshold, above=act is Act.ABOVE)
        case Act.TREND:
            return [*_latest(found), *_trend(found)]
        case Act.COUNT:
            text = f"{_count(found)} recorded, from {_day(found[0])} to {_day(found[-1])}."
            return [statement(text, found)]
        case Act.SERIES:
            return list(listed(found[::-1], "results"))
        case _:
            return []


def _latest(found: list[Fact]) -> list[CodeSentence]:
    newest = [fact for fact in found if fact.row.effective_sort == found[-1].row.effective_sort]
    differing = len(newest) > 1 and len({measure_key(row_of(fact)) for fact in newest}) < len(newest)
    lead = "Latest result (the record holds differing ones for this time): " if differing else "Latest result: "
    return [sentence(fact, lead) for fact in newest]


def _extreme(found: list[Fact], *, highest: bool) -> list[CodeSentence]:
    parts = [fact for fact in found if number_of(row_of(fact)) is None and not row_of(fact).components]
    best = extremes(found, highest=highest)
    word = "Highest" if highest else "Lowest"
    sentences = [sentence(fact, f"{word} of {_count(found)}: ") for fact in best]
    if not best:  # panels and texts have no order of their own: all are shown
        return list(listed(found[::-1], "results", lead="Cannot be ordered: "))
    return [*sentences, *(sentence(fact, "Not compared (no exact number): ") for fact in parts[-3:])]


def _beyond(found: list[Fact], threshold: str, *, above: bool) -> list[CodeSentence]:
    try:
        bound = Decimal(threshold)
    except InvalidOperation:
        return []
    numbered = [(fact, number) for fact in found if (number := number_of(row_of(fact))) is not None]
    hits = [fact for fact, number in numbered if (number > bound if above else number < bound)]
    word = "above" if above else "below"
    units = sorted({unit_of(row_of(fact)) for fact, _ in numbered})
    if hits:
        head = f"{len(hits)} of {_count([fact for fact, _ in numbered])} {word} {threshold}"
        text = f"{head}{'' if len(units) == 1 else ', units differ: ' + ', '.join(units)}."
        return [statement(text, hits), *listed(hits[::-1], "results")]
    if not numbered:
        return []
    none = f"None of {_count([fact for fact, _ in numbered])} is {word} {threshold}."
    return [statement(none, [fact for fact, _ in numbered]), *_extreme(found, highest=above)]


def _trend(found: list[Fact]) -> list[CodeSentence]:
    if any(row_of(fact).components for fact in found[-1:]):
        return list(listed(found[-3:][::-1], "results"))
    seen = trend(found)
    values = "; ".join(f"{value_text(row_of(fact).value)} on {_day(fact)}" for fact in seen.points)
    if seen.direction == "too few":
        text = f"Too few results in one unit for a trend (three are needed): {values or 'none with a number'}."
    else:
        sign = "+" if seen.change > 0 else ""
        change = f"{sign}{seen.change:f} {seen.unit}".strip()
        text = f"Trend over the last {len(seen.points)} results: {seen.direction}, change {change}: {values}."
    return [statement(text, seen.points or found[-1:])]


def _count(found: Sequence[Fact]) -> str:
    return f"{len(found)} result{'' if len(found) == 1 else 's'}"


def _day(fact: Fact) -> str:
    return display_date(fact.row.effective) or "an unrecorded date"


def _unique(sentences: list[CodeSentence]) -> list[CodeSentence]:
    first: dict[str, CodeSentence] = {}
    for one in sentences:
        first.setdefault(one.text, one)
    return list(first.values())
