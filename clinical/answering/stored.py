"""An answer as JSON: for `ask --json`, for storing, and for replaying on reconnect."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from clinical.answering.events import (
    Absence,
    AnswerEvent,
    AnswerStale,
    By,
    Completed,
    EvidenceFound,
    FeedMark,
    Heartbeat,
    JudgementAsked,
    JudgementsNeeded,
    ModelUnavailable,
    NotDocumented,
    RouteChosen,
    SafetyChecked,
    SafetyFinding,
    SentenceReady,
    SentenceWithheld,
    Source,
    Status,
)
from clinical.domain.passages import Citation, Part, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_Single = (
    RouteChosen
    | EvidenceFound
    | SafetyChecked
    | JudgementsNeeded
    | ModelUnavailable
    | NotDocumented
    | AnswerStale
    | Completed
)


def as_json(events: Iterable[AnswerEvent]) -> dict[str, Any]:
    """Return the `ask` shape; a withheld sentence keeps its text out of it."""
    result: dict[str, Any] = {
        "route": "",
        "route_reason": "",
        "status": Status.REFUSED.value,
        "sources": [],
        "sentences": [],
        "findings": [],
        "medication_check": None,
        "judgements": [],
        "absence": None,
        "stale": None,
        "model": None,
        "model_unavailable": None,
        "timings_ms": {},
        "audit_id": None,
    }
    for event in events:
        match event:
            case SentenceReady() | SentenceWithheld():
                result["sentences"].append(_sentence(event))
            case Heartbeat():
                pass
            case _:
                result |= _values(event)
    return result


def _values(event: _Single) -> dict[str, Any]:
    """Return the keys of an event that an answer has at most one of."""
    match event:
        case RouteChosen(route, reason):
            return {"route": route, "route_reason": reason}
        case EvidenceFound(sources):
            return {"sources": [_source(source) for source in sources]}
        case SafetyChecked(findings, covered, not_checked):
            check = {"covered": covered, "not_checked": list(not_checked)}
            return {"findings": [_finding(one) for one in findings], "medication_check": check}
        case JudgementsNeeded(asked):
            return {"judgements": [asdict(one) for one in asked]}
        case ModelUnavailable(reason):
            return {"model_unavailable": reason}
        case NotDocumented(absence):
            return {"absence": _absence(absence)}
        case AnswerStale(reason, since, grave):
            return {"stale": {"reason": reason, "since": since.isoformat(timespec="seconds"), "grave": grave}}
        case Completed():
            names = ("model", "timings_ms")
            values = {name: getattr(event, name) for name in names}
            return {"status": event.status.value, "audit_id": str(event.audit_id), **values}
        case _:
            assert_never(event)


def events_from(result: dict[str, Any]) -> Iterator[AnswerEvent]:
    """Yield a stored answer's events again, in the order they were shown."""
    yield RouteChosen(result["route"], result["route_reason"])
    if result["sources"]:
        yield EvidenceFound(tuple(_source_from(one) for one in result["sources"]))
    if result.get("medication_check"):
        check = result["medication_check"]
        findings = tuple(_finding_from(one) for one in result["findings"])
        yield SafetyChecked(findings, check["covered"], tuple(check["not_checked"]))
    sentences = result["sentences"]
    yield from map(_sentence_from, sentences)
    if result.get("judgements"):
        asked = (JudgementAsked(one["key"], one["words"], tuple(one["options"])) for one in result["judgements"])
        yield JudgementsNeeded(tuple(asked))
    if result["absence"]:
        yield NotDocumented(_absence_from(result["absence"]))
    if result["model_unavailable"]:
        yield ModelUnavailable(result["model_unavailable"])
    if result["audit_id"]:
        yield Completed(
            status=Status(result["status"]),
            shown=sum(sentence["shown"] for sentence in sentences),
            withheld=sum(not sentence["shown"] for sentence in sentences),
            audit_id=UUID(result["audit_id"]),
            timings_ms=result["timings_ms"],
            model=result["model"],
        )


def _sentence(event: SentenceReady | SentenceWithheld) -> dict[str, Any]:
    """Return a sentence; a withheld one without its text."""
    return {
        "text": event.text if isinstance(event, SentenceReady) else "",
        "by": event.by.value if isinstance(event, SentenceReady) else By.MODEL.value,
        "shown": isinstance(event, SentenceReady),
        "reason": None if isinstance(event, SentenceReady) else event.reason,
        "heading": event.heading if isinstance(event, SentenceReady) else "",
        "citations": [citation_json(one) for one in event.citations],
    }


def _sentence_from(sentence: dict[str, Any]) -> SentenceReady | SentenceWithheld:
    citations = tuple(citation_from(one) for one in sentence["citations"])
    if sentence["shown"]:
        return SentenceReady(sentence["text"], By(sentence["by"]), citations, sentence.get("heading", ""))
    return SentenceWithheld(sentence["reason"], citations)


def _finding(finding: SafetyFinding) -> dict[str, Any]:
    values = {
        name: getattr(finding, name) for name in ("kind", "severity", "text", "row", "source", "edition", "status")
    }
    return {**values, "citations": [citation_json(one) for one in finding.citations]}


def _finding_from(one: dict[str, Any]) -> SafetyFinding:
    return SafetyFinding(**{**one, "citations": tuple(citation_from(cited) for cited in one["citations"])})


def citation_json(citation: Citation) -> dict[str, Any]:
    """Return a citation in the shape every door uses."""
    span = citation.span
    return {
        "resource": span.resource,
        "version": span.version,
        "part": span.part.value,
        "start": span.start,
        "end": span.end,
        "quote": citation.quote,
    }


def citation_from(one: dict[str, Any]) -> Citation:
    """Return the citation of its JSON shape."""
    span = Span(one["resource"], one["version"], Part(one["part"]), one["start"], one["end"])
    return Citation(span, one["quote"])


def _source(source: Source) -> dict[str, Any]:
    return {
        "label": source.label,
        "title": source.title,
        "effective": source.effective,
        "citation": citation_json(source.citation),
    }


def _source_from(one: dict[str, Any]) -> Source:
    return Source(one["label"], one["title"], one["effective"], citation_from(one["citation"]))


def _absence(absence: Absence) -> dict[str, Any]:
    values = asdict(absence)
    return {"from": values.pop("first"), "to": values.pop("last"), **values}


def _absence_from(values: dict[str, Any]) -> Absence:
    rest = dict(values)
    feeds = tuple(FeedMark(**one) for one in rest.pop("feeds", ()))
    return Absence(first=rest.pop("from"), last=rest.pop("to"), feeds=feeds, **rest)
