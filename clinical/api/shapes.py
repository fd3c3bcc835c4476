"""What goes in and out, as types: msgspec decodes and describes by them.

Times are ISO 8601 with offset; clinical dates are as the record has them. A reply may hold further keys later.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - types are read at run time, here and below
from typing import Annotated, Any, Literal
from uuid import UUID  # noqa: TC003

from msgspec import Meta, Struct

from clinical.answering.services import LONGEST_QUESTION

LONGEST_WORDS = 200


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """Words to find patients by: starts of names, birth date, an identifier or a FHIR Patient.id; "" finds all."""

    words: Annotated[str, Meta(max_length=LONGEST_WORDS)] = ""


class Asking(Struct, frozen=True, forbid_unknown_fields=True):
    """A question about one patient."""

    question: Annotated[str, Meta(min_length=1, max_length=LONGEST_QUESTION)]


class Patient(Struct, frozen=True):
    """What identifies a patient to a person; empty where the record gives none."""

    id: UUID
    family: str
    given: str
    birth_date: str
    gender: str
    identifier: str


class Patients(Struct, frozen=True):
    """The caller's own patients who match every word, by family name. `more` when the list was cut."""

    patients: list[Patient]
    more: bool


class Question(Struct, frozen=True):
    """A question taken. `answer` and `events` are addresses; asking for either has it answered."""

    id: UUID
    patient_id: UUID
    asked_at: datetime
    answer: str
    events: str


class Citation(Struct, frozen=True):
    """The words something rests on: `quote` is part[start:end] in Unicode code points of that very version.

    `part` is `text` (the decoded narrative) or `json` (the stored FHIR R4 resource).
    """

    resource: str
    version: str
    part: Literal["text", "json"]
    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=0)]
    quote: str


class Sentence(Struct, frozen=True):
    """One sentence. Of one that is withheld `text` is empty and `reason` says why."""

    text: str
    by: Literal["code", "quote", "model"]
    shown: bool
    reason: str | None
    citations: list[Citation]


class Source(Struct, frozen=True):
    """A source of the answer and its number in it."""

    label: int
    title: str
    effective: str
    citation: Citation


class Absence(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """What was searched without finding anything, up to which message, and what could not be read."""

    searched: dict[str, int]
    passages: int
    first: str
    last: str
    watermark: str
    unreadable: int
    unassigned: int
    unapplied: int
    note: str


class Stale(Struct, frozen=True):
    """Why and since when a saved answer may no longer hold; `grave` when what it says may be wrong now."""

    reason: str
    since: str
    grave: bool


class Answer(Struct, frozen=True):
    """A whole answer, in the shape that the command line prints."""

    route: str
    route_reason: str
    status: Literal["answered", "not_documented", "evidence_only", "refused"]
    sources: list[Source]
    sentences: list[Sentence]
    findings: list[dict[str, Any]]
    medication_check: dict[str, Any] | None
    judgements: list[dict[str, Any]]
    absence: Absence | None
    stale: Stale | None
    model: dict[str, Any] | None
    model_unavailable: str | None
    timings_ms: dict[str, float]
    audit_id: UUID | None


class Fact(Struct, frozen=True):
    """One fact by code. `text` is a sentence for people, `values` the fact as data, by its kind."""

    kind: str
    resource: str
    version: str
    text: str
    effective: str
    citations: list[Citation]
    values: dict[str, Any]


class Facts(Struct, frozen=True):
    """Facts of one kind, newest first; `total` of them are held."""

    kind: str
    total: int
    first: int
    facts: list[Fact]


class Notice(Struct, frozen=True):
    """A line of the banner, never blank: `state` is a code, such as never-asked."""

    text: str
    state: str
    citations: list[Citation]


class Banner(Struct, frozen=True):
    """Whom the chart is about."""

    name: str
    born: str
    age: str
    gender: str
    deceased: str
    identifiers: list[list[str]]
    allergies: Notice
    code_status: Notice


class Entry(Struct, frozen=True):
    """One line of a list."""

    name: str
    text: str
    citations: list[Citation]


class Result(Struct, frozen=True):
    """The newest value of one test, in the record's own digits; `flag` is H, L or "".

    `conflicting` when the record holds another value for the same moment.
    """

    name: str
    sample: str
    value: str
    day: str
    flag: str
    reference: str
    status: str
    previous: str
    previous_day: str
    count: int
    conflicting: bool
    citations: list[Citation]


class Note(Struct, frozen=True):
    """A document with narrative."""

    resource: str
    version: str
    title: str
    effective: str


class FeedTime(Struct, frozen=True):
    """A feed and when its last message was taken in."""

    name: str
    last: datetime


class Chart(Struct, frozen=True):
    """What the chart's page shows, from typed facts."""

    banner: Banner
    problems: list[Entry]
    past_problems: list[Entry]
    medications: list[Entry]
    past_medications: list[Entry]
    results: list[Result]
    vitals: list[Result]
    immunizations: list[Entry]
    notes: list[Note]
    feeds: list[FeedTime]


class SourceText(Struct, frozen=True):
    """Words of one stored version: `quote` is part[start:end], with up to `context` code points on each side.

    `length` is that of the whole part. `about` says what has to be known of a guideline.
    """

    resource: str
    version: str
    is_current: bool
    part: Literal["text", "json"]
    title: str
    effective: str
    length: int
    start: int
    end: int
    before: str
    quote: str
    after: str
    about: str


class IngestStatus(Struct, frozen=True):
    """Where everything that came in went; no patient text.

    received = stored + unchanged + superseded + unassigned + quarantined, of every job that is done.
    """

    jobs: dict[str, int]
    counts: dict[str, int]
    held: dict[str, int | None]
    feeds: list[FeedTime]
    conservation: dict[str, Any]


class Job(Struct, frozen=True):
    """One received file or message; `error` is a code."""

    id: int
    feed: str
    state: Literal["received", "running", "done", "failed"]
    received: int
    stored: int
    unchanged: int
    superseded: int
    unassigned: int
    quarantined: int
    error: str
    created_at: datetime
    finished_at: datetime | None


class Jobs(Struct, frozen=True):
    """Jobs, the newest first; `before` is the id to ask for older ones with, null at the end."""

    jobs: list[Job]
    before: int | None
