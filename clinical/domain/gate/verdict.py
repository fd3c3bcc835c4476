"""What the gate says of one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinical.domain.facts.fact import Fact
    from clinical.domain.passages import Citation, Passage


class Reason(StrEnum):
    """Why a sentence is withheld: a closed list of codes, never patient text."""

    MARKUP = "markup"
    META_TALK = "meta-talk"
    LANGUAGE = "language"
    NO_SOURCE = "no-source"
    OFF_TOPIC = "off-topic"
    SUPERSEDED = "superseded"
    NUMBER_NOT_IN_SOURCE = "number-not-in-source"
    UNIT_DIFFERS = "unit-differs"
    DATE_NOT_IN_SOURCE = "date-not-in-source"
    DRUG_NOT_IN_SOURCE = "drug-not-in-source"
    TEST_NOT_IN_SOURCE = "test-not-in-source"
    CONDITION_NOT_IN_SOURCE = "condition-not-in-source"
    VALUE_OF_ANOTHER = "value-of-another"
    NEGATION_DIFFERS = "negation-differs"
    SUBJECT_DIFFERS = "subject-differs"
    CERTAINTY_DIFFERS = "certainty-differs"
    LATERALITY_DIFFERS = "laterality-differs"
    TIME_DIFFERS = "time-differs"
    RELATION_DIFFERS = "relation-differs"
    NOT_BORNE_OUT = "not-borne-out"


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """A passage and its number in the prompt, from 1."""

    label: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class Verdict:
    """`citations` are the exact words that bear the sentence out; when withheld, what it was checked against.

    `against` is the newer or corrected fact that says otherwise, where that is why it is withheld.
    """

    shown: bool
    reason: Reason | None
    citations: tuple[Citation, ...] = ()
    against: Fact | None = None
