"""Entries of the record that name what a question asks about, by word, synonym, listed phrase or code.

The last look before "not documented": an entry that a look-up by name passed over must not be called missing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.projection.rows import (
    IN_ERROR,
    AllergyRow,
    ConditionRow,
    FamilyRow,
    ImmunizationRow,
    MedicationRow,
    ObservationRow,
    PlanRow,
    ProcedureRow,
    ReportRow,
)
from clinical.domain.quotes.coded import concepts_coded, is_known
from clinical.domain.quotes.documents import days_asked
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.kin import kin_of, meets
from clinical.domain.quotes.question import read_question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.projection.rows import Row
    from clinical.domain.quotes.focus import Focus
    from clinical.domain.quotes.question import Question

# An entry says that, when and how much; it gives no reason, manner or quality.
_TOLD_BY_ENTRIES = frozenset({Intent.DATE, Intent.DURATION, Intent.RESULT, Intent.DRUG, Intent.STATED, Intent.AMOUNT})
_ASKED_ABOUT = (
    AllergyRow, ConditionRow, FamilyRow, ImmunizationRow, MedicationRow, ObservationRow, PlanRow, ProcedureRow,
    ReportRow,
)  # fmt: skip
_MEDICINES = re.compile(r"\b(?:tablets?|meds?|medications?|medicines?|pills?|drugs?|injections?)\b", re.IGNORECASE)
_URINE = "urine-"


def rows_asked(question: str, facts: Sequence[Fact], *, today: date, judged: bool) -> list[Fact]:
    """Return the facts that name what the question asks about, newest first.

    Args:
        question: as the clinician typed it.
        facts: of one patient, those the grant lets be read.
        today: the day of the question, for "last two years".
        judged: a look-up by name was tried; what it could have found by the question's own words is left to it.
    """
    asked = read_question(question)
    if asked.actions or not asked.intents <= _TOLD_BY_ENTRIES or not (asked.focus or asked.words):
        return []
    days = days_asked(question, today)
    found = [
        fact
        for fact in facts
        if isinstance(fact.row, _ASKED_ABOUT)
        and fact.row.status != IN_ERROR
        and _of_kind(asked, fact.row)
        and (days is None or days.hold(fact.row.effective))
        and _named(asked, fact.row, judged=judged)
    ]
    return sorted(found, key=lambda fact: (fact.row.effective_sort, fact.resource), reverse=True)


def nameless(facts: Sequence[Fact]) -> int:
    """Return how many entries carry only codes that no table here knows: no question can find them by a name."""
    return sum(
        isinstance(fact.row, _ASKED_ABOUT)
        and fact.row.status != IN_ERROR
        and not any(one.strip() for one in _words_of(fact.row) if one not in _bare(fact.row))
        and bool(fact.row.codes)
        and not is_known(fact.row.codes)
        for fact in facts
    )


def _bare(row: Row) -> frozenset[str]:
    """Return the codes alone: they stand for a text where the record gives none."""
    return frozenset(one.rpartition("|")[2] for one in row.codes) | frozenset(row.codes)


def _of_kind(asked: Question, row: Row) -> bool:
    """Whether an entry of this kind may answer: an allergy to a drug does not tell that it is taken."""
    if asked.of_family or isinstance(row, FamilyRow):
        return asked.of_family and isinstance(row, FamilyRow)
    if asked.of_allergy or isinstance(row, AllergyRow):
        return asked.of_allergy and isinstance(row, AllergyRow)
    if (isinstance(row, PlanRow) and asked.intents) or (isinstance(row, ObservationRow) and _asks_medicines(asked)):
        return False
    if Intent.AMOUNT in asked.intents or Intent.RESULT in asked.intents:
        return isinstance(row, ObservationRow | ReportRow) or (isinstance(row, MedicationRow) and bool(row.dosage))
    if isinstance(row, ObservationRow) and row.sample == "urine":
        return any(key.startswith(_URINE) for key in asked.reading.keys) or "urine" in asked.reading.text.lower()
    return True


def _asks_medicines(asked: Question) -> bool:
    """Whether "BP tablets" are asked about, and not the blood pressure."""
    return bool(_MEDICINES.search(asked.reading.text))


def _named(asked: Question, row: Row, *, judged: bool) -> bool:
    names = [one for one in _words_of(row) if one.strip()]
    stems = frozenset(word for name in names for word in _stems(name))
    keys = frozenset(key for name in names for key in _keys(name)) | concepts_coded(row.codes)
    main = [one for one in asked.focus if not one.aside and "allergy" not in one.keys]
    if not all(_names_focus(one, keys, stems) for one in main):
        return False
    wanted = [one for one in asked.reading.mentions if one.key in asked.words]
    if not main and not wanted:
        return False
    if not all(_kin(one.text) & stems or meets(_kin(one.text), stems) for one in wanted):
        return False
    # What only places it in time ("before the operation") stands in no entry's name: the look-up has judged that too.
    own = frozenset(key for one in main for key in one.keys)
    told = [one for one in asked.reading.mentions if one.clinical and one.keys & own]
    return not (judged and main and all(_stems(one.text) <= stems for one in told))


def _names_focus(focus: Focus, keys: frozenset[str], stems: frozenset[str]) -> bool:
    return bool(focus.keys & keys) or any(name <= stems for name in focus.spelled)


def _kin(text: str) -> frozenset[str]:
    return frozenset().union(*(kin_of(word) for word in text.lower().split()))


def _words_of(row: Row) -> tuple[str, ...]:
    more: tuple[str, ...] = ()
    if isinstance(row, MedicationRow):
        more = row.ingredients
    elif isinstance(row, ConditionRow | ProcedureRow):
        more = (row.body_site,)
    elif isinstance(row, PlanRow):
        more = row.activities
    elif isinstance(row, ObservationRow):
        more = tuple(name for part in row.components for name in part.names)
    return (*row.names, row.text, *more)


@lru_cache(maxsize=16384)
def _keys(name: str) -> frozenset[str]:
    return read(name, loose=True).keys


@lru_cache(maxsize=16384)
def _stems(name: str) -> frozenset[str]:
    return frozenset(stem(token.low) for token in tokens(name) if token.is_word)
