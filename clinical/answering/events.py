"""What happens while a question is answered: a closed list, matched to the end by every door."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from clinical.domain.passages import Citation


class By(StrEnum):
    """Who wrote a sentence."""

    CODE = "code"
    QUOTE = "quote"
    MODEL = "model"


class Status(StrEnum):
    """How a question ended."""

    ANSWERED = "answered"
    NOT_DOCUMENTED = "not_documented"
    EVIDENCE_ONLY = "evidence_only"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Source:
    """One resource version on the evidence list; `label` is its number in the answer, from 1.

    All citations into the same version (`citation` is the first) carry this number.
    """

    label: int
    title: str
    effective: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class FeedMark:
    """A feed and when its last message was taken in: ISO 8601 with offset."""

    name: str
    last: str


@dataclass(frozen=True, slots=True)
class Absence:
    """What was searched without finding anything. Times are the feeds', not the box's.

    `watermark` is the newest of `feeds`. `unreadable` counts items in quarantine (`quarantined`) and the patient's
    attachments without words (`unread_attachments`, by content type); `unapplied` messages not yet taken in and
    changes the index has not followed; `nameless` entries of the patient with codes only that no table here knows;
    `closed` says that the patient has withdrawn his consent and nothing was searched.
    """

    searched: dict[str, int]
    passages: int
    first: str
    last: str
    watermark: str
    unreadable: int
    unassigned: int
    unapplied: int
    note: str
    feeds: tuple[FeedMark, ...] = ()
    quarantined: int = 0
    unread_attachments: dict[str, int] = field(default_factory=dict)
    nameless: int = 0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class RouteChosen:
    """Which way the question goes, and why."""

    route: str
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """The sources, before any sentence."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence that may be shown, with the words it rests on. `heading` names its section, if any."""

    text: str
    by: By
    citations: tuple[Citation, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class SafetyFinding:
    """One finding of the medication check, computed by code and shown apart from the answer.

    `row` names the table row it rests on, `source`, `edition` and `status` where that row comes from.
    """

    kind: str
    severity: str
    text: str
    citations: tuple[Citation, ...]
    row: str
    source: str
    edition: str
    status: str


@dataclass(frozen=True, slots=True)
class SafetyChecked:
    """What the medication check found, what it covered in one sentence, and what it could not check."""

    findings: tuple[SafetyFinding, ...]
    covered: str
    not_checked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgementAsked:
    """A judgement that only the clinician can give: the words to add to the question, and the choices."""

    key: str
    words: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgementsNeeded:
    """What has to be judged before a score can be computed."""

    asked: tuple[JudgementAsked, ...]


@dataclass(frozen=True, slots=True)
class SentenceWithheld:
    """A drafted sentence that did not pass: its place, reason and sources; its text stays here."""

    reason: str
    citations: tuple[Citation, ...]
    text: str = field(repr=False, default="")  # kept for replay; no door may send it


@dataclass(frozen=True, slots=True)
class ModelUnavailable:
    """No draft was made, and why; quotes and facts stand."""

    reason: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The model is still writing. A door sends something, and so notices a reader who has left."""


@dataclass(frozen=True, slots=True)
class NotDocumented:
    """Nothing in the record bears on the question; what was searched says so."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class AnswerStale:
    """The saved answer may no longer hold: why, since when, and whether what it says may be wrong now."""

    reason: str
    since: datetime
    grave: bool


@dataclass(frozen=True, slots=True)
class Completed:
    """The end: status, counts, the trail's row and the milliseconds of each stage."""

    status: Status
    shown: int
    withheld: int
    audit_id: UUID
    timings_ms: dict[str, float]
    model: dict[str, Any] | None


AnswerEvent = (
    RouteChosen
    | EvidenceFound
    | SafetyChecked
    | JudgementsNeeded
    | SentenceReady
    | SentenceWithheld
    | ModelUnavailable
    | Heartbeat
    | NotDocumented
    | AnswerStale
    | Completed
)
