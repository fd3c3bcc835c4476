"""A guideline document with its provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - part of a public dataclass


@dataclass(frozen=True, slots=True)
class GuidelineSection:
    """Characters [start, end) of the document's text under one heading path ("Treatment > First line")."""

    heading: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class GuidelineDocument:
    """One edition of one guideline. `expires` is its last valid day, inclusive."""

    title: str
    edition: str
    source: str
    approver: str
    jurisdiction: str
    expires: date
    text: str
    sections: tuple[GuidelineSection, ...] = field(default=())
