"""Sentences that compare results: extremes, thresholds, trends, changes, other units, reference ranges."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from clinical.domain.facts.abnormal import can_be_judged, is_abnormal
from clinical.domain.facts.conversion import convert, shown
from clinical.domain.facts.fact import measure_key
from clinical.domain.facts.measurements import comparable, extremes, flag, number_of, row_of, unit_of
from clinical.domain.facts.render import value_text
from clinical.domain.facts.trends import trend
from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import listed, sentence, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.route.intents import CodeSentence, Intent


def converted(sentences: Iterable[CodeSentence], unit: str, trust: Trust) -> list[CodeSentence]:
    """Return each result already said in the unit asked for; one that cannot be converted says so."""
    facts = {fact.resource: fact for one in sentences for fact, _ in one.citations_from}
    made = []
    for fact in facts.values():
        row = row_of(fact)
        if not row.value.number or unit_of(row) == unit:
            continue
        concept = measure_key(row).concept
        value = convert(row.value.number, unit_of(row), unit, concept=concept, names=row.names, trust=trust)
        if value is None:
            text = f"{row.value.text} cannot be converted into {shown(unit)} by the table held."
        else:
            other = f"{row.value.comparator}{value.text}"
            text = f"{row.value.text} on {day_of(fact)} = {other}, converted by code ({value.basis})."
        made.append(statement(text, [fact]))
    return made


def extreme(found: list[Fact], *, highest: bool, trust: Trust) -> list[CodeSentence]:
    """Return the highest (lowest) results; values that cannot be ordered are all shown."""
    parts = [fact for fact in found if number_of(row_of(fact)) is None and not row_of(fact).components]
    best = extremes(found, highest=highest, trust=trust)
    word = "Highest" if highest else "Lowest"
    sentences = [sentence(fact, f"{word} of {count_of(found)}: ") for fact in best]
    if not best:  # panels and texts have no order of their own: all are shown
        return list(listed(found[::-1], "results", lead="Cannot be ordered: "))
    kept = comparable(found, trust=trust)
    if len({unit_of(row_of(fact)) for fact, _ in kept[0]}) > 1:
        units = ", ".join(sorted({row_of(fact).value.unit for fact, _ in kept[0]}))
        sentences.append(statement(f"Compared by converted values, since the units differ ({units}).", best))
    return [*sentences, *(sentence(fact, "Not compared (no exact number): ") for fact in parts[-3:])]


def beyond(found: list[Fact], intent: Intent, *, above: bool, trust: Trust) -> list[CodeSentence]:
    """Return how many results lie beyond a threshold, in the unit asked for, and which; "at least 7" counts 7 too."""
    try:
        bound = Decimal(intent.threshold)
        upper = Decimal(intent.upper) if intent.upper else None
    except InvalidOperation:
        return []
    groups = comparable(found, unit=intent.unit, trust=trust)
    if not groups:
        return []
    numbered = groups[0]
    hits = [
        fact
        for fact, number in numbered
        if ((number > bound if above else number < bound) or (intent.inclusive and number == bound))
        and (upper is None or number <= upper)
    ]
    word = _beyond_word(intent, above=above)
    units = sorted({row_of(fact).value.unit for fact, _ in numbered})
    differ = "" if len(units) == 1 else f", units differ and are converted for the comparison: {', '.join(units)}"
    if not intent.unit and len(units) > 1:
        differ += f"; {intent.threshold} is read as {row_of(numbered[-1][0]).value.unit}"
    rest = [fact for group in groups[1:] for fact, _ in group]
    left = [statement(f"{len(rest)} more not compared: their unit cannot be converted.", rest)] if rest else []
    compared = [fact for fact, _ in numbered]
    if hits:
        head = f"{len(hits)} of {count_of(compared)} {word}{differ}."
        return [statement(head, hits), *listed(hits[::-1], "results"), *left]
    none = f"None of {count_of(compared)} is {word}{differ}."
    return [statement(none, compared), *extreme(compared, highest=above, trust=trust), *left]


def _beyond_word(intent: Intent, *, above: bool) -> str:
    unit = shown(intent.unit)
    if intent.upper:
        return f"between {intent.threshold} and {intent.upper} {unit}".strip()
    limit = f"{intent.threshold} {unit}".strip()
    side = "above" if above else "below"
    return f"{limit} or {side}" if intent.inclusive else f"{side} {limit}"


def trend_of(found: list[Fact], trust: Trust) -> list[CodeSentence]:
    """Return how the last three results moved, with the change and what counts as one; then those before them."""
    if any(row_of(fact).components for fact in found[-1:]):
        return list(listed(found[-3:][::-1], "results"))
    seen = trend(found, trust=trust)
    values = "; ".join(f"{value_text(row_of(fact).value)} on {day_of(fact)}" for fact in seen.points)
    if seen.direction == "too few":
        text = f"Too few results in one unit for a trend (three are needed): {values or 'none with a number'}."
    else:
        sign = "+" if seen.change > 0 else ""
        change = f"{sign}{_plain(seen.change)} {seen.unit}".strip()
        rule = f"counts from {seen.rule}"
        text = f"Trend over the last {len(seen.points)} results: {seen.direction}, change {change} ({rule}): {values}."
    earlier = [fact for fact in found if fact not in seen.points][::-1]
    return [statement(text, seen.points or found[-1:]), *(listed(earlier, "earlier results") if seen.points else [])]


def change_over(last: list[Fact], trust: Trust) -> list[CodeSentence]:
    """Return the change from the first to the last of some results; nothing where it cannot be worked out."""
    groups = comparable(last, trust=trust)
    if len(last) < 2 or not groups or len(groups[0]) != len(last):
        return []
    (first, before), (_, after) = groups[0][0], groups[0][-1]
    unit = row_of(groups[0][-1][0]).value.unit
    change = f"{'+' if after > before else ''}{_plain(after - before)} {unit}".strip()
    return [statement(f"Change from {day_of(first)} to {day_of(last[-1])}: {change}.", [first, last[-1]])]


def ever_outside(found: list[Fact], side: str) -> list[CodeSentence]:
    """Return how many results lie outside their own range or are flagged, on one side ("high", "low") or "either"."""
    told = [fact for fact in found if can_be_judged(fact)]
    if not told:
        return [statement("None of them carries a reference range or a flag: not judged.", found[-1:])]
    wanted = {"high": ("H",), "low": ("L",)}.get(side, ("H", "L", ""))
    off = [fact for fact in told if is_abnormal(fact) and flag(row_of(fact)) in wanted]
    word = {"high": "above", "low": "below"}.get(side, "outside")
    head = f"{len(off)} of {count_of(told)} with a range or flag {'is' if len(off) == 1 else 'are'} {word} it."
    return [statement(head, off or told), *listed(off[::-1], "results")]


def judged(found: list[Fact]) -> list[CodeSentence]:
    """Say where the latest result lies by its own flag or range; nothing is judged without either."""
    newest = found[-1]
    row = row_of(newest)
    if row.components:
        return []
    if not can_be_judged(newest):
        return [
            statement("It carries no flag, and no exact number with a range to hold it against: not judged.", [newest])
        ]
    side = {"H": "above", "L": "below"}.get(flag(row), "within" if not is_abnormal(newest) else "flagged as outside")
    return [statement(f"By the record's own flag or range of that day it is {side} the reference range.", [newest])]


def _plain(number: Decimal) -> str:
    """Return an exact difference, one of converted values to four digits."""
    if number == 0:
        return "0"
    return f"{number:f}" if len(number.as_tuple().digits) <= 20 else f"{number:.4g}"


def count_of(found: Sequence[Fact]) -> str:
    """Return "3 results"."""
    return f"{len(found)} result{'' if len(found) == 1 else 's'}"


def day_of(fact: Fact) -> str:
    """Return a result's date in words."""
    return display_date(fact.row.effective) or "an unrecorded date"
