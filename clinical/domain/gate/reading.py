"""A sentence read: what it mentions, with which attributes, and which number belongs to what."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clinical.domain.dates import find_dates
from clinical.domain.gate.changes import changes
from clinical.domain.gate.mention import TIME_WORDS, TIMES, DatePlace, Figure, Mention, figures_of
from clinical.domain.gate.naming import (
    flags,
    inside,
    is_light_mention,
    is_verb,
    mention_of,
    plain_mention,
    was_left,
    with_attributes,
)
from clinical.domain.gate.scopes import attributes_of
from clinical.domain.gate.shorthand import written_out
from clinical.domain.lexicon.match import Found, find_concepts
from clinical.domain.lexicon.tables import CLINICAL, Kind, concepts
from clinical.domain.lexicon.words import Token, tokens
from clinical.domain.quantity import find_quantities

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.dates import WrittenDate

SIDES = {"left": "left", "right": "right", "bilateral": "bilateral"}
_SEGMENT_MARKS = frozenset(
    {
        ",",
        ";",
        "and",
        "but",
        "with",
        "while",
        "then",
        "plus",
        "(",
        ")",
        "whereas",
        "or",
        ".",
        "/",
    }
)
_FALL = "word:decrease"
_CUE_ONLY = frozenset({"negated", "uncertain", "hypothetical", "past", "planned", "family"})
_MALE = frozenset({"he", "him", "his", "himself", "male", "man", "gentleman", "mr"})
_FEMALE = frozenset({"she", "her", "hers", "herself", "female", "woman", "lady", "ms", "mrs"})
_PAST_FORMS = frozenset({"was", "were", "had", "took", "used", "did", "been"})
_PERFECT_ENDINGS = ("ed", "en", "wn")
_PERFECT_FORMS = frozenset(
    {"had", "begun", "put", "lost", "gone", "made", "held", "kept", "felt", "found", "left", "cut"}
)
_PRESENT_FORMS = frozenset({"is", "are", "has", "takes", "remains", "continues", "currently", "now", "have", "am"})
_JOINED_BY_WITH = frozenset(
    {"better", "worse", "improved", "improves", "worsens", "worsened", "relieved", "aggravated"}
)
_FOUND_BY = frozenset({"on", "by", "in", "from", "at", "per", "with"})
_MEASURED = frozenset({Kind.TEST, Kind.VITAL})
_SOFT_DRINKS = frozenset({"water", "milk", "juice", "fluid", "fluids", "tea", "coffee", "squash", "formula", "liquids"})
_SPECIMENS = frozenset({"urine", "urinary", "serum", "blood", "plasma", "csf"})
_JOINERS = frozenset({",", ";", "and", "but", "then", "so"})
_BACK = frozenset({"it", "its", "this", "that", "these", "those", "which", "them", "they", "their", "same"})
_BACK_NOUNS = frozenset({"dose", "medication", "medicine", "drug", "tablet", "tablets", "treatment"})
_AGED = re.compile(r"\d{1,3}[MF]")
_AGE_AND_SEX = {"M": "male", "F": "female"}
_BETWEEN_UNIT = re.compile(
    r"(?<=[\w] )(?:more|further|additional|full|consecutive|other|whole|or so)(?= (?:day|week|month|year|hour|dose))"
)
_EDGE_MARKERS = re.compile(r"\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]")


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence, read. Places are those of the text with its shorthand written out.

    `sexes` are those its words give the person; `tenses` the forms of its verbs.
    """

    text: str
    words: tuple[Token, ...]
    mentions: tuple[Mention, ...]
    figures: tuple[Figure, ...]
    dates: tuple[DatePlace, ...]
    sexes: frozenset[str]
    tenses: frozenset[str]
    keys: frozenset[str]
    cues: frozenset[str]
    doubts: int
    back: frozenset[str] | None
    segments: tuple[int, ...]
    stems: frozenset[str] = frozenset()

    @property
    def refers_back(self) -> bool:
        """Whether a word of this sentence stands for something in the one before."""
        return self.back is not None


