"""Whether a sentence is about what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.gate.reading import read

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window


@dataclass(frozen=True, slots=True)
class Topic:
    """The clinical concepts a question names; empty when it names none."""

    keys: frozenset[str]


def topic_of(question: str) -> Topic:
    """Read what a question is about. Its wording is never evidence."""
    reading = read(question, loose=True)
    return Topic(frozenset(one.key for one in reading.mentions if one.clinical))


def about(claim: Reading, window: Window, topic: Topic) -> bool:
    """Return whether the sentence, or the evidence it rests on, names something the question asked about."""
    return not topic.keys or bool(topic.keys & (claim.keys | window.keys))
