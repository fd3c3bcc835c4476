"""Whether a question asks for the whole chart ("hand her over"), and not for a summary of one thing."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.tables import CLINICAL
from clinical.domain.lexicon.words import tokens

_FOR_WHOM: Final = re.compile(r"\b(?:to|for|before|at|during) (?:the|my|our|a|an)? ?(?P<whom>[\w -]+)$")


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    table = json.loads(files(__package__).joinpath("asking.json").read_text(encoding="utf-8"))
    whole, narrower, listener = ("|".join(table[name]) for name in ("asked", "narrower", "listener"))
    return tuple(re.compile(rf"\b(?:{one})\b", re.IGNORECASE) for one in (whole, narrower, listener))  # type: ignore[return-value]


def asked_for(question: str) -> bool:
    """Return whether a question asks for a summary of the whole record.

    "Summarise her diabetes", "overview of the medication" and "what did the discharge summary say" ask for less
    and are answered as any other question.
    """
    asked, narrower, listener = _patterns()
    lowered = " ".join(question.split()).strip(" ?.!:,;").lower()
    if not (found := asked.search(lowered)):
        return False
    rest = f"{lowered[: found.start()]} , {lowered[found.end() :]}".strip(" ,")
    addressed = _FOR_WHOM.search(rest)
    if addressed and listener.search(addressed["whom"]):  # "for the cardiology ward round" says who listens
        rest = rest[: addressed.start()]
    if narrower.search(rest):
        return False
    return not any(one.concept.kind in CLINICAL for one in find_concepts(tokens(rest), loose=True))
