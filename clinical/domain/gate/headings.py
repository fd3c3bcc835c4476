"""What stands around the sentences of a passage: headings, labels, titles, rows of labels and values, orders."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from clinical.domain.gate.clauses import is_statement
from clinical.domain.gate.reading import Reading, read
from clinical.domain.lexicon.tables import Kind, section_titles, word_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.sentences import SentenceSpan

_LABEL_LENGTH = 60
_REGARDING = re.compile(
    r"(?:Regarding|Concerning|In terms of|With (?:regards?|respect) to|As (?:for|regards)|In regards? to)"
    r"\s+(?P<topic>[^,.;:]{3,60}),"
)
_TOPIC_WORDS = 7
_TITLE_WORDS = 10
_LABEL = re.compile(r"[A-Z][\w/&]*(?: [\w/&]+){0,2}: ")
_FIELDS = word_list("fields")
_CELL = re.compile(r"(?P<label>[A-Z][\w/&]*(?: [\w/&]+){0,2}): ")
_CELL_END = re.compile(r"\.(?= [A-Z][\w/&]*(?: [\w/&]+){0,2}: )")
_KINDS = word_list("kinds")
_LONGEST_CELL = 120  # characters
_PLEASE = re.compile(r"^(?:please|kindly|would you|could you)\s+(?:kindly\s+)?", re.IGNORECASE)
_DIARY = re.compile(
    r"(?<!since )(?<!last )(?<!until )\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|next (?:week|month|year)"
    r"|in (?:\d+|one|two|three|four|six)(?:[- ](?:to|-)?[- ]?\d+)? (?:day|week|month|year)s?)\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:given|done|performed|completed|administered|obtained|provided) (?:today|in|by|on|to|at)\b", re.IGNORECASE
)
_TOLD = re.compile(r"\b(?:\w{3,}ed|mg|mcg|micrograms?)\b")  # "tired since Sunday", "15 mg on Tuesdays"
_FINITE = frozenset({"is", "are", "was", "were", "has", "had", "have", "denies", "reports", "will", "shows"})
_ORDERS = word_list("orders")


def table_lines(text: str, spans: Sequence[SentenceSpan]) -> list[SentenceSpan]:
    """Return the sentences with a line of labels and values as one: "Substance: codeine. Reaction: rash."."""
    joined: list[SentenceSpan] = []
    for span in spans:
        if (
            joined
            and "\n" not in text[joined[-1].end : span.start]
            and (_is_cell(text, joined[-1]) or _begins_record(text, joined[-1]))
            and _is_cell(text, span)
            and not _begins_record(text, span)
        ):
            joined[-1] = replace(joined[-1], end=span.end)
        else:
            joined.append(span)
    return joined


def _is_cell(text: str, span: SentenceSpan) -> bool:
    cell = _CELL.match(text, span.start)
    return (
        cell is not None
        and bool(_FIELDS & set(cell["label"].lower().split()))
        and span.end - span.start < _LONGEST_CELL
    )


def _begins_record(text: str, span: SentenceSpan) -> bool:
    cell = _CELL.match(text, span.start)
    return cell is not None and cell["label"].lower() in _KINDS


def section_attributes(title: str) -> frozenset[str]:
    """Return what a heading gives to everything under it ("FAMILY HISTORY")."""
    plain = title.strip().lower().rstrip(":").replace("/", " ").replace("&", "and")
    attribute = section_titles().get("plan" if plain.endswith(" plan") else plain)
    return frozenset() if attribute is None else frozenset({attribute})


def label_attributes(words: str) -> frozenset[str]:
    """Return what a label at its beginning ("FH: ...") says of the rest of a sentence."""
    return label(words)[0]


def label(words: str) -> tuple[frozenset[str], tuple[Mention, ...]]:
    """Return what a label ("Chest X-ray: ...") says of the rest of its line."""
    title, colon, _ = words.lstrip("-*\u2022 ").partition(":")
    if not colon or len(title) > _LABEL_LENGTH:
        return frozenset(), ()
    return section_attributes(title), plain_heading(title)


def _order(words: str) -> frozenset[str]:
    """An instruction ("Start aspirin") is neither done nor merely planned; it bears out both."""
    for part in words.split(":", 1)[::-1]:
        first = _PLEASE.sub("", part.strip(" -*\u2022")).split(" ", 1)[0].lower()
        if first in _ORDERS or first == "to":
            return frozenset({"order"})
    return frozenset()


def plain_heading(title: str) -> tuple[Mention, ...]:
    """Return what a heading names, as said of nothing in particular."""
    return tuple(bare(one) for one in read(title).mentions) if title else ()


def bare(mention: Mention) -> Mention:
    """Return a mention as a heading makes it."""
    return replace(mention, segment=-1, attributes=mention.attributes & {"allergy"} | {"heading"})


def is_title(reading: Reading) -> bool:
    """Return whether a report begins here: an investigation and its date, and nothing said of them."""
    words = [word.low for word in reading.words if word.is_word]
    tests = [one for one in reading.mentions if one.kind is Kind.TEST]
    return (
        bool(tests and reading.dates)
        and not reading.figures
        and len(words) <= _TITLE_WORDS
        and not _FINITE & set(words)
    )


def is_topic(reading: Reading, section: frozenset[str]) -> bool:
    """Return whether a line only names what the lines under it are about."""
    words: Sequence[str] = [word.low for word in reading.words if word.is_word]
    return (
        0 < len(words) <= _TOPIC_WORDS
        and not reading.figures
        and not reading.dates
        and bool(reading.mentions)
        and not _FINITE & set(words)
        and not any((one.attributes - section) & {"negated", "stopped", "planned", "order"} for one in reading.mentions)
        and not any(word.low == ":" for word in reading.words)
    )


def regarding(words: str) -> tuple[Mention, ...]:
    """Return what a sentence says the rest of its line is about: "Regarding his asthma, ..."."""
    opening = _REGARDING.match(words.lstrip("-*\u2022 "))
    return plain_heading(opening["topic"]) if opening else ()


def begins_with_label(words: str) -> bool:
    """Return whether a sentence begins with a label and a colon."""
    return _LABEL.match(words) is not None


def own_attributes(words: str, given: frozenset[str]) -> frozenset[str]:
    """Return what its section gives to a sentence, with what its own form says of it."""
    if "order" in given and (is_statement(words) or _DONE.search(words)):
        given -= {"order"}  # "Plan: she remains on ramipril" tells a fact
    if _DIARY.search(words) and not _TOLD.search(words) and not is_statement(words):
        given |= {"order"}  # "Dressing change Thursday", "CT in 3 months"
    return given | _order(words)


def as_one_statement(words: str) -> str:
    """Return a record of labels and values ("Substance: codeine. Reaction: rash.") as one sentence."""
    return _CELL_END.sub(",", words)
