"""Whether a sentence contains a wanted text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SPACE = re.compile(r"\s+")


def contains(sentence: str, wanted: str) -> bool:
    """Return whether `sentence` contains `wanted`, whatever the case and the white space.

    A number stands for itself: "5.6" is not in "15.6", "5.61" or "5.6.2", and "12 mmol/L" is not in
    "112 mmol/L". Letters are not bound: "irritab" is in "irritable".
    """
    return bool(_pattern(_plain(wanted)).search(_plain(sentence)))


def _plain(words: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", words)).strip().casefold()


@lru_cache(maxsize=4096)
def _pattern(wanted: str) -> re.Pattern[str]:
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else ""
    after = r"(?!\d)(?![.,]\d)" if wanted[-1:].isdigit() else ""
    return re.compile(before + re.escape(wanted) + after)
