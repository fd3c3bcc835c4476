"""Mentions made from words: concepts and plain words, with what their sentence gives to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from clinical.domain.gate.mention import Mention
from clinical.domain.lexicon.tables import Kind, concepts, light_stems, light_words, negated_names
from clinical.domain.lexicon.words import Token, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = {"H": "high", "HH": "high", "L": "low", "LL": "low"}
_LEFT_AFTER = frozenset({"was", "were", "been", "not", "be", "being", "had", "has", "he", "she", "is"})
_BOTH = 6
_LEFT_AS = frozenset({"unchanged", "alone", "open", "over", "untreated", "out"})
_LEFT_BEFORE = frozenset(
    {"", ".", ",", ";", "in", "at", "with", "by", "on", "to", "behind", "as", "because", "after", "for"}
)


def inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Return whether a place lies in one of the stretches."""
    return any(start <= place < end for start, end in spans)


def flags(
    words: Sequence[Token], values: Sequence[tuple[int, int]], segments: Sequence[int], given: Sequence[set[str]]
) -> list[Mention]:
    """Return the high and low marks of a laboratory table: "3.2 mmol/L (L)"."""
    found = []
    for at, word in enumerate(words):
        before = at - 2 if at > 1 and words[at - 1].low in {"(", "["} else at - 1
        if word.text not in _FLAGS or inside(word.start, values):
            continue  # a unit: "2 L"
        if before >= 0 and inside(words[before].start, values):
            key = f"word:{_FLAGS[word.text]}"
            segment = segments[before]
            one = Mention(key, frozenset({key}), Kind.WORD, at, at + 1, segment, frozenset(given[at]), word.text)
            found.append(one)
    return found


def was_left(words: Sequence[Token], first: int, last: int) -> bool:
    """Return whether "left" is a verb here: "a drain was left", "left in place"."""
    if words[first].low != "left" or last - first != 1:
        return False
    before = words[first - 1].low if first else ""
    after = words[last].low if last < len(words) else ""
    if after in _LEFT_AS or (after.endswith("ed") and after != "sided"):
        return True  # "was left unchanged", "work left unfinished"
    return before in _LEFT_AFTER and after in _LEFT_BEFORE


def is_verb(words: Sequence[Token], at: int) -> bool:
    """Return whether "lower" is what somebody does here, not where something is."""
    return at == 0 or words[at - 1].low in {"to", "will", "and", "then", "can", "may", "should", "could", ":", ";"}


def is_light_mention(key: str, words: Sequence[Token], first: int, last: int) -> bool:
    """Return whether a plain concept is only a light word here."""
    if key == "word:bilateral" and words[first].low == "both":
        return "and" in {word.low for word in words[last + 1 : last + _BOTH]}  # "both gout and sepsis"
    return key.startswith("word:") and (
        key.removeprefix("word:") in light_words()
        or (last - first == 1 and words[first].low in light_words() and not words[first].text.isupper())
    )


def mention_of(
    key: str, keys: frozenset[str], kind: Kind, words: Sequence[Token], first: int, last: int,
    segments: Sequence[int], given: Sequence[set[str]],
) -> Mention:  # fmt: skip
    """Return the mention that tokens [first, last) make, with what is said of them."""
    attributes = frozenset().union(*(given[at] for at in range(first, last)))
    free = [word.low for word in words[last : last + 2]] == ["-", "free"]
    if free or "non" in _before(words, first):
        attributes |= {"negated", "unclear"} if "negated" in attributes else {"negated"}
    text = " ".join(word.text for word in words[first:last])
    return Mention(key, keys, kind, first, last, segments[first], attributes, text)


def _before(words: Sequence[Token], first: int) -> list[str]:
    """Return the word before, over a hyphen: "non-smoker"."""
    return [word.low for word in words[max(first - 2, 0) : first] if word.low != "-"][-1:]


def with_attributes(mention: Mention, section: frozenset[str]) -> Mention:
    """Return a mention with what its section says of it too."""
    return replace(mention, attributes=mention.attributes | section)


def plain_mention(
    words: Sequence[Token], at: int, segments: Sequence[int], given: Sequence[set[str]]
) -> Mention | None:
    """Return the mention a word in no table makes, None where it states nothing."""
    low = words[at].low.removesuffix("'s")
    target = negated_names().get(low)
    if target is not None:
        concept = concepts().get(target)
        keys = concept.wider if concept else frozenset({target})
        one = mention_of(target, keys, concept.kind if concept else Kind.WORD, words, at, at + 1, segments, given)
        twice = at > 0 and words[at - 1].low in {"not", "never"}
        return replace(one, attributes=one.attributes - {"negated", "unclear"} | {"unclear" if twice else "negated"})
    if low in light_words() or words[at].stem in light_stems() or (low.isalpha() and len(low) == 1):
        return None
    if low.startswith("non") and len(low) > 6:
        stem = tokens(low[3:])[0].stem
        one = mention_of(f"w:{stem}", frozenset({f"w:{stem}"}), Kind.WORD, words, at, at + 1, segments, given)
        return with_attributes(one, frozenset({"negated", "unclear"} if "negated" in one.attributes else {"negated"}))
    key = f"w:{words[at].stem}"
    return mention_of(key, frozenset({key}), Kind.WORD, words, at, at + 1, segments, given)
