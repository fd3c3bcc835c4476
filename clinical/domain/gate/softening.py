"""Words of a sentence that the evidence may lack: general words whose absence changes no clinical statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.agreement import spoken_of
from clinical.domain.gate.binding import QUALITIES
from clinical.domain.gate.compounds import in_the_words_of
from clinical.domain.gate.mention import TIMES
from clinical.domain.lexicon.tables import Kind, general_keys, rivals, soft_keys, word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_MOST: Final = 4
_MOST_GENERAL: Final = 2
_FEWEST: Final = 2  # statements that must be left where a general word is passed over
_NEAR: Final = 4
_MANY: Final = 3  # things that must be borne out where one word is passed over
_SPECIMENS: Final = word_list("specimens_named")
_CLINICAL: Final = tuple(word_list("clinical_endings"))
_ALWAYS: Final = frozenset(f"word:{name}" for name in word_list("always_weighed")) | QUALITIES | word_list("sites")
_ONSET: Final = frozenset({"word:start", "word:onset"})
_VERBS: Final = word_list("auxiliaries") | word_list("past_verbs") | word_list("told_done")
_HARD_VERBS: Final = word_list("hard_verbs")


def relaxed(claim: Reading, window: Window) -> Reading:
    """Return the claim in the window's way of naming things, without the soft words that the window lacks.

    They are left out only while more is left than they are: a sentence must be borne out by what it says.
    """
    mentions = in_the_words_of(claim.mentions, window)
    if mentions != claim.mentions:
        claim = replace(claim, mentions=mentions, keys=frozenset(key for one in mentions for key in one.keys))
    absent = [one for one in claim.mentions if not _held(one, window)]
    if not absent:
        return claim
    missing = [one for one in absent if one.key in soft_keys() or is_said_by(one, claim, window)]
    general = [
        one
        for one in absent
        if one not in missing
        and (one.key in general_keys() or _is_adverb(one, claim))
        and claim.words[one.first].stem not in window.stems
    ]
    if len(general) <= _MOST_GENERAL and not any(_is_cause(one, claim) for one in general):
        missing += general
    missing += _a_few_words(claim, window, [one for one in absent if one not in missing])
    if not missing:
        return claim
    stated = len(claim.mentions) - len(missing) + len(claim.figures) + len(claim.dates)
    if len(missing) > _MOST or not stated or (general and general[0] in missing and stated < _FEWEST):
        return claim
    if _says_nothing(claim, missing):
        return claim
    gone = {one.key for one in missing}
    kept = tuple(one for one in claim.mentions if one not in missing)
    return replace(
        claim,
        mentions=kept,
        figures=tuple(
            replace(one, heads=one.heads - gone, wider=one.wider - gone) if one.heads & gone else one
            for one in claim.figures
        ),
        keys=frozenset(key for one in kept for key in one.keys),
    )


def _says_nothing(claim: Reading, missing: list[Mention]) -> bool:
    """Return whether all that the predicate says would be passed over: "the X-ray showed a satisfactory position"."""
    verb = next((at for at, word in enumerate(claim.words) if at and word.low in _VERBS), None)
    if verb is None:
        return False
    said = [one for one in claim.mentions if one.first > verb]
    valued = any(one.place > verb for one in claim.figures) or any(one.place > verb for one in claim.dates)
    return len(said) > 1 and all(one in missing for one in said) and not valued


def _a_few_words(claim: Reading, window: Window, left: list[Mention]) -> list[Mention]:
    """Return a plain word or two that the evidence says otherwise or leaves out, where all else is borne out.

    They are none that is weighed always: a side, place, amount, time, role, way of giving, change or clinical name.
    """
    borne = len(claim.mentions) + len(claim.figures) + len(claim.dates) - len(left)
    if not left or borne < _MANY or len(left) > (borne - 1) // 2:
        return []
    return [] if any(_is_weighed(one, claim, window) or _is_cause(one, claim) for one in left) else left


def _is_weighed(mention: Mention, claim: Reading, window: Window) -> bool:
    word = claim.words[mention.first]
    return (
        mention.kind is not Kind.WORD
        or mention.key in _ALWAYS
        or word.low in _SPECIMENS
        or word.low.rstrip("s").endswith(_CLINICAL)
        or word.low in _HARD_VERBS
        or word.text != word.low
        or not word.low.isalpha()
        or word.stem in window.stems
        or bool(mention.attributes)
        or (mention.first > 0 and claim.words[mention.first - 1].low.endswith("ing"))  # "playing basketball"
    )


def is_said_by(mention: Mention, claim: Reading, window: Window) -> bool:
    """Return whether a verb only says that something took place, or is to begin, as the evidence's own form does."""
    if mention.key == "word:improve":  # both values are checked, whichever way is better
        return {"from", "to"} <= {one.role for one in claim.figures}
    if mention.key == "word:need":
        return mention.text.lower() in {"needed", "required"}
    if mention.key in _ONSET and not any(one.kind is Kind.DRUG for one in claim.mentions):
        return bool(claim.dates) or any(one.quantity.unit in TIMES for one in claim.figures)  # "began 4 days ago"
    ordered = any(one.kind is Kind.DRUG and one.attributes & {"order", "planned"} for one in window.mentions)
    return mention.key == "word:start" and "planned" in mention.attributes and ordered


def _is_adverb(mention: Mention, claim: Reading) -> bool:
    """Return whether a word in no table is an adverb: "promptly". A verb is never passed over: it may be the deed."""
    low = claim.words[mention.first].low
    one_word = mention.key.startswith("w:") and mention.last - mention.first == 1
    plain = low.isalpha() and low == claim.words[mention.first].text and low not in _HARD_VERBS
    return one_word and plain and low.endswith("ly")


def _is_cause(mention: Mention, claim: Reading) -> bool:
    """Return whether a word is part of who did it or why: "by the ...", "because of ..."."""
    if any(one.key == "word:cause" and 0 <= mention.first - one.last < _NEAR for one in claim.mentions):
        return True
    before = claim.words[max(mention.first - 2, 0) : mention.first]
    return any(word.low in {"by", "for"} for word in before)


def _held(mention: Mention, window: Window) -> bool:
    """Return whether the evidence speaks of it, or does so beside this statement, or speaks of what excludes it."""
    if spoken_of(mention, window):
        return True
    if mention.clinical:
        return False
    word = stem(mention.key.removeprefix("w:").removeprefix("word:"))
    return (
        (word in window.stems and not any(one.stem == word for reading in window.readings for one in reading.words))
        or (mention.key in window.denied and not mention.attributes)
        or bool(rivals().get(word, frozenset()) & window.stems)
    )