def read(text: str, *, section: frozenset[str] = frozenset(), loose: bool = False) -> Reading:
    """Read one sentence. `section` holds attributes that its section gives to everything in it."""
    original, text = text, written_out(_EDGE_MARKERS.sub(" ", text))
    words = tokens(text)
    dates = find_dates(text)
    found = find_concepts(words, loose=loose)
    named = [(words[one.first].start, words[one.last - 1].end) for one in found if one.concept.kind in CLINICAL]
    named += [(words[one.first].start, words[one.last - 1].end) for one in found if one.last - one.first > 1]
    plain = _BETWEEN_UNIT.sub(lambda match: " " * len(match.group()), text)
    quantities = [one for one in find_quantities(plain, dates) if not inside(one.start, named)]
    taken = [(date.start, date.end) for date in dates] + [(one.start, one.end) for one in quantities]
    given, cue_tokens, phrases, said = attributes_of(words, lambda at: inside(words[at].start, taken))
    segments = _segments(words, taken)
    mentions = []
    covered: set[int] = set()
    for one in found:
        if inside(words[one.first].start, taken) or _is_no_name(one, words, phrases):
            continue
        covered.update(range(one.first, one.last))
        if one.concept.id == _FALL and words[one.first].low == "lower" and not is_verb(words, one.first):
            one = Found(one.first, one.last, concepts()["word:lower-part"])
        if is_light_mention(one.concept.id, words, one.first, one.last) or was_left(words, one.first, one.last):
            continue
        mentions.append(
            mention_of(
                one.concept.id,
                one.concept.wider,
                one.concept.kind,
                words,
                one.first,
                one.last,
                segments,
                given,
            )
        )
    for at, word in enumerate(words):
        if at in covered or at in cue_tokens or not word.is_word or inside(word.start, taken):
            continue
        mention = plain_mention(words, at, segments, given)
        if mention is not None:
            mentions.append(mention)
    mentions += flags(words, [(one.start, one.end) for one in quantities], segments, given)
    mentions.sort(key=lambda one: one.first)
    mentions += _within(words, mentions, segments, given)
    mentions.sort(key=lambda one: one.first)
    mentions = changes([_measured_in(_unscoped(one, words), words) for one in mentions], words)
    if section:
        mentions = [with_attributes(one, section) for one in mentions]
    figures = figures_of(quantities, words, mentions, segments, given)
    mentions = [_has_value(one) if one.kind in _MEASURED and _is_valued(one, figures) else one for one in mentions]
    lows = {word.low for word in words}
    lows |= {_AGE_AND_SEX[word.text[-1]] for word in words if _AGED.fullmatch(word.text)}
    return Reading(
        text=original,
        words=tuple(words),
        mentions=tuple(mentions),
        figures=tuple(figures),
        dates=tuple(_date_place(date, words, segments) for date in dates),
        sexes=frozenset(name for name, forms in (("male", _MALE), ("female", _FEMALE)) if lows & forms),
        tenses=_tenses(words, lows),
        keys=frozenset(key for one in mentions for key in one.keys),
        cues=frozenset(said).union(section, *(one.attributes for one in mentions)),
        doubts=said["uncertain"],
        back=_said_of_it(words, given),
        segments=tuple(segments),
        stems=frozenset(word.stem for word in words),
    )


def _is_valued(mention: Mention, figures: Sequence[Figure]) -> bool:
    """Return whether a value stands beside a test: no time to its repeat, and no age."""
    return any(
        mention.key in one.heads
        and one.segment == mention.segment
        and one.quantity.unit not in TIMES
        and (one.quantity.unit or one.place - mention.last <= 1)
        for one in figures
    )


def _has_value(mention: Mention) -> Mention:
    """A test with its value was done, whatever its heading: "Assessment and plan: diabetes, A1c 8.4"."""
    return replace(mention, attributes=mention.attributes - {"order"})


def _is_no_name(one: Found, words: Sequence[Token], phrases: set[int]) -> bool:
    """Return whether these words name nothing here: part of a cue ("runs in the family"), or a drink of water."""
    if one.concept.kind is Kind.WORD and set(range(one.first, one.last)) <= phrases:
        return True
    return one.concept.id == "alcohol" and _is_soft_drink(words, one.first)


