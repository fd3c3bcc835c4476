"""Whether the gate has rules for the language of a text: English, told by its commonest words.

Each language is a list of its commonest short words; those that English has too do not count. Pure code, no model:
a note in another language is quoted, never drafted from, and a drafted sentence in another language is withheld.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from clinical.domain.lexicon.tables import table

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_LATIN: Final = "\u024f"  # last of the Latin letters with their marks
_GREEK_SIGNS: Final = frozenset("\u03bc\u03b1\u03b2\u03b3\u03bb\u0394\u03b4\u03ba\u03a9\u03c3")
_MOST_STRANGE: Final = 0.1  # share of letters of another script
_FEWEST: Final = 2  # words of another language that tell it
_LONG: Final = 5  # letters of a word that alone tells its language
_SHARE: Final = 0.12  # of the words, where English has its own as well
_MARKED: Final = frozenset(
    "\u00e1\u00e0\u00e2\u00e3\u00e7\u00e9\u00e8\u00ea\u00ed\u00ee\u00f1\u00f3\u00f4\u00f5\u00f6\u00f8\u00e5\u00fa\u00fb\u00fc\u00e4\u00df\u0142\u0105\u0119\u015f\u011f\u0131"
)
_BORROWED: Final = frozenset({"cafe", "naive", "resume", "sjogren", "meniere", "barre", "guillain", "behcet", "facade"})


@lru_cache(maxsize=1_024)
def has_rules_for(text: str) -> bool:
    """Return whether a text, of any length, is in English as far as its words tell.

    A text without any telling word (values, names, abbreviations) counts as English: its rules read numbers and
    names alike. A text partly in another language does not.
    """
    letters = [character for character in text if character.isalpha()]
    strange = sum(1 for one in letters if one > _LATIN and one not in _GREEK_SIGNS)
    if strange > max(2, _MOST_STRANGE * len(letters)):
        return False
    words = [match.group().lower().replace("\u2019", "'") for match in _WORD.finditer(text)]
    english = sum(1 for word in words if word in _english())
    other = max((sum(1 for word in words if word in known) for known in _others().values()), default=0)
    marked = sum(1 for word in words if set(word) & _MARKED and word not in _BORROWED)
    if other == 0:
        # "Fr\u00f6hliche M\u00fcdigkeit": no telling word of either, and marks that English lacks on most words
        return not (marked >= _FEWEST and english == 0)
    if english == 0:
        long = any(len(word) >= _LONG and word in known for known in _others().values() for word in words)
        return other < _FEWEST and not long and not (marked and len(words) > 1)
    return other < _FEWEST or (other <= english and other < max(_FEWEST, _SHARE * len(words)) + 1)


@cache
def _english() -> frozenset[str]:
    return frozenset(table("languages")["english"].split())


@cache
def _others() -> dict[str, frozenset[str]]:
    """Return, for each other language, its telling words without those that are English too."""
    loaded = table("languages")
    shared = _english() | frozenset(loaded["also_english"].split())
    return {name: frozenset(words.split()) - shared for name, words in loaded["others"].items()}
