"""Whether the words of a cue mean there what they mean elsewhere, by the words beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.reach import is_date
from clinical.domain.lexicon.tables import number_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.lexicon.tables import CuePhrase
    from clinical.domain.lexicon.words import Token

_BEFORE = 8
_STARTS = frozenset(
    {"started", "began", "begun", "onset", "start", "starting", "developed", "commenced", "noticed", "since"}
)
_PERIODS = frozenset({"day", "week", "month", "year", "hour", "few", "couple", "several", "decade"})


def fits(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """Return whether the words at this place are the cue they look like."""
    last = at + len(cue.words)
    if cue.attribute == "planned" or cue.words == ("declined", "to"):
        return _fits_as_plan(cue, words, at)
    if cue.words == ("until",):  # "smoked until two years ago"
        return is_date(words, last) or "ago" in {word.low for word in words[last : last + 4]}
    if cue.words == ("ago",):  # "started 4 days ago" is not over
        return not _STARTS & {word.low for word in words[max(at - _BEFORE, 0) : at]}
    if cue.words == ("before",) and last < len(words):  # "never before" ends a statement, "before lunch" does not
        return words[last].low in {".", ",", ";", ")"}
    if cue.words == ("in", "the", "past") and last < len(words):  # "in the past year" is a period
        low = words[last].low
        return not (low[0].isdigit() or low.removesuffix("s") in _PERIODS or low in number_words())
    return _answers(cue, words, at)


def _answers(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    """After a colon or comma a word answers only if nothing follows: "Rash: no." but "X-ray: no effusion"."""
    last = at + len(cue.words)
    return (
        len(cue.words) > 2
        or cue.words[0] not in {":", ","}
        or last >= len(words)
        or not words[last].is_word
        or is_date(words, last)
    )


def _fits_as_plan(cue: CuePhrase, words: Sequence[Token], at: int) -> bool:
    last = at + len(cue.words)
    following = words[last].low if last < len(words) else ""
    if cue.words == ("going", "to") and at and words[at - 1].low == "been":
        return False  # "has been going to therapy"
    if cue.words == ("declined", "to"):  # "fell to 45", not "declined to start insulin"
        return following[:1].isdigit() == (cue.attribute == "decreased")
    if cue.words == ("due",) and cue.direction == "forward":  # "Due district nurse at 11"
        return at == 0 or words[at - 1].low in {".", ";", ":"}
    if cue.words[-1] == "due" and following == "to":
        return False  # "due to stop", "is due to gout"
    if cue.direction == "backward" and cue.words[-1].endswith("ed") and following in {"to", "against", "that"}:
        return False  # "has been advised to stop": what follows is advised
    return _answers(cue, words, at)
