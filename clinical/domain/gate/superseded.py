"""A sentence set against typed facts: what a later or corrected record says otherwise is not shown without it.

Dates are compared as ISO 8601 text, day by day, as recorded; a passage without a date counts as older than any fact.
Statuses are those of FHIR R4 (value sets medicationrequest-status, condition-clinical, condition-ver-status,
allergyintolerance-clinical, allergyintolerance-verification, observation-status).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import Kind, concepts
from clinical.domain.lexicon.words import tokens
from clinical.domain.projection.rows import AllergyRow, ConditionRow, MedicationRow, ObservationRow
from clinical.domain.quantity import find_quantities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.gate.mention import Figure, Mention
    from clinical.domain.gate.reading import Reading

_ACTIVE: Final = frozenset({"active", "draft", "intended", "in-progress", "unknown", ""})
_WRONG: Final = frozenset({"refuted", "entered-in-error"})
_GONE: Final = frozenset({"resolved", "inactive", "remission"})
_CORRECTED: Final = frozenset({"corrected", "amended"})
_NOT_NOW: Final = frozenset(
    {"stopped", "past", "history", "planned", "order", "negated", "unclear", "uncertain", "hypothetical", "allergy"}
    | {"intolerance", "avoid", "not-started", "not-continued", "finished"}
)
_LATEST: Final = frozenset({"latest", "current", "currently", "now", "today", "recent", "recently", "last", "present"})
_PRESENT: Final = frozenset({"is", "are", "remains", "runs", "stands"})
_KINDS: Final = {
    MedicationRow: (Kind.DRUG,),
    AllergyRow: (Kind.DRUG, Kind.CONDITION),
    ConditionRow: (Kind.CONDITION,),
    ObservationRow: (Kind.TEST, Kind.VITAL),
}


class Facts:
    """The typed facts of one patient by what they are about, found when first asked for."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self._by_key: dict[str, list[tuple[Fact, bool]]] | None = None

    def against(self, claim: Reading, *, written: str, resource: str) -> Fact | None:
        """Return the newest fact that says otherwise than a sentence, None where none does.

        `written` is the ISO date of the passage the sentence rests on ("" unknown), `resource` its "Type/id", whose
        own facts are never set against it.
        """
        if not self._facts:
            return None
        found: list[Fact] = []
        for mention in claim.mentions:
            if not mention.clinical or any(one.startswith("family") for one in mention.attributes):
                continue
            denied = "negated" in mention.attributes  # "no diabetes" denies every kind of it
            known = [
                fact
                for fact, exact in self._index().get(mention.key, ())
                if fact.resource != resource and (exact or denied)
            ]
            for rule in _RULES:
                found += rule(mention, claim, written[:10], known)
        if "allergy" in claim.keys and _says_none(claim):
            found += _allergies(self._facts, written[:10])
        return max(found, key=lambda one: one.row.effective_sort, default=None)

    def _index(self) -> dict[str, list[tuple[Fact, bool]]]:
        """Return the facts by the keys of what they are about and of what that is a kind of, and whether exactly."""
        if self._by_key is None:
            self._by_key = {}
            for fact in self._facts:
                kinds = next((kinds for row, kinds in _KINDS.items() if isinstance(fact.row, row)), ())
                texts = (fact.row.text, *fact.row.names) if kinds else ()
                exact = {key for text in texts for kind, key in _named(text) if kind in kinds}
                for key in exact | {wider for one in exact for wider in concepts()[one].wider}:
                    self._by_key.setdefault(key, []).append((fact, key in exact))
        return self._by_key


@lru_cache(maxsize=8192)
def _named(text: str) -> tuple[tuple[Kind, str], ...]:
    """Return the kind and key of what a row's name names."""
    return tuple((one.concept.kind, one.concept.id) for one in find_concepts(tokens(text), loose=True))


def _medication(mention: Mention, claim: Reading, written: str, known: list[Fact]) -> Iterable[Fact]:
    """On it, says the sentence; stopped, or on another dose, says a later order."""
    rows = [(one, one.row) for one in known if isinstance(one.row, MedicationRow)]
    if mention.kind is not Kind.DRUG or mention.attributes & _NOT_NOW or not rows or not _is_now(claim):
        return []
    active = [(fact, row) for fact, row in rows if row.status in _ACTIVE and not row.do_not_perform]
    if not active:
        ended = [row.end[:10] for _, row in rows]
        return [] if written and all(ended) and max(ended) <= written else [_newest(fact for fact, _ in rows)]
    said = [one.quantity for one in claim.figures if one.heads & mention.keys and one.quantity.unit]
    newer = [(fact, row) for fact, row in active if not written or row.effective[:10] > written]
    if len(said) != 1 or not newer:
        return []
    fact, row = max(newer, key=lambda pair: pair[1].effective_sort)
    doses = [one for one in find_quantities(f"{row.dose} {row.dosage} {row.text}") if one.unit == said[0].unit]
    return [fact] if doses and all(one.value != said[0].value for one in doses) else []


