"""A sentence taken apart: each statement of it as a sentence of its own, with its subject and auxiliary verbs."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from clinical.domain.lexicon.tables import table, word_list
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.lexicon.words import Token

_AUXILIARIES: Final = word_list("auxiliaries")
_IN_CHAIN: Final = _AUXILIARIES | word_list("chain_adverbs")
_ADVERBS: Final = word_list("joint_adverbs")
_PRONOUNS: Final = frozenset({"he", "she", "they", "it", "there", "this", "these"})
_ARTICLES: Final = frozenset({"the", "a", "an", "his", "her", "their", "its", "no", "this", "both", "all", "any"})
_CONDITIONS: Final = frozenset({"if", "unless", "should", "when", "once", "until", "because", "although", "while"})
_AFTER_PARTICIPLE: Final = word_list("after_participle")
_STATES: Final = frozenset(
    {"negative", "positive", "normal", "abnormal", "absent", "present", "intact", "reduced", "raised", "low", "high"}
)
_JOINTS: Final = frozenset({"and", "but", ";", ","})
_PERSON: Final = re.compile(
    r"^(?P<who>(?:(?:the|this) patient is |(?:he|she) is |(?:mr|mrs|ms|miss|dr)\.? [\w'-]+(?: [\w'-]+)? is )?"
    r"(?:an?|this|the) (?:[\w-]+ ){0,3}?[\w-]+[- ](?:year|month|week|day)s?[- ]old(?: [\w-]+){0,4}?)"
    r"(?P<comma>,)? (?P<link>with|who|whose|presenting with|presents|presented|seen|has|had|was|is|takes|hurt"
    r"|injured)\b (?P<rest>.+)$",
    re.IGNORECASE,
)
_WITHOUT: Final = re.compile(
    r"^(?P<said>.{12,}?),? (?:without|with no|but no|and no)(?: evidence of| signs? of| any)? "
    r"(?P<none>(?:(?!\bor\b|\band\b|\bwith\b|,|;)[^.])+)\.?$"
)
_NAMED_AGE: Final = re.compile(
    r"^(?P<who>(?:Mr|Mrs|Ms|Miss|Dr)\.? [A-Z][\w'-]+(?: [A-Z][\w'-]+)?), (?:aged )?(?P<age>\d{1,3}),? (?P<rest>.+)$"
)
# Never adjectives: "... and started metformin".
_ACTS: Final = frozenset({"started", "stopped", "received", "required", "underwent", "developed", "completed", "began"})
_LABEL: Final = re.compile(r"^[\W\d]*[A-Z][\w/&-]*(?: [\w/&-]+){0,4}: ")
_LONGEST: Final = 90  # words


@cache
def _predicates() -> frozenset[str]:
    """Return the finite forms of main verbs that may begin a predicate."""
    return frozenset(word for row in table("predicates")["rows"] for word in row.split())


def statements(text: str) -> tuple[str, ...]:
    """Return the statements of one sentence as sentences, () when it makes only one.

    "Metformin was held and may be resumed" says "Metformin was held" and "Metformin may be resumed".
    What is not surely a statement of its own is left where it is.
    """
    if (tail := _WITHOUT.match(text)) is not None:
        return (tail["said"].rstrip(" ,") + ".", f"There is no {tail['none']}")
    person = _person(text)
    if person:
        return tuple(part for one in person for part in (statements(one) or (one,)))
    words = tokens(text)
    if not words or len(words) > _LONGEST or words[0].low in _CONDITIONS or text.rstrip().endswith("?"):
        return ()
    verb = _first_verb(words)
    if verb is None:
        return ()
    chain = _chain_end(words, verb)
    cuts = _cuts(words, verb, chain)
    if not cuts:
        return ()
    subject, with_chain = text[: words[verb].start], text[: words[chain].start] if chain < len(words) else text
    parts = [text[: words[cuts[0][0]].start]]
    for number, (_, start, carried) in enumerate(cuts):
        end = words[cuts[number + 1][0]].start if number + 1 < len(cuts) else len(text)
        if carried == "new":
            subject = ""
        prefix = {"new": "", "subject": subject, "chain": with_chain}[carried]
        parts.append(prefix + text[words[start].start : end])
    return tuple(part.strip(" ,;.") + "." for part in parts)


def is_statement(text: str) -> bool:
    """Return whether a sentence has a subject and a finite verb, and so is neither an order nor a heading."""
    words = tokens(_LABEL.sub("", text))
    return bool(_first_verb(words))


def _person(text: str) -> tuple[str, ...]:
    """Take "A 58-year-old woman with asthma takes ..." apart: who it is, and what is said of her."""
    if (named := _NAMED_AGE.match(text)) is not None:
        return (f"{named['who']} is {named['age']} years old.", f"{named['who']} {named['rest']}")
    match = _PERSON.match(text)
    if match is None:
        return ()
    link, rest = match["link"].lower(), match["rest"]
    verb = {"with": "has ", "presenting with": "presents with ", "who": "", "whose": "has "}.get(link, f"{link} ")
    said = [f"The patient {verb}{rest}"]
    words = tokens(rest)
    if link in {"with", "presenting with"} and (at := _first_verb(words)):
        if any(word.low in {"who", "whose", "which", "that"} for word in words[:at]):
            return ()
        said = [f"The patient {verb}{rest[: words[at].start].rstrip(' ,')}.", f"The patient {rest[words[at].start :]}"]
    who = match["who"]
    return (who if " is " in who.lower() else f"The patient is {who}.", *said)


def _first_verb(words: Sequence[Token]) -> int | None:
    """Return the place of the first finite verb."""
    if len(words) > 2 and words[0].low in _PRONOUNS - {"there", "this", "these"} and words[1].low not in _ADVERBS:
        return 1
    for at, word in enumerate(words):
        if word.low in _AUXILIARIES or (at and word.low in _predicates() and words[at - 1].low not in _ARTICLES):
            return at
        if word.low in {":", ";", "(", "if"}:
            return None  # what follows is no statement of its own
    return None


def _chain_end(words: Sequence[Token], verb: int) -> int:
    at = verb
    if words[verb].low not in _AUXILIARIES:
        return verb
    while at < len(words) and words[at].low in _IN_CHAIN:
        at += 1
    return at


def _cuts(words: Sequence[Token], verb: int, chain: int) -> list[tuple[int, int, str]]:
    """Return where each further statement begins: its joint, its first word, and what it takes from the first."""
    found: list[tuple[int, int, str]] = []
    auxiliary = words[verb].low in _AUXILIARIES and chain > verb
    at = max(chain, verb + 1)
    depth = 0
    while at < len(words) - 1:
        low = words[at].low
        depth += {"(": 1, ")": -1}.get(low, 0)
        if low in {"if", "unless", "or", "nor"}:
            break
        if depth or low not in _JOINTS:
            at += 1
            continue
        start = at + 1
        comma = low == "," and words[start].low not in {"and", "but"}
        while start < len(words) - 1 and words[start].low in _ADVERBS:
            start += 1
        carried = _carried(words, start, auxiliary=auxiliary, comma=comma)
        if carried:
            found.append((at, start, carried))
            if carried == "new":
                auxiliary = False
        at = max(start, at + 1)
    return found


def _carried(words: Sequence[Token], start: int, *, auxiliary: bool, comma: bool) -> str:
    """Return what the words from `start` on take over as a statement: "new", "subject", "chain", "" for none."""
    if start >= len(words):
        return ""
    low = words[start].low
    following = words[start + 1].low if start + 1 < len(words) else ""
    if low in _PRONOUNS and following in _AUXILIARIES | _predicates():
        return "new"
    if low in _ARTICLES and any(
        words[place].low in _AUXILIARIES and not any(word.low in _JOINTS for word in words[start:place])
        for place in range(start + 2, min(start + 6, len(words)))
    ):
        return "new"
    if low in _AUXILIARIES - {"being", "been", "be"}:
        return "subject"
    if (
        words[start].is_word
        and not comma
        and following in _AUXILIARIES - {"being", "been"}
        and low not in _predicates()
    ):
        return "" if low == "not" else "new"
    if auxiliary and (low.endswith("ed") or low in _participles()) and following in _AFTER_PARTICIPLE | {""}:
        return "chain"
    if auxiliary and low in _STATES:
        return "chain"  # "was positive on the right and negative on the left"
    if low not in _predicates() or (low.endswith("ed") and following not in _AFTER_PARTICIPLE | {""}):
        return "subject" if low in _ACTS and not auxiliary else ""
    return "subject" if low.endswith("s") or not auxiliary else ""


@cache
def _participles() -> frozenset[str]:
    return frozenset(table("predicates")["participles"].split())
