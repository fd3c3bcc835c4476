"""A finding named with its place in one word group or in two: "breast cancer", "carcinoma of the right breast"."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import spoken_of
from clinical.domain.gate.mention import Mention
from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import Kind, concepts, word_list
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from clinical.domain.gate.source import Window

_SITES = word_list("sites")
_DISEASES = {"covid-vaccine": "covid-19", "varicella-vaccine": "chickenpox"}


@cache
def _parts() -> dict[str, tuple[str, str]]:
    """Return each finding whose name says where it is: its id to the place and the finding."""
    found: dict[str, tuple[str, str]] = {}
    for concept in concepts().values():
        if concept.kind is not Kind.CONDITION:
            continue
        for name in concept.names:
            pair = _split(name)
            if pair is not None and concept.id not in pair:
                found.setdefault(concept.id, pair)
    for vaccine in concepts().values():
        disease = _DISEASES.get(vaccine.id, vaccine.id.removesuffix("-vaccine"))
        if vaccine.kind is Kind.VACCINE and disease != vaccine.id and disease in concepts():
            found[vaccine.id] = (disease, "vaccine")
    return found


@cache
def _places() -> frozenset[str]:
    return frozenset(place for place, _ in _parts().values())


def _split(name: str) -> tuple[str, str] | None:
    words = tokens(name)
    for cut in range(1, len(words)):
        sides = [_only(name[words[0].start : words[cut - 1].end]), _only(name[words[cut].start :])]
        if sides[0] in _SITES and sides[1] in concepts() and concepts()[sides[1]].kind is Kind.CONDITION:
            return (sides[0], sides[1])
    return None


def _only(text: str) -> str:
    """Return the key of what a text names, "" if that is not one thing."""
    words = tokens(text)
    found = find_concepts(words)
    if len(found) == 1 and (found[0].first, found[0].last) == (0, len(words)):
        return found[0].concept.id
    return f"w:{words[0].stem}" if len(words) == 1 and not found else ""


def in_the_words_of(mentions: tuple[Mention, ...], window: Window) -> tuple[Mention, ...]:
    """Return the mentions of a sentence with places and findings put together, or apart, as the window has them."""
    result: list[Mention] = []
    for one in mentions:
        pair = _parts().get(one.key)
        if (
            pair is None
            or _held(one, window)
            or not all(any(key in two.keys for two in window.mentions) for key in pair)
        ):
            result.append(one)
            continue
        result += [
            Mention(key, concept.wider if (concept := concepts().get(key)) else frozenset({key}),
                    concept.kind if concept else Kind.WORD, one.first, one.last, one.segment, one.attributes, one.text)
            for key in pair
        ]  # fmt: skip
    return tuple(_joined(result, window))


def _joined(mentions: list[Mention], window: Window) -> list[Mention]:
    for place in [one for one in mentions if one.key in _places() and not _held(one, window)]:
        for finding in [one for one in mentions if one.kind in {Kind.CONDITION, Kind.VACCINE} and one is not place]:
            whole = next(
                (
                    two.key
                    for two in window.mentions
                    if _parts().get(two.key, ("", ""))[0] == place.key and finding.key in _wider(two.key)
                ),
                None,
            )
            if whole is not None:
                mentions = [one for one in mentions if one is not place and one is not finding]
                mentions.append(replace(finding, key=whole, keys=concepts()[whole].wider))
                break
    return mentions


def _wider(key: str) -> frozenset[str]:
    finding = _parts()[key][1]
    concept = concepts().get(finding)
    return concept.wider if concept else frozenset({finding})


def _held(mention: Mention, window: Window) -> bool:
    return spoken_of(mention, window)