def _observation(mention: Mention, claim: Reading, written: str, known: list[Fact]) -> Iterable[Fact]:
    """Told as the latest value, and there is a later one; or a value that was corrected or entered in error."""
    figures = [one for one in claim.figures if mention.key in one.heads]
    rows = [(one, one.row) for one in known if isinstance(one.row, ObservationRow) and one.row.value.number]
    if mention.kind not in {Kind.TEST, Kind.VITAL} or not figures or not rows:
        return []
    same = [(fact, row) for fact, row in rows if _has_value(row, figures)]
    if same and all(row.status in _WRONG or row.status == "cancelled" for _, row in same):
        return [_newest(fact for fact, _ in same)]
    day = written or "0000"
    put_right = [
        fact
        for fact, row in rows
        if row.status in _CORRECTED and written and row.effective[:10] == written and not _has_value(row, figures)
    ]
    if put_right or claim.dates or not (_LATEST & {word.low for word in claim.words} or _is_now(claim)):
        return put_right
    later = [fact for fact, row in rows if row.effective[:10] > day and row.status not in _WRONG]
    newest = _newest(later) if later else None
    if newest is None or not isinstance(newest.row, ObservationRow) or _has_value(newest.row, figures):
        return []
    return [newest]


def _condition(mention: Mention, claim: Reading, written: str, known: list[Fact]) -> Iterable[Fact]:
    """An active problem that a later entry calls resolved or refuted, or one denied that was diagnosed later."""
    rows = [(one, one.row) for one in known if isinstance(one.row, ConditionRow)]
    if mention.kind is not Kind.CONDITION or not rows or "allergy" in mention.attributes:
        return []
    standing = [(fact, row) for fact, row in rows if row.verification not in _WRONG]
    if "negated" in mention.attributes:
        active = [
            fact for fact, row in standing if row.clinical not in _GONE and row.effective[:10] > (written or "9999")
        ]
        return active[:1]
    if not standing:
        return [_newest(fact for fact, _ in rows)]
    if mention.attributes & _NOT_NOW or not _is_now(claim) or any(row.clinical not in _GONE for _, row in standing):
        return []
    return [
        fact
        for fact, row in standing
        if not written or max(row.abated[:10], row.effective[:10]) > written or not row.abated
    ][:1]


def _allergy(mention: Mention, claim: Reading, written: str, known: list[Fact]) -> Iterable[Fact]:
    """An allergy that the record refutes, or no longer calls active."""
    del claim
    rows = [(one, one.row) for one in known if isinstance(one.row, AllergyRow)]
    if not mention.attributes & {"allergy", "intolerance"} or "negated" in mention.attributes or not rows:
        return []
    standing = [
        row for _, row in rows if row.verification not in _WRONG and not row.negated and row.clinical not in _GONE
    ]
    if standing:
        return []
    newest = _newest(fact for fact, _ in rows)
    return (
        [newest]
        if not written
        or newest.row.effective[:10] >= written
        or newest.row.status in _WRONG
        or any(row.verification in _WRONG for _, row in rows)
        else []
    )


def _allergies(facts: Sequence[Fact], written: str) -> list[Fact]:
    """Return what speaks against "no known allergies": a standing allergy recorded since."""
    return [
        fact
        for fact in facts
        if isinstance(fact.row, AllergyRow)
        and not fact.row.negated
        and fact.row.verification not in _WRONG
        and fact.row.clinical not in _GONE
        and fact.row.effective[:10] > written
    ]


def _says_none(claim: Reading) -> bool:
    return any(one.key == "allergy" and "negated" in one.attributes for one in claim.mentions)


def _is_now(claim: Reading) -> bool:
    """Return whether the sentence tells of the present: no date, and no verb of the past alone."""
    if claim.dates:
        return False
    lows = {word.low for word in claim.words}
    return "past" not in claim.tenses or bool(lows & _LATEST) or bool(lows & _PRESENT)


def _has_value(row: ObservationRow, figures: Iterable[Figure]) -> bool:
    held = find_quantities(f"{row.value.number} {row.value.unit}")
    return any(one.quantity.value == two.value for one in figures for two in held)


def _newest(facts: Iterable[Fact]) -> Fact:
    return max(facts, key=lambda one: one.row.effective_sort)


_RULES: Final[tuple[Callable[[Mention, Reading, str, list[Fact]], Iterable[Fact]], ...]] = (
    _medication,
    _observation,
    _condition,
    _allergy,
)
