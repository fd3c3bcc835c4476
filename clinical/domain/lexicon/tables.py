"""The tables as values, read once from the data files beside this module."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from clinical.domain.lexicon.words import stem


class Kind(StrEnum):
    """What a concept is."""

    DRUG = "drug"
    TEST = "test"
    VITAL = "vital"
    VACCINE = "vaccine"
    CONDITION = "condition"
    WORD = "word"


CLINICAL = frozenset({Kind.DRUG, Kind.TEST, Kind.VITAL, Kind.VACCINE, Kind.CONDITION})
CONCEPT_FILES = ("drugs", "tests", "vitals", "vaccines", "conditions", "words", "wording")


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning: `names` are its spellings, `wider` the ids of what it is a kind of, itself included."""

    id: str
    kind: Kind
    names: tuple[str, ...]
    wider: frozenset[str]


@dataclass(frozen=True, slots=True)
class CuePhrase:
    """Words that give an attribute to what stands before or after them, or (`none`) to nothing."""

    words: tuple[str, ...]
    attribute: str
    direction: str


def table(name: str) -> dict[str, Any]:
    """Return one data file; each has at least `source` and `status`."""
    text = files("clinical.domain.lexicon").joinpath(f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def concepts() -> dict[str, Concept]:
    """Return every concept by id. Ids of plain words are prefixed `word:`."""
    rows: dict[str, tuple[Kind, list[str], list[str]]] = {}
    for name in CONCEPT_FILES:
        loaded = table(name)
        kind = Kind(loaded["kind"])
        prefix = "word:" if kind is Kind.WORD else ""
        for row in loaded["rows"]:
            rows[prefix + row["id"]] = (kind, row["names"], row.get("isa", []))

    def wider(key: str) -> set[str]:
        found = {key}
        for parent in rows[key][2]:
            found |= wider(parent)
        return found

    return {key: Concept(key, kind, tuple(names), frozenset(wider(key))) for key, (kind, names, _) in rows.items()}


@cache
def name_words() -> frozenset[str]:
    """Return every word of a concept's name, lower case: such a word is no slip of another."""
    return frozenset(word for one in concepts().values() for name in one.names for word in name.lower().split())


@cache
def word_list(name: str) -> frozenset[str]:
    """Return one of the named lists of words that the readers of text go by."""
    return frozenset(table("word_lists")["lists"][name].split())


@cache
def light_words() -> frozenset[str]:
    """Return words that state nothing by themselves, lower case."""
    return frozenset(word for row in table("light")["rows"] for word in row.split())


@cache
def light_stems() -> frozenset[str]:
    """Return the stems of the light words, so that every form of them is light."""
    return frozenset(stem(word) for word in light_words())


@cache
def soft_keys() -> frozenset[str]:
    """Return the keys of words that change no statement where the evidence lacks them."""
    loaded = table("soft")
    words = {f"w:{stem(word)}" for row in loaded["rows"] for word in row.split()}
    return frozenset(words | {f"word:{name}" for name in loaded["concepts"]})


@cache
def alike() -> frozenset[tuple[str, str]]:
    """Return pairs of concept ids, both ways round, of which either bears out the other."""
    pairs = {(one, two) for one, two in table("alike")["rows"]}
    return frozenset(pairs | {(two, one) for one, two in pairs})


@cache
def rivals() -> dict[str, frozenset[str]]:
    """Return the stems that each stem excludes ("before": "after")."""
    found: dict[str, frozenset[str]] = {}
    for row in table("contrasts")["rows"]:
        stems = frozenset(stem(word) for word in row.split())
        for one in stems:
            found[one] = found.get(one, frozenset()) | stems - {one}
    return found


@cache
def general_keys() -> frozenset[str]:
    """Return the keys of common English words, of which a sentence may have one or two that the evidence lacks."""
    return frozenset(f"w:{stem(word)}" for row in table("soft")["general"] for word in row.split()) - soft_keys()


@cache
def cue_phrases() -> tuple[CuePhrase, ...]:
    """Return every scope cue."""
    return tuple(
        CuePhrase(tuple(phrase.split()), row["attribute"], row["direction"])
        for row in table("cues")["scopes"]
        for phrase in row["phrases"]
    )


@cache
def family_words() -> dict[str, str]:
    """Return relatives and other persons: word, lower case, to who it is."""
    return {word: who for who, words in table("cues")["family"].items() for word in words}


@cache
def section_titles() -> dict[str, str]:
    """Return section titles, lower case, to the attribute that everything under them has."""
    return {title: row["attribute"] for row in table("cues")["sections"] for title in row["titles"]}


@cache
def negated_names() -> dict[str, str]:
    """Return single words that state the absence of a concept (afebrile): word to concept id."""
    loaded: dict[str, str] = table("cues")["negated_names"]
    return loaded


@cache
def unit_names() -> dict[str, str]:
    """Return every spelling of a unit to its UCUM code; spellings of two letters or more in lower case too."""
    names: dict[str, str] = {}
    for row in table("units")["rows"]:
        for name in row["names"]:
            names.setdefault(name.replace("-", " "), row["ucum"])
    for name, code in list(names.items()):
        if len(name) > 1:
            names.setdefault(name.lower(), code)
    return names


@cache
def number_words() -> dict[str, int]:
    """Return the numbers that are written as words."""
    loaded: dict[str, int] = table("word_lists")["numbers"]
    return loaded
