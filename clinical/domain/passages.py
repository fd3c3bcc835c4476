"""Spans, passages and citations: the exact words a sentence rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import date

NAMESPACE = UUID("6f0c3c5e-8a55-5f0e-9c2c-5d6f3b0f7a11")


class Part(StrEnum):
    """Which decoded part of a resource version offsets count in."""

    TEXT = "text"  # the decoded attachment or narrative
    JSON = "json"  # the stored R4 bytes, decoded as UTF-8


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters [start, end) of one part of one resource version.

    Offsets are Unicode code points of the decoded part, not normalised.
    `resource` is "Type/id"; `version` the stored version's id.
    """

    resource: str
    version: str
    part: Part
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError("a span needs 0 <= start < end")


@dataclass(frozen=True, slots=True)
class Citation:
    """A span and its words: `quote == part[start:end]`, always."""

    span: Span
    quote: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of narrative of one patient's record, or of a guideline.

    `effective` is the FHIR date or dateTime of the resource as recorded ("2024-03", "2024-03-05T10:00:00Z"),
    empty when the record gives none. `title` and `section` are display only.
    """

    passage_id: UUID
    span: Span
    text: str
    resource_type: str
    effective: str = ""
    title: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True)
class PassagePoint:
    """What the index holds of a patient's passage: ids, tenant, filter fields, vectors; never text."""

    passage_id: UUID
    tenant: UUID
    resource_type: str
    labels: tuple[str, ...]
    dense: tuple[float, ...]
    sparse_indices: tuple[int, ...]
    sparse_values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GuidelinePoint:
    """What the index holds of a guideline passage. `expires` is the last day of validity, inclusive."""

    passage_id: UUID
    edition: str
    jurisdiction: str
    approver: str
    expires: date
    dense: tuple[float, ...]
    sparse_indices: tuple[int, ...]
    sparse_values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PassageHit:
    """One retrieval result: `score` orders hits of one query only, greater is better."""

    passage_id: UUID
    score: float


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """What to look for; `limit` counts passages after fusion, 1..200. Empty `resource_types` means all."""

    text: str
    resource_types: frozenset[str] = frozenset()
    limit: int = 40

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= 200:
            raise ValueError("limit must be 1..200 passages")


def passage_id(version_key: str, part: Part, start: int, end: int) -> UUID:
    """Return the id of the passage at these offsets; the same place always has the same id."""
    return uuid5(NAMESPACE, f"{version_key}:{part}:{start}:{end}")
