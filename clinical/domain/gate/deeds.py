"""Done, planned, advised, stopped or past: what the sentence says was done, the evidence says so too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.lexicon.tables import Kind, word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading

HABITS: Final = frozenset({"smoker", "alcohol", "drug-use"})
OVER: Final = frozenset({"past", "stopped"})
_CHANGES: Final = frozenset({"started", "increased", "decreased"})  # a switch is told by its word, and has its own rule
_MEASURED: Final = frozenset({Kind.TEST, Kind.VITAL})
_RESOLVED: Final = frozenset({"word:resolve", "word:settle"})
_OPERATIONS: Final = tuple(word_list("operations"))
_STEPS: Final = frozenset({"word:schedule", "word:order", "word:refer", "word:recommend", "word:discuss"})
_MAY: Final = frozenset({"may", "can", "should", "must"})
_DONE: Final = word_list("told_done")
_ADVISED: Final = frozenset(stem(word) for word in word_list("advised"))
_NOT_SAID_DONE: Final = frozenset(
    {"planned", "order", "hypothetical", "uncertain", "negated", "stopped", "avoid", "allergy", "intolerance"}
)


def time_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Done, planned, stopped or past in both; an instruction bears out the plan, never the deed."""
    mine, theirs = _over(claim), _over(source)
    if claim.key in HABITS:
        return _habit_agrees(mine, theirs)
    return (
        _stop_agrees(mine, theirs, said)
        and _was_done(claim, theirs, said)
        and _plan_agrees(claim, mine, theirs, said)
        and _change_agrees(claim, mine, theirs)
        and (claim.kind in _MEASURED or _past_agrees(mine, theirs, said))
    )


def _over(mention: Mention) -> frozenset[str]:
    """Return the attributes; a course of medicine that was finished is no longer taken."""
    if mention.kind is Kind.DRUG and "finished" in mention.attributes:
        return mention.attributes | {"stopped"}
    return mention.attributes


def _habit_agrees(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """An ex-smoker is one who stopped; one advised to stop has not."""
    if "planned" in theirs and "stopped" in mine and "planned" not in mine:
        return False
    return "history" in mine or "negated" in mine or bool(mine & OVER) == bool(theirs & OVER)


def _stop_agrees(mine: frozenset[str], theirs: frozenset[str], said: Reading) -> bool:
    begun = "started" in mine & theirs or "word:order" in said.keys
    if ("stopped" in mine) != ("stopped" in theirs) and not (begun and "stopped" not in mine):
        return False
    return ("not-stopped" in mine) == ("not-stopped" in theirs)


def _was_done(claim: Mention, theirs: frozenset[str], said: Reading) -> bool:
    """Return False where the sentence tells as done, or as taken, what the evidence only orders or intends.

    An order is no proof of intake or of a test having been done; "start apixaban" bears out that it was started.
    """
    if not theirs & {"order", "planned"} or claim.attributes & (_NOT_SAID_DONE | _CHANGES):
        return True
    if theirs & {"planned-too", "continued"}:
        return True
    return not is_deed(claim) or not told_as_fact(said)


def is_deed(mention: Mention) -> bool:
    """Return whether this is something done, as a drug, a test or an operation is, and no finding."""
    if mention.kind is not Kind.CONDITION:
        return True
    return mention.key.endswith(_OPERATIONS) or any(word in _OPERATIONS for word in mention.key.split("-"))


def told_as_fact(said: Reading) -> bool:
    """Return whether the sentence says that something is or was so, not only that it is advised or ordered."""
    if any(word.stem in _ADVISED for word in said.words):
        return False
    return bool(said.tenses) or any(word.low in _DONE for word in said.words)


def _plan_agrees(claim: Mention, mine: frozenset[str], theirs: frozenset[str], said: Reading) -> bool:
    ordered = "order" in theirs and "planned" not in theirs
    if ordered and theirs & _CHANGES and not mine & ({"planned"} | _CHANGES):
        return False
    if claim.kind is Kind.DRUG and "planned" not in theirs and any(word.low == "ordered" for word in said.words):
        mine -= {"planned"}  # an order of a medicine is told as such
    if claim.key in _STEPS and "planned" in mine:
        return True  # "is to be arranged" says no more than "is being arranged"
    if ("planned" in mine) == ("planned" in theirs) or ordered or "negated" in mine & theirs:
        return True
    advised = "planned" in theirs and bool(_MAY & {word.low for word in said.words}) and not told_as_fact(said)
    return advised or _plan_or_not(mine, theirs)


def _plan_or_not(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Return whether it makes no difference that one of the two speaks of a plan."""
    both = mine & theirs & {"uncertain", "hypothetical", "avoid", "continued"}  # "an MRI is planned for possible gout"
    return bool(both) or "planned-too" in mine | theirs or ("order" in mine and "planned" in theirs)


def _change_agrees(claim: Mention, mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """What was started, raised or lowered was so in both; of what is measured the change is told by its word."""
    if not (mine - theirs) & _CHANGES or claim.kind is Kind.CONDITION:
        return True
    to_begin = "planned" in mine and bool(theirs & {"planned", "order"})  # "is to be started": "montelukast 5 mg"
    return to_begin or (claim.kind in _MEASURED and not theirs & _CHANGES)


def _past_agrees(mine: frozenset[str], theirs: frozenset[str], said: Reading) -> bool:
    if _RESOLVED & said.keys or "negated" in mine & theirs:
        return True  # that it is over is told by the word, which is checked itself
    if "past" in mine:
        return bool(theirs & {"past", "history", "stopped"})
    return "past" not in theirs or "past" in said.tenses
