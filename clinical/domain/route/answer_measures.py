"""Answers about a test or vital sign."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey, measure_key, of_kind
from clinical.domain.facts.measurements import (
    other_samples,
    results,
    row_of,
    series,
)
from clinical.domain.facts.tables import measurements
from clinical.domain.projection.rows import ObservationRow
from clinical.domain.provenance import DEMO, Trust
from clinical.domain.route.comparisons import (
    beyond,
    change_over,
    converted,
    count_of,
    day_of,
    ever_outside,
    extreme,
    judged,
    trend_of,
)
from clinical.domain.route.intents import Act, CodeAnswer
from clinical.domain.route.sentences import (
    answered,
    carrying,
    error_note,
    in_error,
    in_words,
    listed,
    not_found,
    sentence,
    statement,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import CodeSentence, Intent


_COMPARES: Final = frozenset({Act.ABOVE, Act.BELOW, Act.HIGHEST, Act.LOWEST})


def asked_key(facts: Sequence[Fact], key: MeasureKey) -> MeasureKey:
    """Return the key with its sample decided: as named, else the table's, else blood, else the one held."""
    known = measurements().get(key.concept)
    if key.sample:
        return key
    if known is not None:
        return MeasureKey(key.concept, known.sample)
    same = [fact for fact, row in of_kind(facts, ObservationRow) if measure_key(row).concept == key.concept]
    held = sorted({measure_key(row_of(fact)).sample for fact in results(same)})
    if len(held) == 1 or "blood" not in held:
        return MeasureKey(key.concept, held[0] if held else "")
    return MeasureKey(key.concept, "blood")


def answer_measure(intent: Intent, facts: Sequence[Fact], today: date, *, trust: Trust = DEMO) -> CodeAnswer:
    """Answer latest, previous, first, highest, lowest, above, below, trend, count, when and list.

    A result in another sample than asked never answers: it is handed over as `related`. A unit asked for is converted
    into by code, behind the record's own value.
    """
    if intent.key is None:
        return not_found(in_words(intent))
    if intent.key.concept == "blood-pressure" and (upper := _by_systolic(intent, facts, today, trust)).answered:
        return upper
    return _answer(intent, asked_key(facts, intent.key), facts, today, trust)


