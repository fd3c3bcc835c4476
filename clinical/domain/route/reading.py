"""A question read: words, misspellings mended, what it names, what it asks, when."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.conversion import asked_units
from clinical.domain.facts.naming import words
from clinical.domain.lexicon.asked import written_out
from clinical.domain.lexicon.tables import name_words
from clinical.domain.route.abbreviated import in_known_words
from clinical.domain.route.codes import find_code
from clinical.domain.route.intents import Act
from clinical.domain.route.moments import find_moment
from clinical.domain.route.table import fillers, grammar, pattern
from clinical.domain.route.times import Window, find_window
from clinical.domain.route.vocabulary import LONGEST, Targets, Vocabulary, correct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.route.codes import TypedCode
    from clinical.domain.route.moments import Moment

# "what grew in the urine" asks for the urine culture
_GREW: Final = re.compile(
    r"\b(?:gr[eo]w[ns]?|growth|growing|organisms?|bacteria|bugs?)\b(?: \w+){0,3}? "
    r"(?P<sample>urine|blood|sputum|stool|wound|csf)\b"
    r"(?: cultures?\b)?"
)

# "a1c 2015" asks for the year, as "a1c in 2015" does; a year behind a month or a preposition is read as it stands.
_YEAR_BEHIND: Final = re.compile(
    r"(?<=[a-z0-9] )(?<!\bin )(?<!\bof )(?<!\bto )(?<!\bby )(?<!\bon )(?<!\bvs )(?<!since )(?<!after )(?<!before )"
    r"(?<!from )"
    r"(?<!until )(?<!till )(?<!during )(?<!and )(?<!versus )(?<!with )(?<!the )(?<!year )(?<!than )(?<!over )"
    r"(?<!above )"
    r"(?<!below )(?<!under )(?<!jan )(?<!feb )(?<!mar )(?<!apr )(?<!may )(?<!jun )(?<!jul )(?<!aug )(?<!sep )(?<!sept )"
    r"(?<!oct )(?<!nov )(?<!dec )(?<!uary )(?<!march )(?<!april )(?<!june )(?<!july )(?<!august )(?<!ember )"
    r"(?<!october )(?<!spring )(?<!summer )(?<!autumn )(?<!winter )(?<!st )(?<!nd )(?<!rd )(?<!th )(?<!\d )"
    r"(?P<year>(?:19|20)\d\d)(?=\s*\?*$)"
)
# A year is no result: "between 2020 and 2022" is a stretch of time.
_BETWEEN: Final = re.compile(
    r"\bbetween (?!(?:19|20)\d\d\b)(?P<number>\d+(?:\.\d+)?)\s*(?:%\s*)?(?:and|to|-)\s*"
    r"(?!(?:19|20)\d\d\b)(?P<upper>\d+(?:\.\d+)?)(?!(?:st|nd|rd|th)\b)"
)
_NUMBERS: Final = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8, "ten": 10,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mention:
    """Words [start, end) of the question that name something, and what they may mean by kind."""

    start: int
    end: int
    name: str
    targets: Targets


@dataclass(frozen=True, slots=True)
class Reading:
    """What the grammar works on. `text` are the comparable words without time and threshold."""

    tokens: tuple[str, ...]
    mentions: tuple[Mention, ...]
    acts: tuple[Act, ...]
    window: Window | None
    threshold: str
    corrections: tuple[tuple[str, str], ...]
    own_name: frozenset[str] = frozenset()
    moment: Moment | None = None
    code: TypedCode | None = None
    unit: str = ""
    take: int = 0
    inclusive: bool = False
    upper: str = ""

    @property
    def text(self) -> str:
        """Return the words joined by single spaces."""
        return " ".join(self.tokens)

    def outside(self, mentions: Iterable[Mention]) -> str:
        """Return the words that belong to none of the mentions."""
        inside = {place for mention in mentions for place in range(mention.start, mention.end)}
        return " ".join(word for place, word in enumerate(self.tokens) if place not in inside)

    def unread(self, used: Iterable[Mention], *patterns: re.Pattern[str]) -> tuple[str, ...]:
        """Return the words that neither the used mentions nor fillers, acts or the patterns account for."""
        rest = self.outside(used)
        for one in (*patterns, *(pattern("acts", act) for act in grammar()["acts"])):
            rest = one.sub(" ", rest)
        known = fillers() | grammar()["samples"].keys() | self.own_name
        return tuple(word for word in rest.split() if word.removesuffix("'s") not in known)


def read_question(question: str, vocabulary: Vocabulary, *, moments: bool = True) -> Reading:
    """Return the question's words, mentions, acts, time and threshold; misspellings mended.

    Without `moments`, an event is read as what is asked about, never as a point in time.
    """
    lowered = unicodedata.normalize("NFKC", in_known_words(question, vocabulary)).lower().replace("\u2019", "'")
    lowered = " ".join(written_out(lowered).split())
    lowered = _YEAR_BEHIND.sub(r"in \g<year>", lowered)
    for spelled, meant in _spellings():
        lowered = spelled.sub(meant, lowered)
    code, lowered = find_code(lowered, vocabulary)
    window, lowered = find_window(lowered)
    moment = None
    if moments:
        moment, lowered = find_moment(lowered, vocabulary)
    lowered = _GREW.sub(r" \g<sample> culture ", lowered)
    acts: list[Act] = []
    threshold, unit = "", ""
    inclusive, upper = False, ""
    if match := _BETWEEN.search(lowered):
        acts.append(Act.ABOVE)
        threshold, upper, inclusive = match["number"], match["upper"], True
        unit = _unit_of(lowered[match.end() :])
        lowered = f"{lowered[: match.start()]} {lowered[match.end() + len(unit) :]}"
    for act, includes, said in _thresholds():
        if not upper and act not in acts and (match := said.search(lowered)):
            acts.append(act)
            threshold, inclusive = match["number"], includes
            unit = _unit_of(lowered[match.end("number") :])
            lowered = f"{lowered[: match.start()]} {lowered[max(match.end(), match.end('number') + len(unit)) :]}"
    take = 0
    if match := pattern("take").search(lowered):
        take = _NUMBERS.get(match["number"] or match["before"]) or int(match["number"] or match["before"])
        lowered = f"{lowered[: match.start()]} last {lowered[match.end() :]}"
    if match := _in_unit().search(lowered):
        unit = match["unit"]
        lowered = f"{lowered[: match.start()]} {lowered[match.end() :]}"
    typed = words(lowered)
    tokens = tuple(_mended(word, vocabulary) for word in typed)
    mentions = tuple(_mentions(tokens, vocabulary))
    named = {place for mention in mentions for place in range(mention.start, mention.end)}
    rest = " ".join(word for place, word in enumerate(tokens) if place not in named)
    acts.extend(Act(name) for name in grammar()["acts"] if pattern("acts", name).search(rest))
    if pattern("judged").search(rest):
        acts.append(Act.JUDGED)
    return Reading(
        tokens=tokens,
        mentions=mentions,
        acts=tuple(dict.fromkeys(acts)),
        window=window,
        threshold=threshold,
        corrections=tuple((was, now) for was, now in zip(typed, tokens, strict=True) if was != now),
        own_name=vocabulary.own_name,
        moment=moment,
        code=code,
        unit=asked_units().get(unit.strip(), ""),
        take=take,
        inclusive=inclusive,
        upper=upper,
    )


@cache
def _spellings() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return spellings that the words of a question cannot carry ("A&E", "U&Es"), and what they are read as."""
    return tuple((re.compile(spelled), meant) for spelled, meant in grammar()["spellings"])


