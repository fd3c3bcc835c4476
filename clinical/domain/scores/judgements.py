"""Judgements that only the clinician can make: read from the question, and asked for where they are not in it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.scores.tables import read

if TYPE_CHECKING:
    from collections.abc import Mapping

_YES_NO: Final = {
    "yes": ("yes", "y", "true", "present", "positive"),
    "no": ("no", "n", "false", "absent", "negative", "none"),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement to ask for. `words` are the exact words to add to the question, followed by one of `options`."""

    key: str
    words: str
    options: tuple[str, ...] = ("yes", "no")

    def how_to_add(self) -> str:
        """Return what to write: `"haemoptysis: yes" or "haemoptysis: no"`."""
        return " or ".join(f'"{self.words}: {option}"' for option in self.options)


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of a score as the table has it; `points` are its digits, "" where the item has none of its own."""

    key: str
    label: str
    points: str
    evidence: tuple[str, ...]
    hint: tuple[str, ...]
    history: bool
    words: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]

    def judgement(self) -> Judgement:
        """Return the question to the clinician."""
        return Judgement(self.key, self.words[0], tuple(option for option, _ in self.options))


@cache
def items_of(score: str) -> tuple[ItemRow, ...]:
    """Return the items of a score in the order of its source; none for a score that only measures."""
    rows: list[dict[str, Any]] = read("items")["scores"].get(score, [])
    return tuple(
        ItemRow(
            key=row["key"],
            label=row["label"],
            points=row.get("points", ""),
            evidence=tuple(row.get("evidence", ())),
            hint=tuple(row.get("hint", ())),
            history=row.get("history", False),
            words=tuple(row.get("words", ())),
            options=tuple((key, tuple(words)) for key, words in row.get("options", _YES_NO).items()),
        )
        for row in rows
    )


def answers_in(question: str, score: str) -> Mapping[str, str]:
    """Return the judgements that a question states, by item: "haemoptysis: yes", "no haemoptysis".

    An item that is answered in two ways is left out, and so asked for.
    """
    text = plain(question)
    found: dict[str, str] = {}
    for row in items_of(score):
        said = _said(text, row)
        if len(said) == 1:
            found[row.key] = said.pop()
    return found


def without_answers(text: str, score: str) -> str:
    """Return plain text without the words of a score's judgements and of their answers."""
    for row in items_of(score):
        for words in row.words:
            text = re.sub(rf"\b{re.escape(plain(words))}\b", " ", text)
        for _, options in row.options:
            for option in options:
                text = re.sub(rf"\b{re.escape(option)}\b", " ", text)
    return text


def plain(text: str) -> str:
    """Return lower-case text with compatibility characters folded and white space single."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def _said(text: str, row: ItemRow) -> set[str]:
    options = {word: option for option, words in row.options for word in words}
    choice = "|".join(re.escape(word) for word in sorted(options, key=len, reverse=True))
    # The longest words first, so that "previous dvt or pe: yes" is not read as an answer to "previous dvt".
    for words in sorted(map(plain, row.words), key=len, reverse=True):
        direct = re.findall(rf"\b{re.escape(words)}\b(?: is| was|\s?[:=\u2013-])? ?\b({choice})\b", text)
        if direct:
            return {options[word] for word in direct}
    if dict(row.options).keys() != _YES_NO.keys():
        return {option for word, option in options.items() if len(word) > 2 and re.search(rf"\bon {word}\b", text)}
    for words in sorted(map(plain, row.words), key=len, reverse=True):
        if re.search(rf"\b(?:no|without|not) {re.escape(words)}\b(?! ?[:=])", text):
            return {"no"}
    return set()
