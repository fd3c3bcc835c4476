"""An answer as JSON: for `ask --json`, for storing, and for replaying on reconnect."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, assert_never
from uuid import UUID

from clinical.answering.events import (
    Absence,
    AnswerEvent,
    By,
    Completed,
    EvidenceFound,
    Heartbeat,
    ModelUnavailable,
    NotDocumented,
    RouteChosen,
    SentenceReady,
    SentenceWithheld,
    Source,
    Status,
)
from clinical.domain.passages import Citation, Part, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def as_json(events: Iterable[AnswerEvent]) -> dict[str, Any]:
    """Return the `ask` shape; a withheld sentence keeps its text out of it."""
    result: dict[str, Any] = {
        "route": "",
        "route_reason": "",
        "status": Status.REFUSED.value,
        "sources": [],
        "sentences": [],
        "findings": [],
        "absence": None,
        "model": None,
        "model_unavailable": None,
        "timings_ms": {},
        "audit_id": None,
    }
    for event in events:
        match event:
            case RouteChosen(route, reason):
                result |= {"route": route, "route_reason": reason}
            case EvidenceFound(sources):
                result["sources"] = [_source(source) for source in sources]
            case SentenceReady(text, by, citations):
                result["sentences"].append(
                    {
                        "text": text,
                        "by": by.value,
                        "shown": True,
                        "reason": None,
                        "citations": [citation_json(one) for one in citations],
                    }
                )
            case SentenceWithheld(reason, citations):
                result["sentences"].append(
                    {
                        "text": "",
                        "by": By.MODEL.value,
                        "shown": False,
                        "reason": reason,
                        "citations": [citation_json(one) for one in citations],
                    }
                )
            case ModelUnavailable(reason):
                result["model_unavailable"] = reason
            case NotDocumented(absence):
                result["absence"] = _absence(absence)
            case Completed():
                result |= {
                    "status": event.status.value,
                    "model": event.model,
                    "timings_ms": event.timings_ms,
                    "audit_id": str(event.audit_id),
                }
            case Heartbeat():
                pass
            case _:
                assert_never(event)
    return result


def events_from(result: dict[str, Any]) -> Iterator[AnswerEvent]:
    """Yield a stored answer's events again, in the order they were shown."""
    yield RouteChosen(result["route"], result["route_reason"])
    if result["sources"]:
        yield EvidenceFound(tuple(_source_from(one) for one in result["sources"]))
    sentences = result["sentences"]
    for sentence in sentences:
        citations = tuple(citation_from(one) for one in sentence["citations"])
        if sentence["shown"]:
            yield SentenceReady(sentence["text"], By(sentence["by"]), citations)
        else:
            yield SentenceWithheld(sentence["reason"], citations)
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
    return Absence(first=rest.pop("from"), last=rest.pop("to"), **rest)