@cache
def _thresholds() -> tuple[tuple[Act, bool, re.Pattern[str]], ...]:
    """Return how a threshold is said: which side is asked for, and whether the number itself counts ("at least 7")."""
    return tuple((Act(one["act"]), one["inclusive"], re.compile(one["said"])) for one in grammar()["thresholds"])


@cache
def _units() -> str:
    return "|".join(sorted(map(re.escape, asked_units()), key=len, reverse=True))


@cache
def _in_unit() -> re.Pattern[str]:
    return re.compile(rf"\b(?:in|as|to|into) (?P<unit>{_units()})(?![\w/])")


def _unit_of(rest: str) -> str:
    """Return the unit right behind a number, with the spaces before it; "" when there is none."""
    match = re.match(rf"\s*(?:{_units()})(?![\w/])", rest)
    return match[0] if match else ""


def _mended(word: str, vocabulary: Vocabulary) -> str:
    if _is_known(word, vocabulary):
        return word
    known = (*vocabulary.words, *grammar()["spelled"], *grammar()["taking"])
    mended = correct(word, known, is_name=lambda one: bool(vocabulary.find(one)))
    plainer = word.replace("ae", "e").replace("oe", "e")  # a slip in a British spelling
    return mended or (correct(plainer, known) if plainer != word else "") or word


def _is_known(word: str, vocabulary: Vocabulary) -> bool:
    if (
        word in fillers()
        or word.removesuffix("'s") in vocabulary.own_name
        or word in vocabulary.words
        or word in name_words()
        or vocabulary.find(word)
    ):
        return True
    groups = ("acts", "topics", "lists", "special")
    return any(pattern(group, name).fullmatch(word) for group in groups for name in grammar()[group])


def _mentions(tokens: tuple[str, ...], vocabulary: Vocabulary) -> Iterable[Mention]:
    place = 0
    while place < len(tokens):
        for length in range(min(LONGEST, len(tokens) - place), 0, -1):
            name = " ".join(tokens[place : place + length])
            targets = vocabulary.find(name)
            if targets and not all(word in fillers() for word in tokens[place : place + length]):
                yield Mention(place, place + length, name, targets)
                place += length - 1
                break
        place += 1
