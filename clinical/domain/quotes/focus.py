"""The things a question is about, each with every way in which a record may name it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import Kind, concepts, word_list
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.kin import PhraseRow, kin_of, phrases_for, weighty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading

_ASIDE = frozenset({"after", "before", "during", "following", "since", "while", "despite", "made", "makes", "when"})
_ASIDE_REACH = 3  # words between "after" and the circumstance
_JOINED = frozenset({",", "and", "or", "/", "the", "a", "any", "her", "his"})


@dataclass(frozen=True, slots=True)
class Focus:
    """One thing asked about: any of `keys`; the noun it only qualifies ("pump" of "insulin pump") as `head`.

    `kin` are stems of words that may stand for it in an answer; `spelled` the stems of its names of several
    words, which may stand apart ("breast or ovarian cancers"). `measured`: a test or vital sign, whose result is
    only where it is named; `drug`: a medicine or a class of them;
    `aside`: only the circumstance of what is asked about ("after the operation"), which its document must name;
    `parts`: the kin of each word of a name of several, all of which may stand for it ("her back hurt").
    `listed`: named by a listed phrase, and by no concept of the lexicon.
    """

    keys: frozenset[str]
    head: frozenset[str]
    kin: frozenset[str]
    spelled: tuple[frozenset[str], ...]
    measured: bool
    drug: bool
    aside: bool = False
    parts: tuple[frozenset[str], ...] = ()
    listed: bool = False


def focus_of(
    clinical: Sequence[Mention], reading: Reading, words: frozenset[str]
) -> tuple[list[Focus], frozenset[str]]:
    """Return what a question is about, and the plain words among `words` that a listed phrase accounts for."""
    rows = phrases_for(reading.words)
    taken: set[str] = set()
    found: list[Focus] = []
    for group in _grouped(clinical, reading):
        own = {one_stem for one in group for one_stem in weighty(one.text)}
        named = [(said, row) for said, row in rows if own & said]
        wider = [(said, row) for said, row in named if said - own]
        if wider:  # "blood pressure tablets" is not about the blood pressure
            for said, row in wider:
                taken |= said
                if (one := _of_phrases(row)) not in found:
                    found.append(one)
        else:
            same = [phrase for said, row in named if said == own for phrase in row.stems]
            found.append(replace(_of_concepts(group, reading, words, same), aside=_is_aside(group, reading)))
    for said, row in rows:
        if said & taken or any(said & {token.stem for token in tokens(one.text)} for one in clinical):
            continue
        taken |= said
        found.append(_of_phrases(row))
    if all(one.aside for one in found) and not words - _accounted(reading, words, taken):
        found = [replace(one, aside=False) for one in found]
    return found, _accounted(reading, words, taken)


def _accounted(reading: Reading, words: frozenset[str], taken: set[str]) -> frozenset[str]:
    return frozenset(one.key for one in reading.mentions if one.key in words and _stems(one) <= taken)


def _is_aside(group: Sequence[Mention], reading: Reading) -> bool:
    """Whether only a circumstance is named: "after the hip operation", "that made the heart failure worse"."""
    first = max(group[0].first - _ASIDE_REACH, 0)
    before = [
        word.low for at, word in enumerate(reading.words[first : group[0].first], first) if at or word.low != "when"
    ]
    if any(one.kind is Kind.DRUG for one in group) and before[-1:] == ["on"]:
        return any(one.kind in {Kind.TEST, Kind.VITAL} for one in reading.mentions)  # "QTc on citalopram"
    return bool(_ASIDE & set(before))


def level_focus() -> Focus:
    """Return what the level of a drug in the blood is named by: taking the drug is no answer to it."""
    kin = frozenset(stem(word) for word in ("level", "levels", "concentration", "trough", "peak", "therapeutic"))
    return Focus(frozenset({"w:level"}), frozenset(), kin, (), measured=True, drug=False)


def _stems(mention: Mention) -> set[str]:
    return {token.stem for token in tokens(mention.text)}


def _grouped(clinical: Sequence[Mention], reading: Reading) -> list[list[Mention]]:
    """Things joined by "and", "or" or a comma may be answered one at a time; any other two belong together."""
    groups: list[list[Mention]] = []
    end = -1
    for mention in clinical:
        between = {word.low for word in reading.words[end : mention.first]} if groups else set()
        if groups and between and between <= _JOINED:
            groups[-1].append(mention)
        else:
            groups.append([mention])
        end = mention.last
    return groups


def _of_concepts(
    group: Sequence[Mention], reading: Reading, words: frozenset[str], phrases: list[frozenset[str]]
) -> Focus:
    keys = frozenset(one.key for one in group)
    measured = any(one.kind in {Kind.TEST, Kind.VITAL} for one in group)
    kin = frozenset().union(*(_kin(one) for one in group))
    if all(one.kind is Kind.CONDITION for one in group):
        phrases = [*phrases, *(weighty(one.text) for one in group)]  # "joint pain in both knees" for "knee pain"
    named = [name for key in keys if (concept := concepts().get(key)) for name in concept.names if " " in name]
    return Focus(
        keys,
        frozenset() if measured else _head(group[-1], reading, words),  # of "CT chest" the chest is the place
        frozenset() if measured else kin,  # no other word stands for a test
        (*(frozenset(token.stem for token in tokens(name)) for name in named), *phrases),
        measured,
        any(one.kind is Kind.DRUG for one in group),
        parts=_parts(group) if not measured else (),
    )


def _kin(mention: Mention) -> frozenset[str]:
    """Return the kin of a name of one word, or of words that are each other's kin ("drink alcohol").

    Of "blood in the urine" no word stands for the whole.
    """
    words = mention.text.lower().split()
    stems = {stem(word) for word in words}
    telling = [word for word in words if len(words) == 1 or kin_of(word) & (stems - {stem(word)})]
    return frozenset().union(*(kin_of(word) - {stem(word)} for word in telling))


def _parts(group: Sequence[Mention]) -> tuple[frozenset[str], ...]:
    words = group[0].text.lower().split() if len(group) == 1 else []
    telling = [word for word in words if weighty(word)]
    return tuple(kin_of(word) for word in telling) if len(telling) > 1 else ()


def _of_phrases(row: PhraseRow) -> Focus:
    """Return the focus of a listed phrase: its other phrases, and the concepts that one of them names whole."""
    whole = [
        found[0].concept
        for phrase in row.phrases
        if len(found := find_concepts(words := tokens(phrase))) == 1 and found[0].last - found[0].first == len(words)
    ]
    if row.measured:  # the load of a virus is not the disease
        whole = [one for one in whole if one.kind in {Kind.TEST, Kind.VITAL}]
    keys = frozenset({f"phrase:{row.phrases[0]}", *(one.id for one in whole)})
    drug = any(one.kind is Kind.DRUG for one in whole)
    return Focus(keys, frozenset(), frozenset(), row.stems, measured=row.measured, drug=drug, listed=True)


@cache
def _general_heads() -> frozenset[str]:
    """Return words that never stand for the name before them: any screening is no coeliac screen."""
    return frozenset(map(stem, word_list("general_heads")))


def _head(mention: Mention, reading: Reading, words: frozenset[str]) -> frozenset[str]:
    """Return the plain word right after a name, which the name then only qualifies: "pump" of "insulin pump"."""
    return frozenset(
        one.key
        for one in reading.mentions
        if one.first == mention.last
        and one.key in words
        and not one.text.endswith("ed")
        and stem(one.text.lower()) not in _general_heads()
    )
