"""Answer events as HTML fragments. The record's words are untrusted: every template escapes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, Final, assert_never

from django.template.loader import render_to_string

from clinical.answering.events import (
    AnswerEvent,
    AnswerStale,
    By,
    Completed,
    EvidenceFound,
    Heartbeat,
    JudgementsNeeded,
    ModelUnavailable,
    NotDocumented,
    RouteChosen,
    SafetyChecked,
    SentenceReady,
    SentenceWithheld,
)
from clinical.domain.medication_safety.report import UNVERIFIED
from clinical.domain.passages import Part
from clinical.web import wording
from clinical.web.readable import readable_quote
from clinical.web.source_links import source_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from clinical.answering.events import Absence, SafetyFinding, Source
    from clinical.domain.passages import Citation

# The model's own source marks, "[1]": the numbered links say the same in the page's numbers.
_MARKERS: Final = re.compile(r"\s*\[\d{1,2}(?:\s*,\s*\d{1,2})*\]")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One piece of the answer: the event's name says where on the page it goes."""

    name: str
    html: str


@dataclass(frozen=True, slots=True)
class CitationLink:
    """A numbered link to the cited words."""

    label: str
    url: str
    title: str
    effective: str
    quote: str


class AnswerFragments:
    """Renders one answer; numbers a source alike wherever it is cited."""

    def __init__(self, patient_id: UUID, question_id: UUID | None = None) -> None:
        self._patient_id = patient_id
        self._question_id = question_id  # without it no form can be shown
        self._sources: dict[tuple[str, str], list[tuple[Citation, int]]] = {}
        self._described: dict[int, Source] = {}
        self._highest = 0
        self._heading = ""

    def render(self, event: AnswerEvent) -> Fragment | None:
        """Return the fragment of an event; None for a sign of life."""
        match event:
            case EvidenceFound(sources):
                return _fragment("sources", sources=[self._source(source) for source in sources])
            case SafetyChecked(findings, covered, not_checked):
                shown = [self._finding(one) for one in findings]
                return _fragment("safety", findings=shown, covered=covered, not_checked=not_checked)
            case JudgementsNeeded(asked):
                return _fragment("judgements", asked=asked, question_id=self._question_id)
            case SentenceReady():
                return self._sentence(event)
            case SentenceWithheld(reason, citations):
                # The event's text is kept for replay; it is not even given to the template. Nor are the cited words:
                # where the model copied the record, they are the very sentence that is withheld.
                links = [replace(link, quote="") for link in self._links(citations)]
                return _fragment("withheld", reason=wording.withheld(reason), citations=links)
            case Heartbeat():
                return None
            case _:
                return _without_sources(event)

    def _sentence(self, event: SentenceReady) -> Fragment:
        """Return a sentence's fragment, under its heading where that differs from the one before."""
        heading, self._heading = event.heading if event.heading != self._heading else "", event.heading
        return _fragment(
            "sentence",
            heading=heading,
            text=_MARKERS.sub("", event.text) if event.by is By.MODEL else event.text,
            by=event.by.value,
            author=wording.author(event.by),
            citations=self._links(event.citations),
        )

    def _finding(self, finding: SafetyFinding) -> dict[str, Any]:
        return {
            "finding": finding,
            "severity": wording.severity(finding.severity),
            "unverified": finding.status == UNVERIFIED,
            "citations": self._links(finding.citations),
        }

    def _source(self, source: Source) -> CitationLink:
        self._remember(source.citation, source.label)
        self._described[source.label] = source
        return self._link(source.citation, source.label)

    def _links(self, citations: Sequence[Citation]) -> list[CitationLink]:
        """Return a link for each citation; several of one source in one sentence are 1a, 1b ..."""
        labels = [self._label(citation) for citation in citations]
        return [
            self._link(citation, label, _letter(labels, place))
            for place, (citation, label) in enumerate(zip(citations, labels, strict=True))
        ]

    def _link(self, citation: Citation, label: int, letter: str = "") -> CitationLink:
        source = self._described.get(label)
        structured = citation.span.part is Part.JSON
        return CitationLink(
            label=f"{label}{letter}",
            url=source_url(self._patient_id, citation),
            title=source.title if source else citation.span.resource,
            effective=source.effective if source else "",
            quote=readable_quote(citation.quote) if structured else citation.quote,
        )

    def _label(self, citation: Citation) -> int:
        """Return the number of the listed source these words lie in, of its document, or the next one."""
        span = citation.span
        known = self._sources.get((span.resource, span.version), [])
        for listed, label in known:
            if listed.span.part is span.part and listed.span.start <= span.start < listed.span.end:
                return label
        if known:
            return known[0][1]
        self._remember(citation, self._highest + 1)
        return self._highest

    def _remember(self, citation: Citation, label: int) -> None:
        self._sources.setdefault((citation.span.resource, citation.span.version), []).append((citation, label))
        self._highest = max(self._highest, label)


def _without_sources(
    event: RouteChosen | ModelUnavailable | NotDocumented | AnswerStale | Completed,
) -> Fragment:
    match event:
        case RouteChosen(route, reason):
            return _fragment("route", route=wording.route(route), reason=reason)
        case ModelUnavailable(reason):
            return _fragment("unavailable", reason=wording.unavailable(reason))
        case NotDocumented(absence):
            return _fragment("absence", absence=absence, searched=_searched(absence))
        case AnswerStale(reason):
            return _fragment("stale", stale=event, words=wording.stale(reason))
        case Completed():
            return _fragment("completed", done=event, status=wording.status(event.status))
        case _:
            assert_never(event)


def _letter(labels: list[int], place: int) -> str:
    if labels.count(labels[place]) == 1:
        return ""
    return ascii_lowercase[labels[:place].count(labels[place]) % len(ascii_lowercase)]


def _searched(absence: Absence) -> list[tuple[str, int]]:
    ordered = sorted(absence.searched.items(), key=lambda item: (-item[1], item[0]))
    return [(wording.resource_type(name), count) for name, count in ordered]


def _fragment(name: str, **context: Any) -> Fragment:
    return Fragment(name, render_to_string(f"answer/_{name}.html", context).strip())
