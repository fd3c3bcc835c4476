"""Whether one mention in the evidence says what a mention in the sentence says: small rules of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, word_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading

_SUFFIXES = word_list("suffixes")
_SHARED = 5
_HABITS = frozenset({"smoker", "alcohol", "drug-use"})
_OVER = frozenset({"past", "stopped"})
_ACTIONS = ("started", "increased", "decreased", "changed")
_NEGATION = frozenset({"negated", "unclear", "not-started", "not-increased", "not-decreased", "not-continued"})


def same_thing(claim: Mention, source: Mention) -> bool:
    """Return whether the source's mention is the claim's, or a kind of it ("diuretic" for furosemide)."""
    if claim.key == source.key:
        return True
    if claim.key in source.keys:
        return "negated" not in claim.attributes
    if source.key in claim.keys:
        return "negated" in claim.attributes and "negated" in source.attributes
    return claim.key.startswith("w:") and source.key.startswith("w:") and _same_family(claim.key[2:], source.key[2:])


def _same_family(one: str, two: str) -> bool:
    shared = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        shared += 1
    return shared >= _SHARED and {one[shared:], two[shared:]} <= _SUFFIXES | {""}


def negation_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Present or absent in both; one who stopped smoking does not smoke now."""
    if claim.key in _HABITS and "negated" in claim.attributes and source.attributes & _OVER:
        return not any(word.low == "never" for word in said.words)
    return claim.attributes & _NEGATION == source.attributes & _NEGATION


def subject_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """About the patient in both, or about the same relative; "family history" may stand for any relative."""
    del said
    mine = {one for one in claim.attributes if one.startswith("family:")}
    theirs = {one for one in source.attributes if one.startswith("family:")}
    if not mine or not theirs:
        return mine == theirs
    return mine <= theirs | {"family:any"}


def certainty_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Definite, possible or conditional in both."""
    del said
    kinds = {"uncertain", "hypothetical"}
    return claim.attributes & kinds == source.attributes & kinds


def relation_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """An allergen, something not tolerated, or something to avoid, in both or in neither."""
    kinds = {"allergy", "intolerance", "avoid"}
    if claim.kind is not Kind.DRUG:
        return True
    theirs = source.attributes & kinds
    if "word:cause" in said.keys and not claim.attributes & kinds:
        return "avoid" not in theirs  # what it caused is told, as an allergy tells it
    if "intolerance" in theirs:
        theirs -= {"allergy"}  # listed among the allergies, but said not to be one
    return claim.attributes & kinds == theirs


def _plan_or_not(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Return whether it makes no difference that one of the two speaks of a plan."""
    return (
        bool(
            mine & theirs & {"uncertain", "hypothetical", "avoid", "continued"}
        )  # "an MRI is planned for possible gout"
        or "planned-too" in mine | theirs
        or ("order" in mine and "planned" in theirs)
    )


def time_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Done, planned, stopped or past in both; an instruction bears out both plan and deed."""
    mine, theirs = claim.attributes, source.attributes
    if claim.key in _HABITS:  # an ex-smoker is one who stopped
        return "history" in mine or "negated" in mine or bool(mine & _OVER) == bool(theirs & _OVER)
    begun = "started" in mine & theirs or "word:order" in said.keys
    if ("stopped" in mine) != ("stopped" in theirs) and not (begun and "stopped" not in mine):
        return False
    if ("not-stopped" in mine) != ("not-stopped" in theirs):
        return False
    ordered = "order" in theirs and "planned" not in theirs
    if ("planned" in mine) != ("planned" in theirs) and not ordered and not _plan_or_not(mine, theirs):
        return False
    if ordered and theirs & {"started", "increased", "decreased"} and not mine & {"planned", *_ACTIONS}:
        return False
    if any(action in mine and action not in theirs for action in _ACTIONS):
        return False
    if claim.kind in {Kind.TEST, Kind.VITAL}:
        return True  # a former value is told by its number
    if "past" in mine:
        return bool(theirs & {"past", "history", "stopped"})
    return "past" not in theirs or "past" in said.tenses


AGREEMENTS: tuple[tuple[Reason, Callable[[Mention, Mention, Reading], bool], bool], ...] = (
    # reason, rule, and whether it is asked of plain words too or only of clinical mentions
    (Reason.SUBJECT_DIFFERS, subject_agrees, True),
    (Reason.NEGATION_DIFFERS, negation_agrees, True),
    (Reason.RELATION_DIFFERS, relation_agrees, False),
    (Reason.CERTAINTY_DIFFERS, certainty_agrees, False),
    (Reason.TIME_DIFFERS, time_agrees, False),
)
