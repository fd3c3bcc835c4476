"""Routing of questions, and the answers that code gives: pure, deterministic, explained."""

from clinical.domain.route.answer import answer_by_code, lacks_a_half
from clinical.domain.route.grammar import route
from clinical.domain.route.intents import (
    Act,
    CodeAnswer,
    CodeSentence,
    Intent,
    Route,
    RouteKind,
    Topic,
)
from clinical.domain.route.vocabulary import Vocabulary, vocabulary_of

__all__ = [
    "Act",
    "CodeAnswer",
    "CodeSentence",
    "Intent",
    "Route",
    "RouteKind",
    "Topic",
    "Vocabulary",
    "answer_by_code",
    "lacks_a_half",
    "route",
    "vocabulary_of",
]
