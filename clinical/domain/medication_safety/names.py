"""Which active ingredients a medicine's name means, as real records and people write it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.naming import words as folded_words
from clinical.domain.lexicon.spelling import distance
from clinical.domain.medication_safety import tables
from clinical.domain.medication_safety.phrases import Phrases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clinical.domain.provenance import Trust

_TOKEN: Final = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|[/+&;,%\[\]|]")
# The maker, as the United Kingdom's dictionary of medicines appends it: "(Galen Ltd)".
_MAKER: Final = re.compile(r"\([^()]*\b(?:ltd|limited|plc|inc|gmbh|pharma\w*|laboratories)\b[^()]*\)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d")
_SEPARATORS: Final = frozenset(["/", "+", "&", ";", ",", "and", "with", "|"])
_MISSPELT: Final = 6  # letters from which one slip is mended
MASS: Final = {
    "mg": Decimal(1), "mgs": Decimal(1), "milligram": Decimal(1), "milligrams": Decimal(1),
    "g": Decimal(1000), "gm": Decimal(1000), "gram": Decimal(1000), "grams": Decimal(1000),
    "mcg": Decimal("0.001"), "ug": Decimal("0.001"), "mcgs": Decimal("0.001"),
    "microgram": Decimal("0.001"), "micrograms": Decimal("0.001"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strength:
    """Milligrams of one ingredient in one unit of the product: "" a piece (tablet), or "ml", "actuat", "hr"."""

    ingredient: str
    milligrams: Decimal
    per: str


@dataclass(frozen=True, slots=True)
class Drug:
    """What a name was read as, by the rows in force.

    `unknown` are parts of the name that no row knows: what they are was not checked. `classes` are classes
    that are named instead of a medicine ("an NSAID"); `read_as` are misspellings (written, read as).
    """

    ingredients: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()
    strengths: tuple[Strength, ...] = ()

    @property
    def is_known(self) -> bool:
        """Return whether every part of the name was read as an ingredient of the table."""
        return bool(self.ingredients) and not self.unknown


@dataclass(slots=True)
class _Part:
    """What stands between two separators of a name."""

    ingredients: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    numbers: list[tuple[Decimal, str, str]] = field(default_factory=list)


class NameIndex:
    """Names of ingredients, brands, combination products and classes, by their comparable words."""

    def __init__(self, trust: Trust) -> None:
        self.names: Phrases[tuple[str, ...]] = Phrases()
        self.class_terms: Phrases[str] = Phrases()
        self.rxnorm: dict[str, str] = {}
        for row in tables.in_force(tables.INGREDIENTS, trust):
            held = row.content
            for name in (row.id, *held.get("names", ()), *held.get("brands", ())):
                self.names.add(tokens_of(name), (row.id,))
            if "rxnorm" in held:
                self.rxnorm[held["rxnorm"]] = row.id
        for row in tables.in_force(tables.PRODUCTS, trust):
            for name in row.content["names"]:
                self.names.add(tokens_of(name), tuple(row.content["ingredients"]))
        for row in tables.in_force(tables.CLASSES, trust):
            for term in row.content.get("terms", ()):
                self.class_terms.add(tokens_of(term), row.id)
        self._shortened = _shortened(name[0] for name in self.names if len(name) == 1)

    def nearest(self, word: str) -> str:
        """Return the one name that `word` misspells by a single letter or a swap, or ""."""
        if len(word) < _MISSPELT or not word.isalpha():
            return ""
        near = {name for short in _shorter(word) for name in self._shortened.get(short, ())}
        found = [name for name in near if name[0] == word[0] and distance(name, word, 1) == 1]
        meant = {self.names[(name,)] for name in found}
        return min(found) if len(meant) == 1 else ""


def _shortened(words: Iterable[str]) -> dict[str, set[str]]:
    """Return each long word under all its forms with one letter less, to find neighbours without comparing all."""
    found: dict[str, set[str]] = {}
    for word in words:
        if len(word) >= _MISSPELT:
            for short in _shorter(word):
                found.setdefault(short, set()).add(word)
    return found


def _shorter(word: str) -> Iterator[str]:
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))


@lru_cache(maxsize=4)
def index_of(trust: Trust) -> NameIndex:
    """Return the names that may be used here; built once for each state of the approvals."""
    return NameIndex(trust)


def tokens_of(text: str) -> tuple[str, ...]:
    """Return comparable tokens: lower case, spelling folded, numbers apart from letters, hyphens gone."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").lower()
    return tuple(map(_folded, _TOKEN.findall(plain)))


@lru_cache(maxsize=32768)
def _folded(token: str) -> str:
    return " ".join(folded_words(token)) if token[0].isalpha() else token


