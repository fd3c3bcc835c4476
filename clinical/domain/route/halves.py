"""A look-up asked for two times: "Na on admission and latest Na", "K on admission and at discharge"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.route.intents import Act, Topic
from clinical.domain.route.reading import Reading, read_question
from clinical.domain.route.subjects import find_topic

if TYPE_CHECKING:
    from clinical.domain.route.vocabulary import Vocabulary

_SEAM: Final = re.compile(
    r"\s*[,;]?\s+(?:and|&|\+|plus|vs\.?|versus|then|compared (?:to|with)|as well as)\s+(?:then |also |the |what )?",
    re.IGNORECASE,
)
_DANGLING: Final = re.compile(r"\s(?:before|after|on|at|during|since|pre|post|prior to|following)\s*$", re.IGNORECASE)
_LEADING: Final = re.compile(
    r"^(?:before|after|on|at|during|since|pre|post|prior to|following)\b[- ]?\s*", re.IGNORECASE
)
_BARE_MONTH: Final = re.compile(
    r"(?<!in )(?<!of )(?<!since )(?<!before )(?<!after )(?<!last )\b"
    r"(?=(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\s*$)",
    re.IGNORECASE,
)
_POINTS: Final = frozenset({Act.FIRST, Act.LATEST, Act.PREVIOUS, Act.HIGHEST, Act.LOWEST})


def two_times(question: str, vocabulary: Vocabulary) -> tuple[str, str] | None:
    """Return a question as two, each with its own time; None where it does not ask a test at two times.

    The test named once is meant in both; a month or year behind the second event ("on admission and at discharge in
    May") belongs to both.
    """
    for seam in _SEAM.finditer(question):
        left, right = question[: seam.start()], question[seam.end() :].rstrip(" ?.")
        if _DANGLING.search(left) and _LEADING.match(right):  # "before and after the operation"
            left = f"{left} {_LEADING.sub('', right)}"
        left, right = (_BARE_MONTH.sub("in ", half) for half in (left, right))
        first = read_question(left, vocabulary)
        name = _measured(first)
        if not name or not _is_timed(first):
            continue
        second = read_question(right, vocabulary)
        if not second.mentions and not second.unread(()):
            right = f"{name} {right}"
            second = read_question(right, vocabulary)
        if not _measured(second) or not _is_timed(second) or _same_time(first, second):
            continue
        if first.moment and second.moment and not (first.window and second.window):
            left, right = _shared(left, first, second), _shared(right, second, first)
        return left, right
    return None


def _measured(reading: Reading) -> str:
    """Return the words of the test that a reading is about; "" where it is about something else."""
    found = find_topic(reading)
    if found is None or found[0].topic is not Topic.MEASURE or not found[1]:
        return ""
    return found[1][0].name


def _is_timed(reading: Reading) -> bool:
    return reading.window is not None or reading.moment is not None or bool(_POINTS & set(reading.acts))


def _same_time(one: Reading, other: Reading) -> bool:
    """Whether one reading of the whole would do: neither half names a stretch of time, or both the same."""
    if one.window is None and one.moment is None and other.window is None and other.moment is None:
        return True
    return (one.window, one.moment, set(one.acts)) == (other.window, other.moment, set(other.acts))


def _shared(half: str, own: Reading, other: Reading) -> str:
    """Return a half with the stretch of time that only the other one names."""
    return f"{half} {other.window.words}" if own.window is None and other.window is not None else half