def _answer(intent: Intent, key: MeasureKey, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:
    every = series(facts, key)
    if intent.code:
        every = [fact for fact in every if carrying([fact], intent.code)] or every
    found = within(every, intent.window, today)
    if not found:
        sample = f" in {key.sample}" if key.sample else ""
        what = f"{intent.said}{sample}{f' {intent.window.words}' if intent.window else ''}"
        near = [sentence(fact, "Outside the time asked about: ") for fact in every[-1:]]
        for other in other_samples(facts, key):
            near.extend(
                sentence(fact, f"In {other.sample or 'a sample not named'}: ") for fact in series(facts, other)[-1:]
            )
        then = within(facts, intent.window, today)
        return CodeAnswer((*_waiting(then, key), *_mistaken(then, key, intent)), absent=what, related=tuple(near))
    if intent.take:
        return answered(_taken(intent, found, trust))
    sentences: list[CodeSentence] = []
    for act in sorted(intent.acts, key=lambda act: act is not Act.LATEST):
        sentences.extend(_act(act, intent, found, trust))
    if Act.PREVIOUS in intent.acts and found[0].row.effective_sort == found[-1].row.effective_sort:
        return not_found(f"previous {intent.said}", _latest(found))
    sentences = sentences or _latest(found)
    if intent.unit and not intent.threshold:
        sentences = [*sentences, *converted(sentences, intent.unit, trust)]
    if every == found:
        sentences = [*sentences, *_waiting(facts, key), *_mistaken(facts, key, intent, found[-1])]
    return answered(_unique(sentences))


def _by_systolic(intent: Intent, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:
    """Return pressures compared by the upper number, and say so; a pair of numbers has no order of its own."""
    if not set(intent.acts) & _COMPARES:
        return CodeAnswer()
    upper = replace(intent, key=MeasureKey("systolic"), target="systolic")
    found = answer_measure(upper, facts, today, trust=trust)
    if not found.answered:
        return found
    said = statement("Compared by the systolic pressure.", [found.sentences[0].citations_from[0][0]])
    return answered([*found.sentences, said])


def _waiting(facts: Sequence[Fact], key: MeasureKey) -> list[CodeSentence]:
    """Return results of this test that were registered and are not reported."""
    waiting = [
        fact
        for fact, row in of_kind(facts, ObservationRow)
        if row.status == "registered" and measure_key(row) == key and not row.panel
    ]
    return [sentence(fact, "Not reported yet: ") for fact in waiting]


def _mistaken(facts: Iterable[Fact], key: MeasureKey, intent: Intent, newest: Fact | None = None) -> list[CodeSentence]:
    """Mention entries made in error; where only the latest is asked for, those that are newer than it."""
    wrong = [fact for fact in in_error(facts, ObservationRow) if measure_key(row_of(fact)) == key]
    if newest is not None and set(intent.acts) <= {Act.LATEST, Act.STATUS, Act.WHEN}:
        wrong = [fact for fact in wrong if fact.row.effective_sort >= newest.row.effective_sort]
    return error_note([fact for fact in wrong if not row_of(fact).panel], "this test")


def _act(act: Act, intent: Intent, found: list[Fact], trust: Trust) -> list[CodeSentence]:
    match act:
        case Act.LATEST | Act.STATUS | Act.WHEN:
            return _present(act, intent, found)
        case Act.PREVIOUS:
            older = [fact for fact in found if fact.row.effective_sort < found[-1].row.effective_sort]
            previous = [fact for fact in older if fact.row.effective_sort == older[-1].row.effective_sort]
            return [*_latest(found), *(sentence(fact, "Previous result: ") for fact in previous)]
        case Act.FIRST:
            return [sentence(fact, f"First of {count_of(found)}: ") for fact in _first(found)]
        case Act.COUNT:
            text = f"{count_of(found)} recorded, from {day_of(found[0])} to {day_of(found[-1])}."
            return [statement(text, found)]
        case Act.SERIES:
            return list(listed(found[::-1], "results"))
        case _:
            return _compared(act, intent, found, trust)


def _compared(act: Act, intent: Intent, found: list[Fact], trust: Trust) -> list[CodeSentence]:
    match act:
        case Act.HIGHEST | Act.LOWEST:
            return extreme(found, highest=act is Act.HIGHEST, trust=trust)
        case Act.ABOVE | Act.BELOW:
            return beyond(found, intent, above=act is Act.ABOVE, trust=trust)
        case Act.TREND:
            return [*_latest(found), *trend_of(found, trust)]
        case Act.JUDGED:
            if intent.detail.startswith("ever "):
                return ever_outside(found, intent.detail.removeprefix("ever "))
            return [*_latest(found), *judged(found)]
        case _:
            return []


def _present(act: Act, intent: Intent, found: list[Fact]) -> list[CodeSentence]:
    """Return the latest result; the first one on admission; all of a stretch of time that is asked for as such."""
    relation = intent.moment.relation if intent.moment is not None else ""
    if act is Act.STATUS and intent.moment is not None and intent.moment.edge == "start" and relation == "at":
        return [sentence(fact, "First result of that time: ") for fact in _first(found)]
    if intent.window is not None and act is Act.STATUS and len(found) > 1 and relation not in ("before", "at"):
        return list(listed(found[::-1], "results"))
    others = set(intent.acts) - {Act.LATEST, Act.STATUS, Act.WHEN, Act.SERIES}
    return [] if act is Act.WHEN and others else _latest(found)


def _first(found: list[Fact]) -> list[Fact]:
    return [fact for fact in found if fact.row.effective_sort == found[0].row.effective_sort]


def _taken(intent: Intent, found: list[Fact], trust: Trust) -> list[CodeSentence]:
    """Return the newest few, with the change over them where it can be worked out."""
    last = found[-intent.take :]
    sentences = list(listed(last[::-1], "results", shown=intent.take))
    if len(last) < intent.take:
        sentences.append(statement(f"Only {count_of(found)} recorded.", found))
    if intent.unit:
        sentences.extend(converted(sentences, intent.unit, trust))
    return [*sentences, *change_over(last, trust)]


def _latest(found: list[Fact]) -> list[CodeSentence]:
    newest = [fact for fact in found if fact.row.effective_sort == found[-1].row.effective_sort]
    differing = len(newest) > 1 and len({measure_key(row_of(fact)) for fact in newest}) < len(newest)
    lead = "Latest result (the record holds differing ones for this time): " if differing else "Latest result: "
    return [sentence(fact, lead) for fact in newest]


def _unique(sentences: list[CodeSentence]) -> list[CodeSentence]:
    first: dict[str, CodeSentence] = {}
    for one in sentences:
        first.setdefault(one.text, one)
    return list(first.values())
