"""Whether a question is put to the guideline library, and what it asks there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - part of a public dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.gate.reading import read
from clinical.domain.quantity import find_quantities

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention

_GUIDELINE: Final = r"(?:guidelines?|guidance|protocols?|polic(?:y|ies)|pathways?|sops?|standard operating procedures?)"
_OWN: Final = r"(?:our|the|this|local|clinic'?s?|clinic|hospital'?s?|site'?s?|house|own|current|approved)"
_ASKS: Final = re.compile(
    rf"\b(?:guidelines?)\b|\b(?:according to|per|as per|following|under|in) (?:{_OWN} )*{_GUIDELINE}\b"
    rf"|\b(?:{_OWN} )+(?:[\w-]+ ){{0,3}}?{_GUIDELINE} "
    r"(?:say|says|said|recommends?|advis\w+|state\w*|suggests?|on|for|about)\b"
    rf"|\b(?:do|have) we (?:have|got) (?:a |an |any )?(?:[\w-]+ ){{0,3}}?{_GUIDELINE}\b"
    rf"|\bwhat (?:is|are) (?:our|the local) (?:[\w-]+ ){{0,3}}?{_GUIDELINE}\b",
    re.IGNORECASE,
)
# What belongs to asking the library and not to the matter.
_FORM: Final = re.compile(
    rf"\b(?:what|which|where|when|how|does|do|did|is|are|there|have|has|we|you|got|any|tell|me|show|please|quote|can|find|give|about|on|of|regarding|concerning"
    rf"|for|say|says|said|recommends?|recommended|recommendations?|advises?|advised|advice|states?|suggests?|according|per|as|following|under|{_OWN}|{_GUIDELINE}|editions?|clinic)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number or range asked about, in `unit` ("" when none is said): low..high, None is open."""

    low: Decimal | None
    high: Decimal | None
    unit: str

    def meets(self, other: Bounds) -> bool:
        """Return whether two ranges have a number in common; units that differ are not compared."""
        if self.unit and other.unit and self.unit != other.unit:
            return False
        below = self.high is not None and other.low is not None and self.high < other.low
        above = self.low is not None and other.high is not None and self.low > other.high
        return not (below or above)


@dataclass(frozen=True, slots=True)
class Matter:
    """What is asked: clinical mentions, other words that say something, and a number with its comparison."""

    clinical: tuple[Mention, ...]
    words: tuple[Mention, ...]
    bounds: Bounds | None
    text: str


def asked_for(question: str) -> bool:
    """Return whether a question asks what a guideline of this site says."""
    return bool(_ASKS.search(question))


def matter_of(question: str) -> Matter:
    """Return what a question asks of the guidelines, without the words that only ask."""
    bare = " ".join(_FORM.sub(" ", question.replace("?", " ")).split())
    mentions = read(bare, loose=True).mentions
    clinical = tuple(one for one in mentions if one.clinical)
    return Matter(
        clinical=clinical,
        words=tuple(one for one in mentions if not one.clinical),
        bounds=next(iter(bounds_in(question)), None),
        text=bare,
    )


def bounds_in(text: str) -> list[Bounds]:
    """Return the numbers and ranges of a text: "above 6", "6.0 to 6.4 mmol/L", "6.5 mmol/L or above"."""
    found = []
    for one in find_quantities(text):
        after = text[one.end : one.end + 12].strip(" ,").lower()
        comparator = one.comparator
        if after.startswith(("or above", "or more", "or higher", "and above", "and over", "or over")):
            comparator = ">="
        elif after.startswith(("or below", "or less", "or lower", "and below", "or under")):
            comparator = "<="
        low: Decimal | None = one.value
        high: Decimal | None = one.value if one.high is None or one.pair else one.high
        if comparator in (">", ">="):
            high = None
        elif comparator in ("<", "<="):
            low = None
        found.append(Bounds(low, high, one.unit))
    return found
