"""Whether one mention in the evidence says what a mention in the sentence says: small rules of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.binding import QUALITIES, SIDES
from clinical.domain.gate.deeds import HABITS, OVER, time_agrees
from clinical.domain.gate.synonyms import partners, say_the_same
from clinical.domain.gate.verdict import Reason
from clinical.domain.gate.wordings import wordings
from clinical.domain.lexicon.tables import Kind, word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from collections.abc import Callable

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_NEVER = QUALITIES | SIDES | frozenset(f"word:{name}" for name in word_list("always_weighed"))
_SUFFIXES = word_list("suffixes")
_SHARED = 5
_GIVES = frozenset({"giv", "mak", "bring", "caus", "produc"})
_LEVELS = frozenset({"word:high", "word:low"})
_NEGATION = frozenset({"negated", "unclear", "not-started", "not-increased", "not-decreased", "not-continued"})


def same_thing(claim: Mention, source: Mention) -> bool:
    """Return whether the source's mention is the claim's, or a kind of it ("diuretic" for furosemide)."""
    if claim.key == source.key or say_the_same(claim.key, source.key):
        return True
    if source.key in _LEVELS and source.key in claim.keys:
        return True  # "ALT was raised": high, or risen
    if claim.key in source.keys:
        return "negated" not in claim.attributes
    if source.key in claim.keys:
        return "negated" in claim.attributes and "negated" in source.attributes
    if claim.key.startswith("w:") and source.key.startswith("w:") and _same_family(claim.key[2:], source.key[2:]):
        return True
    return worded_alike(claim) and worded_alike(source) and stem(source.text.lower()) in _alike(claim)


def worded_alike(mention: Mention) -> bool:
    """Return whether a dictionary's synonym may stand for it: a plain word, of no side, degree, time or change."""
    return mention.kind is Kind.WORD and mention.key not in _NEVER and mention.text.isalpha()


def _alike(mention: Mention) -> frozenset[str]:
    return wordings().get(stem(mention.text.lower()), frozenset())


def spoken_of(claim: Mention, window: Window) -> bool:
    """Return whether any mention of a window is the claim's, or a kind of it."""
    if claim.key in window.exact:
        return True
    if claim.key.startswith("w:"):
        near = any(one.startswith(claim.key[: _ROOT + 2]) for one in window.prefixes) or claim.key in partners()
    else:
        near = claim.key in window.keys or bool(claim.keys & window.exact) or claim.key in partners()
    near = near or (worded_alike(claim) and not _alike(claim).isdisjoint(window.stems))
    return near and any(same_thing(claim, source) for source in window.mentions)


_LATIN = tuple(
    frozenset(pair) for pair in (
        ("us", "al"), ("um", "al"), ("a", "al"), ("is", "al"), ("t", "sion"), ("d", "sion"), ("us", "i"), ("um", "a"),
        ("is", "ic"), ("a", "ic"), ("on", "al"), ("ex", "ical"), ("yx", "yngeal"), ("us", "ular"), ("e", "ular"),
    )
)  # fmt: skip
_ROOT = 4


def _same_family(one: str, two: str) -> bool:
    shared = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        shared += 1
    if shared >= _ROOT and frozenset({one[shared:], two[shared:]}) in _LATIN:
        return True  # caecum and caecal, convert and conversion
    return shared >= _SHARED and {one[shared:], two[shared:]} <= _SUFFIXES | {""}


def negation_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Present or absent in both; one who stopped smoking does not smoke now."""
    if "means" in claim.attributes | source.attributes:
        return True  # "no effusion on ultrasound" does not deny the ultrasound
    if claim.key in HABITS and "negated" in claim.attributes and source.attributes & OVER:
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
    if "means" in claim.attributes | source.attributes:
        return True
    if "attributed" in source.attributes:  # "attributed to" bears out "due to" and "thought to be due to"
        return "hypothetical" not in claim.attributes
    mine, theirs = claim.attributes & kinds, source.attributes & kinds
    return mine == theirs or bool("hypothetical" in mine and mine < theirs)  # "to look for", "to assess for possible"


def relation_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """An allergen, something not tolerated, or something to avoid, in both or in neither."""
    kinds = {"allergy", "intolerance", "avoid"}
    if claim.kind is not Kind.DRUG and claim.key != "word:medication":
        return True
    theirs = source.attributes & kinds
    told = "word:cause" in said.keys or any(word.stem in _GIVES for word in said.words)
    if told and not claim.attributes & kinds and any(one.kind is Kind.CONDITION for one in said.mentions):
        return "avoid" not in theirs  # what it caused is told, as an allergy tells it
    if "intolerance" in theirs:
        theirs -= {"allergy"}  # listed among the allergies, but said not to be one
    return claim.attributes & kinds == theirs


AGREEMENTS: tuple[tuple[Reason, Callable[[Mention, Mention, Reading], bool], bool], ...] = (
    # reason, rule, and whether it is asked of plain words too or only of clinical mentions
    (Reason.SUBJECT_DIFFERS, subject_agrees, False),
    (Reason.NEGATION_DIFFERS, negation_agrees, True),
    (Reason.RELATION_DIFFERS, relation_agrees, True),
    (Reason.CERTAINTY_DIFFERS, certainty_agrees, False),
    (Reason.TIME_DIFFERS, time_agrees, False),
)
