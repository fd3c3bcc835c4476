"""What a question asks for, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clinical.domain.facts.fact import Fact, MeasureKey
    from clinical.domain.projection.elements import Path
    from clinical.domain.route.moments import Moment
    from clinical.domain.route.times import Between, Window


class RouteKind(StrEnum):
    """Who answers: typed facts, the narrative, or both."""

    CODE = "code"
    NOTES = "notes"
    BOTH = "code+notes"


class Topic(StrEnum):
    """What the question is about."""

    MEASURE = "measure"
    VITALS = "vitals"
    RESULTS = "results"
    MEDICATION = "medication"
    MEDICATIONS = "medications"
    PAST_MEDICATIONS = "past-medications"
    ALLERGY = "allergy"
    ALLERGIES = "allergies"
    PROBLEM = "problem"
    PROBLEMS = "problems"
    PAST_PROBLEMS = "past-problems"
    IMMUNIZATION = "immunization"
    IMMUNIZATIONS = "immunizations"
    PROCEDURE = "procedure"
    PROCEDURES = "procedures"
    ENCOUNTERS = "encounters"
    CODE_STATUS = "code-status"
    IDENTITY = "identity"
    FAMILY = "family"
    REPORT = "report"
    REPORTS = "reports"
    PANEL = "panel"
    PENDING = "pending"
    ABNORMAL = "abnormal"
    CHANGES = "changes"
    CONFLICTS = "conflicts"
    DUE = "due"
    PLANS = "plans"
    APPOINTMENTS = "appointments"


class Act(StrEnum):
    """What is asked of the topic. STATUS is "is it so?", the reading when nothing else is said."""

    WHY = "why"
    HIGHEST = "highest"
    LOWEST = "lowest"
    FIRST = "first"
    PREVIOUS = "previous"
    TREND = "trend"
    COUNT = "count"
    WHEN = "when"
    DOSE = "dose"
    SERIES = "series"
    LATEST = "latest"
    ABOVE = "above"
    BELOW = "below"
    STATUS = "status"
    ENDED = "ended"
    HOW_LONG = "how-long"
    WHO = "who"
    WHERE = "where"
    JUDGED = "judged"


# Topics whose entries may carry a recorded reason; any other "why" is for the notes.
REASONED: Final = frozenset({Topic.MEDICATION, Topic.ENCOUNTERS, Topic.PROCEDURE})


@dataclass(frozen=True, slots=True)
class Intent:
    """A look-up. `target` is the comparable name asked about; `said` the words as typed.

    `key` (measurements only) has sample "" when the question names none. `threshold` are the digits of
    "above 6.5"; `inclusive`: the number itself counts too ("at least 6.5"); `upper`: the second number of
    "between 6 and 8". `corrections` are (typed, read as) pairs. `detail` narrows a topic ("inpatient").
    `also` are further look-ups of the same question; `apart` those with a time of their own ("on admission and the
    latest"); `instead` other readings of the same words, tried when this one finds nothing. `qualified` are words that
    make it another question ("glucose tolerance", "potassium on admission"): what is found is then related, and no
    answer. `narrowed` are further names
    that the same entry must have ("breast" beside "tumour"). `code` is a code as typed, lower case: only entries
    that carry it count. `unit` is the UCUM code of the unit asked for or compared in. `moment` is the event that time
    is counted from; `answer_by_code` looks it up and puts the stretch of time meant into `window`.
    `take` is how many of the newest are asked for ("the last three").
    """

    topic: Topic
    acts: tuple[Act, ...] = (Act.STATUS,)
    target: str = ""
    said: str = ""
    key: MeasureKey | None = None
    window: Window | Between | None = None
    threshold: str = ""
    inclusive: bool = False
    upper: str = ""
    detail: str = ""
    corrections: tuple[tuple[str, str], ...] = ()
    also: tuple[Intent, ...] = ()
    apart: tuple[Intent, ...] = ()
    instead: tuple[Intent, ...] = ()
    qualified: tuple[str, ...] = ()
    narrowed: tuple[str, ...] = ()
    code: str = ""
    unit: str = ""
    moment: Moment | None = None
    take: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers and why, in words for the reader. `intent` is None for pure narrative questions."""

    kind: RouteKind
    reason: str
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class CodeSentence:
    """A sentence computed from facts, with the JSON paths it rests on: the value's, then name and date.

    `heading` groups sentences of a longer answer (a summary's sections); "" in a short one.
    """

    text: str
    citations_from: tuple[tuple[Fact, Path], ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class CodeAnswer:
    """What code can say.

    `answered` False means that the facts hold no answer: the caller searches the narrative and then
    proves the absence of `absent` (what was looked for, in words); sentences are then only notes that hold no value
    (not reported yet, entered in error) and may stand beside it. `related` are facts near the question
    that do not answer it (urine potassium when blood was meant); they may be shown beside the absence.
    """

    sentences: tuple[CodeSentence, ...] = ()
    answered: bool = False
    absent: str | None = None
    related: tuple[CodeSentence, ...] = ()
