"""Medicines by what they are for: the record's own reason first, then what a kind of medicine is commonly given for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from clinical.domain.facts.medications import active_medications, past_medications, reasons_of
from clinical.domain.facts.naming import drug_words, plain
from clinical.domain.facts.statements import same_names
from clinical.domain.facts.tables import problems
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import concepts
from clinical.domain.lexicon.words import tokens
from clinical.domain.projection.rows import MedicationRow
from clinical.domain.quotes.indications import indicated_by
from clinical.domain.route.intents import Act, CodeAnswer
from clinical.domain.route.sentences import amount, answered, in_words, listed, not_found, statement, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import Intent


def answer_medicines_for(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """List medicines in force whose recorded reason is the problem asked about, then those commonly given for it.

    The second list says what it is: a kind of medicine, not the reason of this order. With a time asked about, orders
    of that time; where only medicines that ended fit, they are shown as such.
    """
    active, past = active_medications(facts, today=today), past_medications(facts, today=today)
    if intent.window is not None:
        active, past = within([*active, *past], intent.window, today), []
    for found, lead in ((active, ""), (past, "Not in force: ")):
        recorded = [fact for fact in found if _is_reason(fact, intent.target, facts)]
        usual = [fact for fact in found if fact not in recorded and _is_usual(fact, intent.target)]
        if not recorded and not usual:
            continue
        head = []
        if Act.COUNT in intent.acts:
            head = [statement(f"{amount(len(recorded) + len(usual), 'medications')} found.", [*recorded, *usual])]
        kind = f"{lead}Of a kind commonly given for {intent.said.removeprefix('medications for ')}: "
        return answered([*head, *listed(recorded, "medications", lead=lead), *listed(usual, "medications", lead=kind)])
    return not_found(in_words(intent))


def _is_reason(fact: Fact, problem: str, facts: Sequence[Fact]) -> bool:
    row = fact.row
    referred = [name for why in reasons_of(fact, facts) for name in why.row.names]
    told = [row.reason, *referred] if isinstance(row, MedicationRow) else referred
    said = {word for text in told for word in plain(text).split()}
    return any(set(name.split()) <= said for name in same_names(problem, problems()))


def _is_usual(fact: Fact, problem: str) -> bool:
    row = fact.row
    if not isinstance(row, MedicationRow):
        return False
    wanted = _ids(same_names(problem, problems()))
    names = (word for name in (*row.names, *row.ingredients) for word in drug_words(name))
    return bool(indicated_by(_ids(names)) & wanted)


def _ids(names: Iterable[str]) -> frozenset[str]:
    return _ids_of(tuple(sorted(set(names))))


@lru_cache(maxsize=4096)
def _ids_of(names: tuple[str, ...]) -> frozenset[str]:
    """Return the lexicon's ids of these names; never called with words of a note."""
    known = concepts()
    return frozenset(
        one.concept.id for name in names for one in find_concepts(tokens(name), loose=True) if one.concept.id in known
    )
