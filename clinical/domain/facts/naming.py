"""Names of tests, drugs and problems made comparable: case, spelling, LOINC's long and short forms."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final

_TABLE: Final = json.loads(files(__package__).joinpath("spelling.json").read_text(encoding="utf-8"))
_TOKEN: Final = re.compile(r"\w+(?:[./'+-]\w+)*\+*")
# British to American, applied to both sides of every comparison.
_SPELLING: Final = tuple((re.compile(pattern), folded) for pattern, folded in _TABLE["spelling"])
_BRACKETS: Final = re.compile(
    r"\[[^\]]*\]|\((?:bld|ser/plas|serpl|urine|ur|rbc|finding|disorder|situation|procedure)\)"
)
# What follows the analyte in a LOINC long, short or display name: specimen, property, method.
_TAIL: Final = re.compile(
    r"\s*(?:,|\bin\b|\bof\b|\bby\b|--|\s-\s)\s*(?:the\s+)?(?:venous |arterial |capillary |whole |red )*"
    r"(?:blood|serum|plasma|urine|ser/plas|serum or plasma|specimen|automated|spot|24 hour|random|stool|csf|"
    r"cerebral|body fluid|platelet poor|fasting|immunologic|calculation|manual|creatinine-based)\b.*$|"
    r"\s+(?:auto|serpl|serplbld|bld|plas|ser|ur|rbc|csf|stl|plt|fasting|total in)\b.*$|"
    r"\s+[a-z]?(?:mcnc|scnc|ncnc|ccnc|acnc|vfr|mfr|entvol|entmass|mrat|srat|pnc|imp|prthr)\b.*$",
)
_LEADING: Final = re.compile(
    r"^(?:serum|plasma|blood|urine|urinary|venous|random|spot|fasting|s-|p-|b-|u-)[\s-]+(?=\S)"
)
_KEPT: Final = frozenset({"blood pressure", "blood urea nitrogen", "blood sugar", "blood glucose"})


def words(text: str) -> tuple[str, ...]:
    """Return the comparable words of a text: lower case, compatibility characters and spelling folded."""
    folded = unicodedata.normalize("NFKC", text).lower().replace("’", "'")  # noqa: RUF001 - a typographic apostrophe
    for pattern, american in _SPELLING:
        folded = pattern.sub(american, folded)
    return tuple(_TOKEN.findall(folded))


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """Return the comparable words joined by single spaces."""
    return " ".join(words(text))


@lru_cache(maxsize=8192)
def analyte(name: str) -> str:
    """Return what a test measures, without specimen, property and method.

    "Potassium [Moles/volume] in Serum or Plasma", "Potassium SerPl-sCnc" and "Potassium, Blood" are
    all "potassium"; "Blood pressure" stays as it is.
    """
    lowered = _BRACKETS.sub(" ", unicodedata.normalize("NFKC", name).lower())
    lowered = re.sub(r"\s+", " ", lowered).strip()
    if any(lowered.startswith(kept) for kept in _KEPT):
        return plain(lowered)
    short = _TAIL.sub("", lowered).strip(" ,-")
    if not short.startswith("blood p"):
        short = _LEADING.sub("", short)
    return plain(short) or plain(name)


# Words of a medicine's name that do not say which substance it is.
DRUG_FILLER: Final = frozenset(_TABLE["drug_filler"])
_STRENGTH: Final = re.compile(r"^[\d.,/%]+(?:mg|ml|mcg|g|ug|units?|%)?$")


@lru_cache(maxsize=8192)
def drug_words(name: str) -> tuple[str, ...]:
    """Return the words that name the substance or brand: strengths, forms and salts left out."""
    return tuple(
        word
        for token in words(name)
        for word in re.split(r"[/+]", token)
        if word and word not in DRUG_FILLER and not _STRENGTH.match(word) and len(word) > 1
    )
