"""The inputs of a score from typed facts: numbers in the formula's unit, from one set within a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey, measure_key
from clinical.domain.facts.measurements import number_of, results, row_of
from clinical.domain.facts.render import value_text
from clinical.domain.facts.tables import measurements
from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import cites
from clinical.domain.scores.units import to_formula_unit
from clinical.domain.scores.when import old, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from decimal import Decimal

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.rows import ObservationRow
    from clinical.domain.scores.outcome import Places

_NITROGEN_CODES: Final = frozenset({"http://loinc.org|3094-0", "http://loinc.org|6299-2"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A recorded number that a formula can take: `value` in the formula's unit, `fact` with the original."""

    key: str
    value: Decimal
    fact: Fact

    @property
    def row(self) -> ObservationRow:
        """The observation."""
        return row_of(self.fact)

    @property
    def places(self) -> Places:
        """What cites it."""
        return cites(self.fact)

    def shown(self, now: datetime) -> str:
        """Return "Creatinine 133 umol/L on 11-Aug-2026 09:00 UTC (21 days old)": as recorded, with its age."""
        row = self.row
        day = display_date(row.effective, with_time=True)
        status = "" if row.status == "final" else f", {row.status}"
        known = None if row.names else measurements().get(measure_key(row).concept)
        name = known.name if known else row.text  # a code without words gets the table's
        return f"{name} {value_text(row.value, row.components)} on {day} ({old(row, now)}{status})"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A result that no formula can take, and why in words."""

    key: str
    fact: Fact
    why: str


@dataclass(slots=True)
class Readings:
    """All results of one patient up to `now`, by measured quantity, newest first."""

    facts: Sequence[Fact]
    now: datetime
    _by_key: dict[MeasureKey, list[Fact]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the results once."""
        for fact in results(self.facts):
            if fact.row.effective_sort <= self.now and fact.row.effective:
                self._by_key.setdefault(measure_key(row_of(fact)), []).append(fact)

    def held(self, concept: str) -> list[Fact]:
        """Return every result of a quantity, newest first; of a laboratory test in the usual sample only."""
        known = measurements().get(concept)
        return self._by_key.get(MeasureKey(concept, known.sample if known else ""), [])

    def numbers(self, concept: str, quantity: str = "") -> list[Reading]:
        """Return the results of a quantity that are numbers in a known unit, newest first."""
        read = (self._read(concept, quantity or concept, fact) for fact in self.held(concept))
        return [one for one in read if isinstance(one, Reading)]

    def unusable(self, concept: str, quantity: str = "") -> list[Unusable]:
        """Return the results of a quantity that are no number, or in a unit that is not known."""
        read = (self._read(concept, quantity or concept, fact) for fact in self.held(concept))
        return [one for one in read if isinstance(one, Unusable)]

    def named(self, *words: str) -> list[Fact]:
        """Return results of which a name holds one of the given words (lower case), newest first."""
        found = [
            fact
            for group in self._by_key.values()
            for fact in group
            if any(word in name.lower() for name in (*fact.row.names, fact.row.text) for word in words)
        ]
        return sorted(found, key=lambda fact: fact.row.effective_sort, reverse=True)

    def coded(self, *loinc: str) -> list[Fact]:
        """Return results with one of these LOINC codes, newest first."""
        wanted = {f"http://loinc.org|{code}" for code in loinc}
        found = [fact for group in self._by_key.values() for fact in group if wanted & set(fact.row.codes)]
        return sorted(found, key=lambda fact: fact.row.effective_sort, reverse=True)

    def read(self, quantity: str, fact: Fact) -> Reading | None:
        """Return one result as a number of a quantity; None when it is none, or in a unit that is not known."""
        read = self._read(quantity, quantity, fact)
        return read if isinstance(read, Reading) else None

    @staticmethod
    def _read(concept: str, quantity: str, fact: Fact) -> Reading | Unusable:
        row = row_of(fact)
        number = number_of(row)
        if number is None:
            return Unusable(concept, fact, f'recorded as "{value_text(row.value, row.components)}", not a number')
        if quantity == "urea-nitrogen" and not _is_nitrogen(row):
            quantity = "urea"
        value = to_formula_unit(quantity, number, row.value.ucum or row.value.unit)
        if value is None:
            shown = row.value.unit or row.value.ucum
            return Unusable(concept, fact, f"recorded in {shown}, a unit not known here" if shown else "without a unit")
        return Reading(concept, value, fact)


def _is_nitrogen(row: ObservationRow) -> bool:
    """Whether a mass concentration is of urea nitrogen; 1 mg of it is 2.14 mg of urea."""
    if _NITROGEN_CODES & set(row.codes):
        return True
    return any("nitrogen" in name.lower() or "bun" in name.lower().split() for name in row.names)


@dataclass(frozen=True, slots=True)
class OneSet:
    """The values chosen for a score.

    `found` all lie within the window of each other; `missing` have no value in it. `newest` is the newest
    usable value of any of them, whatever its age. `conflict` are two differing values of one moment. `later` are
    newer values that are not in the set.
    """

    found: Mapping[str, Reading]
    missing: tuple[str, ...]
    newest: Reading | None
    conflict: tuple[Reading, ...] = ()
    later: tuple[Reading, ...] = ()


def one_set(held: Readings, keys: Sequence[str], *, window: timedelta, limit: timedelta) -> OneSet:
    """Return the newest complete set of `keys` within `window` and no older than `limit` at `held.now`.

    Without a complete one, the newest incomplete set. Values of different sets are never combined.
    """
    every = {key: held.numbers(key) for key in keys}
    fresh = sorted(
        (one for group in every.values() for one in group if not _too_old(one, held.now, limit)),
        key=lambda one: one.row.effective_sort,
        reverse=True,
    )
    newest = max((group[0] for group in every.values() if group), key=lambda one: one.row.effective_sort, default=None)
    best: dict[str, Reading] = {}
    for anchor in fresh:
        chosen = {key: one for key, group in every.items() if (one := _beside(anchor, group, window)) is not None}
        if not best or len(chosen) == len(keys):
            best = chosen
        if len(chosen) == len(keys):
            break
    return OneSet(
        found=best,
        missing=tuple(key for key in keys if key not in best),
        newest=newest,
        conflict=_conflict(best.values(), every),
        later=tuple(
            group[0]
            for key, group in every.items()
            if key in best and group[0].row.effective_sort > best[key].row.effective_sort
        ),
    )


def _too_old(one: Reading, now: datetime, limit: timedelta) -> bool:
    return now - one.row.effective_sort > limit


def _beside(anchor: Reading, group: Sequence[Reading], window: timedelta) -> Reading | None:
    """Return the newest value of a group that is not later than the anchor and within the window of it."""
    moment = anchor.row.effective_sort
    return next(
        (one for one in group if one.row.effective_sort <= moment and together(anchor.row, one.row, window)), None
    )


def _conflict(chosen: Iterable[Reading], every: Mapping[str, Sequence[Reading]]) -> tuple[Reading, ...]:
    for one in chosen:
        same = [other for other in every[one.key] if other.row.effective_sort == one.row.effective_sort]
        if len({other.value for other in same}) > 1:
            return tuple(same)
    return ()
