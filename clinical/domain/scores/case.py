"""One question for one score: what every calculation needs, and the checks they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clinical.domain.facts.tables import measurements
from clinical.domain.projection.dates import display_date
from clinical.domain.scores.inputs import Readings, one_set
from clinical.domain.scores.judgements import answers_in, items_of
from clinical.domain.scores.outcome import Sheet, refused
from clinical.domain.scores.person import person_of, pregnancy
from clinical.domain.scores.tables import formulas
from clinical.domain.scores.when import spoken, timed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust
    from clinical.domain.scores.inputs import OneSet, Reading
    from clinical.domain.scores.judgements import ItemRow
    from clinical.domain.scores.outcome import Places, ScoreAnswer
    from clinical.domain.scores.person import Person
    from clinical.domain.scores.tables import Formula

ADULT = 18


@dataclass(slots=True)
class Case:
    """The facts of one patient at `now` (timezone-aware), the formula asked for, and what the question states."""

    score: str
    question: str
    facts: Sequence[Fact]
    now: datetime
    trust: Trust
    sheet: Sheet = field(default_factory=Sheet)
    held: Readings = field(init=False)
    person: Person = field(init=False)
    stated: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Read the record once."""
        self.held = Readings(self.facts, self.now)
        self.person = person_of(self.facts)
        self.stated = answers_in(self.question, self.score)

    @property
    def formula(self) -> Formula:
        """The formula's row."""
        return formulas()[self.score]

    @property
    def items(self) -> tuple[ItemRow, ...]:
        """The items of the score."""
        return items_of(self.score)

    def refuse(self, reason: str, why: str, places: Places = ()) -> ScoreAnswer:
        """Return an answer without a value."""
        return refused(self.sheet, self.formula, reason, why, places)

    def chosen(self, keys: Sequence[str], what: str) -> OneSet | ScoreAnswer:
        """Return a complete set of values, or the refusal that names what is missing, stale or contradictory."""
        chosen = one_set(self.held, keys, window=self.formula.window, limit=self.formula.limit)
        if chosen.conflict:
            self.show(chosen.conflict)
            return self.refuse("conflict", "the record holds differing values for the same moment")
        if not chosen.found and chosen.newest is not None:
            self._unusable(keys)
            newest = chosen.newest
            self.show([newest])
            never = [name_of(key) for key in chosen.missing if not self.held.numbers(key)]
            also = f"; not recorded: {', '.join(never)}" if never else ""
            return self.refuse("stale", f"no {what} since {spoken(newest.row)}{also}")
        if chosen.missing:
            self.show(chosen.found.values())
            self._unusable(chosen.missing)
            return self.refuse("missing", self._missing(chosen, what))
        return chosen

    def show(self, readings: Iterable[Reading]) -> None:
        """Add a line for each reading."""
        for one in readings:
            self.sheet.line(f"{one.shown(self.now)}.", one.places)

    def note_age(self, readings: Sequence[Reading]) -> None:
        """Add that values are old, or that newer ones lie outside the set."""
        oldest = min(readings, key=lambda one: one.row.effective_sort)
        if self.now - oldest.row.effective_sort > self.formula.warn:
            day = display_date(oldest.row.effective)
            self.sheet.limit(f"Calculated from values as old as {day}; it says nothing about today.", oldest.places)

    def note_later(self, chosen: OneSet) -> None:
        """Add the newer values that are not in the set."""
        for one in chosen.later:
            self.sheet.limit(f"Newer and not in this set: {one.shown(self.now)}.", one.places)

    def age_on(self, day: date, *, shown: bool = True) -> int | ScoreAnswer:
        """Return the age in whole years on a day, with a line where `shown`, or the refusal."""
        ages = self.person.ages(day)
        if len(ages) == 1:
            if shown:
                self.sheet.line(f"Age {ages[0]} on {display_date(day.isoformat())}.", self.person.cites("birthDate"))
            return ages[0]
        why = "birth date incomplete" if ages else "birth date not recorded"
        return self.refuse("missing", f"{why}, age needed", self.person.cites("birthDate") if ages else ())

    def sex(self) -> str | ScoreAnswer:
        """Return "male" or "female", with its line, or the refusal."""
        if self.person.sex:
            self.sheet.line(f"Sex {self.person.sex}.", self.person.cites("gender"))
            return self.person.sex
        return self.refuse("missing", "sex recorded as neither male nor female; the formula has a value for these only")

    def unsuitable(self, *, youngest: int, pregnant: bool, on: datetime) -> ScoreAnswer | None:
        """Return the refusal for a patient the formula was not made for: dead, too young, pregnant."""
        if self.person.deceased:
            return self.refuse("not-applicable", "the patient is recorded as deceased", self.person.cites())
        ages = self.person.ages(on.date())
        if ages and ages[0] < youngest:
            why = f"not for patients under {youngest}; age {ages[-1]} on {display_date(on.date().isoformat())}"
            return self.refuse("not-applicable", why, self.person.cites("birthDate"))
        expecting = pregnancy(self.facts, self.person, on=on) if pregnant else ()
        if expecting:
            for fact in expecting:
                self.sheet.line(f"Recorded: {fact.row.text}.", ((fact, fact.row.anchor),))
            return self.refuse("not-applicable", "not valid in pregnancy, which is recorded")
        return None

    def _missing(self, chosen: OneSet, what: str) -> str:
        if chosen.newest is None:
            return f"no {what} recorded as numbers in a known unit: {', '.join(map(name_of, chosen.missing))}"
        names = [name_of(key) for key in chosen.missing]
        said = []
        for key, name in zip(chosen.missing, names, strict=True):
            last = self.held.numbers(key)
            said.append(f"{name} ({_last(last[0])})" if last else f"{name} (not recorded)")
        return f"missing from the newest set of {what}: {', '.join(said)}"

    def _unusable(self, keys: Sequence[str]) -> None:
        for key in keys:
            for one in self.held.unusable(key)[:1]:
                day = display_date(one.fact.row.effective, with_time=True)
                self.sheet.line(f"Not used: {name_of(key)} {one.why}, {day}.", ((one.fact, one.fact.row.anchor),))


def name_of(key: str) -> str:
    """Return the name of an input in words."""
    known = measurements().get(key)
    if known is None:
        return key.replace("-", " ")
    return known.name if known.name.isupper() else known.name.lower()


def _last(one: Reading) -> str:
    untimed = "" if timed(one.row) else ", without a time of day"
    return f"last {spoken(one.row)}{untimed}"
