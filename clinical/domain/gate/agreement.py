"""Whether one mention in the evidence says what a mention in the sentence says: small rules of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind, alike, word_list
from clinical.domain.lexicon.words import stem

if TYPE_CHECKING:
    from collections.abc import Callable

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading

_SUFFIXES = word_list("suffixes")
_SHARED = 5
_HABITS = frozenset({"smoker", "alcohol", "drug-use"})
_OVER = frozenset({"past", "stopped"})
_ACTIONS = ("started", "increased", "decreased")  # a switch is told by its word, and its direction by a rule
_LEVELS = frozenset({"word:high", "word:low"})
_RESOLVED = frozenset({"word:resolve", "word:settle"})
_ADVISED = frozenset(
    stem(word) for word in ("recommend", "order", "prescribe", "refer", "schedule", "advise", "request", "arrange",
                            "suggest", "list", "offer", "book", "plan", "issue", "outstanding", "pending", "await")
)  # fmt: skip
_DONE = frozenset(
    "takes taking took uses using used receives received underwent showed shows revealed done performed completed "
    "obtained given administered".split()
)
_NEGATION = frozenset({"negated", "unclear", "not-started", "not-increased", "not-decreased", "not-continued"})


def same_thing(claim: Mention, source: Mention) -> bool:
    """Return whether the source's mention is the claim's, or a kind of it ("diuretic" for furosemide)."""
    if claim.key == source.key or (claim.key, source.key) in alike():
        return True
    if source.key in _LEVELS and source.key in claim.keys:
        return True  # "ALT was raised": high, or risen
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
    if "means" in claim.attributes | source.attributes:
        return True  # "no effusion on ultrasound" does not deny the ultrasound
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
    if "means" in claim.attributes | source.attributes:
        return True
    if "attributed" in source.attributes:  # "attributed to" bears out "due to" and "thought to be due to"
        return "hypothetical" not in claim.attributes
    return claim.attributes & kinds == source.attributes & kinds


def relation_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """An allergen, something not tolerated, or something to avoid, in both or in neither."""
    kinds = {"allergy", "intolerance", "avoid"}
    if claim.kind is not Kind.DRUG and claim.key != "word:medication":
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


def _was_done(claim: Mention, theirs: frozenset[str], said: Reading) -> bool:
    """Return False where the sentence tells as done, or as taken, what the evidence only orders or intends.

    An instruction is no proof of intake or of a test having been done; "start apixaban" bears out that it was started.
    """
    if not theirs & {"order", "planned"} or claim.attributes & {"planned", "order", "hypothetical", "uncertain"}:
        return True
    if claim.attributes & {"negated", "stopped", "avoid", "allergy", "intolerance", *_ACTIONS}:
        return True
    if theirs & {"planned-too", "continued"}:
        return True
    if claim.kind is Kind.CONDITION or not _told_as_fact(said):
        return True
    return False


def _told_as_fact(said: Reading) -> bool:
    """Return whether the sentence says that something is or was so, not only that it is advised or ordered."""
    if any(word.stem in _ADVISED for word in said.words):
        return False
    return bool(said.tenses) or any(word.low in _DONE for word in said.words)


def _over(mention: Mention) -> frozenset[str]:
    """Return the attributes; a course of medicine that was finished is no longer taken."""
    if mention.kind is Kind.DRUG and "finished" in mention.attributes:
        return mention.attributes | {"stopped"}
    return mention.attributes


def time_agrees(claim: Mention, source: Mention, said: Reading) -> bool:
    """Done, planned, stopped or past in both; an instruction bears out both plan and deed."""
    mine, theirs = _over(claim), _over(source)
    measured = claim.kind in {Kind.TEST, Kind.VITAL}
    begins = claim.kind is Kind.CONDITION  # "asthma started in 2007" is its onset, told by its word
    if claim.key in _HABITS:  # an ex-smoker is one who stopped
        return "history" in mine or "negated" in mine or bool(mine & _OVER) == bool(theirs & _OVER)
    begun = "started" in mine & theirs or "word:order" in said.keys
    if ("stopped" in mine) != ("stopped" in theirs) and not (begun and "stopped" not in mine):
        return False
    if ("not-stopped" in mine) != ("not-stopped" in theirs):
        return False
    if not _was_done(claim, theirs, said):
        return False
    ordered = "order" in theirs and "planned" not in theirs
    if ("planned" in mine) != ("planned" in theirs) and not ordered and not _plan_or_not(mine, theirs):
        return False
    if ordered and theirs & {"started", "increased", "decreased"} and not mine & {"planned", *_ACTIONS}:
        return False
    told = theirs & frozenset(_ACTIONS)
    if any(action in mine and action not in theirs for action in _ACTIONS) and (told or not measured) and not begins:
        return False
    if measured:
        return True  # a former value is told by its number
    if _RESOLVED & said.keys or "negated" in mine & theirs:
        return True  # that it is over is told by the word, which is checked itself
    if "past" in mine:
        return bool(theirs & {"past", "history", "stopped"})
    return "past" not in theirs or "past" in said.tenses


AGREEMENTS: tuple[tuple[Reason, Callable[[Mention, Mention, Reading], bool], bool], ...] = (
    # reason, rule, and whether it is asked of plain words too or only of clinical mentions
    (Reason.SUBJECT_DIFFERS, subject_agrees, True),
    (Reason.NEGATION_DIFFERS, negation_agrees, True),
    (Reason.RELATION_DIFFERS, relation_agrees, True),
    (Reason.CERTAINTY_DIFFERS, certainty_agrees, False),
    (Reason.TIME_DIFFERS, time_agrees, False),
)