@lru_cache(maxsize=16384)
def identify(name: str, trust: Trust) -> Drug:
    """Return the ingredients that a medicine's or allergen's name means.

    Salts, strengths and forms are left out; a combination gives every ingredient; a brand in square
    brackets adds to what stands before it. One letter may be wrong. What is left over is `unknown`.
    """
    outside, brands = _brackets(_MAKER.sub(" ", name) if "(" in name else name)
    found = _read(tokens_of(outside), index_of(trust))
    for brand in brands:
        inside = _read(tokens_of(brand), index_of(trust))
        if not found.is_known or inside.is_known:
            found = _joined(found, inside)
    return found


def _brackets(name: str) -> tuple[str, list[str]]:
    if "[" not in name:
        return name, []
    brands = re.findall(r"\[([^\]]*)\]", name)
    outside = re.sub(r"\[[^\]]*\]", " ", name)
    return (outside, brands) if outside.strip() else (name.replace("[", " ").replace("]", " "), [])


def _joined(left: Drug, right: Drug) -> Drug:
    return Drug(
        tuple(dict.fromkeys(left.ingredients + right.ingredients)),
        left.unknown if right.is_known and left.ingredients else left.unknown + right.unknown,
        tuple(dict.fromkeys(left.classes + right.classes)),
        left.read_as + right.read_as,
        left.strengths or right.strengths,
    )


def _read(tokens: Sequence[str], index: NameIndex) -> Drug:
    parts, read_as = [_Part()], []
    place = 0
    while place < len(tokens):
        part, token = parts[-1], tokens[place]
        if match := index.names.longest(tokens, place):
            part.ingredients.extend(index.names[match])
            place += len(match)
            continue
        if match := index.class_terms.longest(tokens, place):
            part.classes.append(index.class_terms[match])
            place += len(match)
            continue
        place += 1
        if token in _SEPARATORS:
            parts.append(_Part())
        elif _NUMBER.match(token):
            place = _number(tokens, place, part)
        elif _names_nothing(token, part):
            continue
        elif near := index.nearest(token):
            read_as.append((token, near))
            part.ingredients.extend(index.names[(near,)])
        else:
            part.left.append(token)
    return _drug(parts, tuple(read_as))


def _names_nothing(token: str, part: _Part) -> bool:
    """Return whether a word says no more about the substance; a salt's name only after one."""
    if token in _not_names() or len(token) == 1:
        return True
    return token in tables.words("salts") and bool(part.ingredients)


@cache
def _not_names() -> frozenset[str]:
    return tables.words("fillers") | tables.words("units")


def _number(tokens: Sequence[str], place: int, part: _Part) -> int:
    """Note a strength ("250 mg", "20 mg / ml") of the part; return the place after it."""
    if place >= len(tokens) or tokens[place] not in MASS:
        return place
    amount, unit, per = decimal(tokens[place - 1]), tokens[place], ""
    place += 1
    if place + 1 < len(tokens) and tokens[place] == "/":
        after = place + 2 if _NUMBER.match(tokens[place + 1]) and place + 2 < len(tokens) else place + 1
        if tokens[after] in tables.words("units") and tokens[after] not in MASS:
            per = _per(tokens[after])
            if after == place + 2:  # "5 mg/5 mL" is 1 mg/mL
                amount /= decimal(tokens[place + 1]) or 1
            place = after + 1
    part.numbers.append((amount, unit, per))
    return place


def _per(unit: str) -> str:
    if unit.startswith(("ml", "milli")):
        return "ml"
    if unit.startswith(("actuat", "puff", "dose", "spray")):
        return "actuat"
    return "hr" if unit in ("h", "hr", "hour", "hours") else unit


def decimal(digits: str) -> Decimal:
    """Return the number; a comma before exactly three digits separates thousands, else decimals; 0 for "1.2.3"."""
    try:
        return Decimal(re.sub(r",(?=\d{3}\b)", "", digits).replace(",", "."))
    except InvalidOperation:
        return Decimal(0)


def _drug(parts: Sequence[_Part], read_as: tuple[tuple[str, str], ...]) -> Drug:
    strengths = tuple(
        Strength(part.ingredients[0], part.numbers[0][0] * MASS[part.numbers[0][1]], part.numbers[0][2])
        for part in parts
        if len(part.ingredients) == 1 and part.numbers
    )
    return Drug(
        tuple(dict.fromkeys([one for part in parts for one in part.ingredients])),
        tuple([" ".join(part.left) for part in parts if part.left]),
        tuple(dict.fromkeys([one for part in parts for one in part.classes])),
        read_as,
        strengths,
    )
