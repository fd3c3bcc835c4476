"""Which medicines a question asks about as something to give, and whether it asks about safety at all."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.naming import plain
from clinical.domain.lexicon.tables import Kind, concepts, light_words
from clinical.domain.medication_safety.names import index_of, tokens_of
from clinical.domain.projection.rows import PatientRow
from clinical.domain.route.table import common_words, fillers, grammar, pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.medication_safety.names import NameIndex
    from clinical.domain.provenance import Trust

_TO_ME: Final = re.compile(r"\b(?:can|could|would|will)\s+(?:you|u)\s+(?:please\s+)?(?:\w+\s+){0,2}(?:me|us)?\b")
_GIVING: Final = (
    r"give|giving|given|have|having|take|taking|start|starting|started|use|using|prescribe|prescribing|prescribed|add|"
    r"adding|added|try|trying|switch|switching|get|getting|receive|receiving|tolerate|be on|go on|put on|swap|swapping|"
    r"increase|increasing|restart|restarting|combine|combining|recommend|order|ordering"
)
_ALLOWED: Final = (
    r"ok|okay|safe|safely|fine|alright|all right|appropriate|suitable|allowed|advisable|permitted|indicated|"
    r"contraindicat\w+|dangerous|risky|problem|problems|issue|issues|concern|concerns|harm|harmful"
)
_MODAL: Final = re.compile(
    rf"\b(?:can|could|may|might|should|shall|would|must|able to|thinking of|thinking about|want to|planning to|"
    rf"plan to)\b.*\b(?:{_GIVING})\b|\b(?:{_ALLOWED})\b.*\b(?:{_GIVING})\b"
)
_JUDGED: Final = re.compile(
    rf"\b(?:is|are|would|will)\b.*\b(?:{_ALLOWED})\b|\b(?:{_ALLOWED})\b.*\b(?:with|if|for|to)\b|"
    rf"\binteract\w*\b|\bclash\w*\b|\bwhat (?:if|about)\b|\bhow about\b"
)
_STARTING: Final = re.compile(
    r"^\s*(?:start|starting|add|adding|giving|give|prescribe|prescribing|switch to|switching to)\b"
)
_KEEPING: Final = re.compile(
    r"\b(?:continu\w*|carry on|stay(?:ing)? on|keep(?:ing)?|stop\w*|hold|withhold\w*|wean\w*)\b"
)
_LOOKED_UP: Final = re.compile(r"^\s*(?:so\s+|and\s+)?(?:why|when|which|who|where|since|how (?:long|often|many))\b")
_SAFETY: Final = re.compile(
    r"\binteract\w*\b|\bcontra-?indicat\w*\b|\bduplicat\w*\b|\bmedication (?:review|safety|check|reconciliation)\b|"
    r"\bdrug (?:review|check)\b|\bover-?dos\w*\b|\bmaximum dose\b|\bdose too (?:high|much)\b|\btoo high a dose\b|"
    r"\bsafe with\b|\bunsafe\b|\bprescrib(?:e|ing)\b"
)
_OBJECT: Final = re.compile(
    rf"\b(?:{_GIVING}|about|interact with|mix with)\s+(?:to\s+)?(?:(?:her|him|them|me|the|a|an|some|any|this|that|"
    rf"patient|more|oral|iv|po|regular|new|also|with|to|on|it|low|high|dose|of|mr|mrs|ms)\s+)*(?P<word>[^\W\d_][\w-]{{3,}})"
)
_SUBJECT: Final = re.compile(
    rf"\b(?:is|are|would|will)\s+(?:oral\s+|iv\s+)?(?P<word>[^\W\d_][\w-]{{3,}})\s+(?:be\s+)?(?:{_ALLOWED})\b"
)


def asks_about_safety(question: str) -> bool:
    """Return whether interactions, contraindications, duplication or prescribing are asked about as such."""
    return bool(_SAFETY.search(plain(question)))


def asked_medicines(question: str, facts: Sequence[Fact], *, trust: Trust) -> tuple[str, ...]:
    """Return the medicines and classes that may be given, as the question names them; none for a look-up.

    "Can I give her ibuprofen?", "is amoxicillin ok?", "any problem with adding clarithromycin?". A word in
    the place of a medicine that no table knows is returned too, so that it is said to be not checked.
    """
    text = _TO_ME.sub(" ", plain(question))
    if _LOOKED_UP.search(text) or _KEEPING.search(text):
        return ()
    if not (_MODAL.search(text) or _JUDGED.search(text) or _STARTING.search(text)):
        return ()
    own = {
        word
        for fact in facts
        if isinstance(fact.row, PatientRow)
        for name in fact.row.names
        for word in tokens_of(name)
    }
    named = _named(tokens_of(text), own, index_of(trust))
    if named:
        return tuple(dict.fromkeys(named))
    found = [match["word"] for pattern in (_OBJECT, _SUBJECT) for match in pattern.finditer(text)]
    return tuple(dict.fromkeys(word for word in found if word not in own and not _is_plain(word)))


def _named(tokens: Sequence[str], own: set[str], index: NameIndex) -> list[str]:
    found = []
    place = 0
    while place < len(tokens):
        match = index.names.longest(tokens, place) or index.class_terms.longest(tokens, place)
        if match and not set(match) <= own:
            found.append(" ".join(match))
        elif not match and tokens[place] not in own and not _is_plain(tokens[place]):
            near = index.nearest(tokens[place])
            found += [tokens[place]] if near else []
        place += max(1, len(match))
    return found


def _is_plain(word: str) -> bool:
    """Return whether a word is ordinary English or names something else than a medicine."""
    bare = word.removesuffix("'s").removesuffix("s")
    if any(one in _plain_words() for one in (word, bare)):
        return True
    groups = ("acts", "topics", "lists")
    return any(pattern(group, name).fullmatch(word) for group in groups for name in grammar()[group])


@cache
def _plain_words() -> frozenset[str]:
    other = {
        part
        for concept in concepts().values()
        if concept.kind is not Kind.DRUG
        for name in concept.names
        for part in plain(name).split()
    }
    return frozenset(fillers() | common_words() | light_words() | other)
