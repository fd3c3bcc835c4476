"""What a search of the notes for a question has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinical.domain.passages import Citation


class Sufficiency(StrEnum):
    """Whether the quotes answer the question, and if not, what is wanting."""

    ANSWERED = "answered"
    NO_FOCUS = "no-focus"
    NOT_MENTIONED = "not-mentioned"
    NOT_ANSWERED = "not-answered"


@dataclass(frozen=True, slots=True)
class QuoteResult:
    """Verbatim sentences, best first. `answered` is false when none of them answers the question.

    `untold`: of several conditions asked about ("a rash or fever") those that no sentence was found on.
    """

    quotes: tuple[Citation, ...]
    answered: bool
    sufficiency: Sufficiency
    untold: tuple[str, ...] = ()
