"""What belongs to what within a sentence: a side or a quality to its thing, a value to its date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind, light_words, word_list

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading

SIDES = frozenset({"word:left", "word:right", "word:bilateral"})
QUALITIES = SIDES | frozenset(f"word:{name}" for name in word_list("qualities"))
_NOTHING = frozenset({"nothing"})
_FAMILIES = tuple(
    frozenset(f"word:{name}" for name in names)
    for names in (
        ("improve", "worse", "stable"), ("increase", "decrease"), ("high", "low", "normal", "abnormal"),
        ("positive", "negative"), ("mild", "moderate", "severe"), ("acute", "chronic"), ("large", "small"),
    )
)  # fmt: skip
_NEAR = 2
_SITES = word_list("sites")


def attached(quality: Mention, reading: Reading) -> frozenset[str]:
    """Return the keys of all that this quality may be said of, lists included."""
    keys = frozenset().union(*groups(quality, reading, sided=quality.key in SIDES))
    if not keys and quality.first and reading.words[quality.first - 1].low in {"none", "no", "nil", "not"}:
        return _NOTHING  # "retinopathy of the right eye, none left"
    if quality.key in SIDES:  # "16 mmHg right and 27 mmHg left"
        keys |= {key for one in reading.figures if one.segment == quality.segment for key in one.heads}
    if not keys and quality.key in SIDES:  # "normal on the right"
        keys = frozenset(_companions(quality, reading))
    return keys | {wider for one in reading.mentions if one.key in keys for wider in one.keys}


def groups(quality: Mention, reading: Reading, *, sided: bool, own: bool = False) -> list[frozenset[str]]:
    """Return key sets, each of which something that has this quality must meet; none when it stands alone.

    `own` leaves out what is only listed beside it: "chronic sinusitis, obesity" does not say chronic obesity.
    """
    things = [one for one in reading.mentions if one.key not in QUALITIES]
    same = [one for one in things if one.segment == quality.segment]
    if not sided and not any(one.clinical for one in same):  # "drinks alcohol and was advised to cut down"
        earlier = [one for one in things if one.clinical and one.segment < quality.segment]
        same += [one for one in earlier if one.segment == earlier[-1].segment]
    if sided:
        after = [one for one in same if one.first >= quality.last][:_NEAR]
        near = after or [one for one in same if one.last <= quality.first][-_NEAR:]
        return [frozenset(one.key for one in near)] if near else []
    found = [frozenset(one.key for one in same)] if same else []
    if own and found:
        return found
    for step in (-1, 1):
        segment = quality.segment + step
        while listed := _listed(segment, things, reading):
            found += [frozenset({one.key}) for one in listed]
            segment += step
    return found


def _companions(side: Mention, reading: Reading) -> set[str]:
    """Return the qualities that stand with a side in its clause."""
    return {
        one.key
        for one in reading.mentions
        if one.key in QUALITIES and one.key not in SIDES and one.segment == side.segment
    }


def named_with(side: Mention, reading: Reading) -> frozenset[str]:
    """Return the qualities that stand with a side, which a clause without a thing names instead of it."""
    return frozenset(_companions(side, reading)) if side.key in SIDES else frozenset()


def _listed(segment: int, things: list[Mention], reading: Reading) -> list[Mention]:
    """Return the mentions of a neighbouring segment that is a bare list item, [] if it says something itself."""
    here = [one for one in things if one.segment == segment]
    if not here:
        return []
    if any(one.key in QUALITIES - SIDES and one.segment == segment for one in reading.mentions):
        return []
    if any(figure.segment == segment for figure in reading.figures) and any(one.kind is not Kind.DRUG for one in here):
        return []
    first, last = min(one.first for one in here), max(one.last for one in here)
    covered = {at for one in here for at in range(one.first, one.last)}
    between = [word.low for at, word in enumerate(reading.words[first:last], first) if at not in covered]
    return here if all(low not in light_words() for low in between) else []


def of_a_rival(quality: Mention, claim: Reading, reading: Reading) -> bool:
    """Return whether a word beside this quality stands beside another one in the evidence: "worse on stairs"."""
    for word in claim.mentions:
        if word.segment != quality.segment or word.clinical or word.key in QUALITIES or word.key in _SITES:
            continue
        places = {one.segment for one in reading.mentions if one.key == word.key}
        family = next((one for one in _FAMILIES if quality.key in one), frozenset())
        told = [{one.key for one in reading.mentions if one.key in family and one.segment == place} for place in places]
        if told and all(held and quality.key not in held for held in told):
            return any(one.key == quality.key for one in reading.mentions)
    return False