def _is_soft_drink(words: Sequence[Token], at: int) -> bool:
    """Return whether what is drunk is named, and no alcohol: "drank sips of water"."""
    return words[at].stem == "drink" and any(word.low in _SOFT_DRINKS for word in words[at + 1 : at + 6])


def _tenses(words: Sequence[Token], lows: set[str]) -> frozenset[str]:
    """Return the forms of the verbs; "has been given" tells of the past and of now."""
    found = {name for name, forms in (("past", _PAST_FORMS), ("present", _PRESENT_FORMS)) if lows & forms}
    for at, word in enumerate(words):
        following = [one.low for one in words[at + 1 : at + 4]]
        if word.low in {"has", "have"} and any(
            low.endswith(_PERFECT_ENDINGS) or low in _PERFECT_FORMS for low in following
        ):
            found.add("past")
    return frozenset(found)


def _said_of_it(words: Sequence[Token], given: Sequence[set[str]]) -> frozenset[str] | None:
    """Return what is said of a word that stands for something in the sentence before, None without one."""
    return next((frozenset(given[at]) for at, word in enumerate(words) if _stands_for(words, at)), None)


def _stands_for(words: Sequence[Token], at: int) -> bool:
    """Return whether a word means what was named before: "it", "the dose"."""
    return words[at].low in _BACK or (words[at].low in _BACK_NOUNS and at > 0 and words[at - 1].low == "the")


def _unscoped(mention: Mention, words: Sequence[Token]) -> Mention:
    """A test that only says how something was found is not itself denied: "no effusion on chest X-ray"."""
    if mention.kind is Kind.WORD and mention.text.lower() in TIME_WORDS:
        return replace(mention, attributes=frozenset())  # "no seizures in months" does not deny the months
    before = {word.low for word in words[max(mention.first - 5, 0) : mention.first]}
    if mention.kind is not Kind.TEST or not before & _FOUND_BY:
        return mention
    return replace(mention, attributes=mention.attributes - {"negated", "unclear", "uncertain"} | {"means"})


def _measured_in(mention: Mention, words: Sequence[Token]) -> Mention:
    """Potassium after "urine" in the same sentence is urine potassium."""
    concept = concepts().get(f"urine-{mention.key}") if mention.kind is Kind.TEST else None
    if concept is None:
        return mention
    before = [word.low for word in words[: mention.first] if word.low in _SPECIMENS]
    if not before or before[-1] not in {"urine", "urinary"}:
        return mention
    return replace(mention, key=concept.id, keys=concept.wider)


def _within(
    words: Sequence[Token], mentions: Sequence[Mention], segments: Sequence[int], given: Sequence[set[str]]
) -> list[Mention]:
    """Return what "it" or "which" stands for, where it was named earlier in this sentence."""
    found = []
    for at, word in enumerate(words):
        joined = at > 0 and words[at - 1].low in _JOINERS
        before = [one for one in mentions if one.clinical and one.last <= at]
        if word.low not in {"it", "which"} or not joined or not before:
            continue
        drugs = [one for one in before if one.kind is Kind.DRUG]
        meant = before[-1] if word.low == "which" else (drugs or before)[-1]
        not_yet = meant.attributes & {"planned", "order", "hypothetical"}
        told = frozenset(given[at]) | not_yet
        found.append(replace(meant, first=at, last=at + 1, segment=segments[at], attributes=told))
    return found


def _segments(words: Sequence[Token], taken: Sequence[tuple[int, int]]) -> list[int]:
    numbers, current = [], 0
    for at, word in enumerate(words):
        # "better with rest" is one statement; "K 4.1 with Na 139" is two.
        joined = word.low == "with" and at > 0 and words[at - 1].low in _JOINED_BY_WITH
        if word.low in _SEGMENT_MARKS and not joined and not inside(word.start, taken):
            current += 1
        numbers.append(current)
    return numbers


def _date_place(date: WrittenDate, words: Sequence[Token], segments: Sequence[int]) -> DatePlace:
    place = next((at for at in range(len(words) - 1, -1, -1) if words[at].start <= date.start), 0)
    return DatePlace(date, segments[place] if segments else 0, place)
