"""Asking: take a question, then its answer as a whole or as it comes. The services are those of the pages."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.http import StreamingHttpResponse

from clinical.answering import events as told
from clinical.answering import services, stored
from clinical.api import limits, shapes
from clinical.api.borders import code_of
from clinical.api.problems import answer as reply
from clinical.api.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.http import HttpResponse

    from clinical.answering.events import AnswerEvent
    from clinical.api.operation import Call

_OPENING: Final = b"retry: 3000\n: open\n\n"
_HEARTBEAT: Final = b": still here\n\n"
# The event's name, and its keys of the whole answer's shape.
_NAMES: Final[dict[type, tuple[str, tuple[str, ...]]]] = {
    told.RouteChosen: ("route", ("route", "route_reason")),
    told.EvidenceFound: ("sources", ("sources",)),
    told.SafetyChecked: ("medication-check", ("findings", "medication_check")),
    told.JudgementsNeeded: ("judgements", ("judgements",)),
    told.ModelUnavailable: ("no-draft", ("model_unavailable",)),
    told.NotDocumented: ("absence", ("absence",)),
    told.AnswerStale: ("stale", ("stale",)),
    told.Completed: ("complete", ("status", "model", "timings_ms", "audit_id")),
}
EVENTS: Final = ("sentence", *(name for name, _ in _NAMES.values()), "problem", "end")
_log = logging.getLogger(__name__)


def ask(call: Call, patient_id: UUID) -> HttpResponse:
    """Take a question: the access decision, the trail's first row, and where its answer is to be had."""
    limits.check_questions(call.caller.user_id, now=call.clock())
    question = services.ask(call.caller.user, patient_id, call.body.question, clock=call.clock)
    at = f"/api/questions/{question.id}"
    taken = shapes.Question(question.id, patient_id, question.asked_at, f"{at}/answer", f"{at}/events")
    response = reply(taken, status=201)
    response["Location"] = taken.answer
    return response


def whole(call: Call, question_id: UUID) -> dict[str, Any]:
    """Return the answer when it is whole."""
    with limits.running(call.caller.user_id):
        events = services.events(question_id, call.caller.user, clock=call.clock)
        with closing(events):  # type: ignore[type-var]  # what services.events returns are generators
            return stored.as_json(events)


def stream(call: Call, question_id: UUID) -> StreamingHttpResponse:
    """Stream the answer as server-sent events, each with JSON; ends with `end`, or before it with `problem`."""
    slot = limits.Slot(call.caller.user_id)
    try:
        events = services.events(question_id, call.caller.user, clock=call.clock)
    except BaseException:
        slot.release()
        raise
    response = StreamingHttpResponse(Stream(events, slot), content_type="text/event-stream; charset=utf-8")
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store"
    return response


class Stream:
    """The wire form of an answer; closing it stops the model and gives the slot back, begun or not."""

    def __init__(self, events: Iterator[AnswerEvent], slot: limits.Slot) -> None:
        self._events, self._slot = events, slot
        self._wire = self._written()

    def __iter__(self) -> Iterator[bytes]:
        """Return itself."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        return next(self._wire)

    def close(self) -> None:
        """End it."""
        self._wire.close()  # type: ignore[attr-defined]  # a generator
        self._events.close()  # type: ignore[attr-defined]  # a generator
        self._slot.release()

    def _written(self) -> Iterator[bytes]:
        yield _OPENING
        try:
            for event in self._events:
                yield _HEARTBEAT if isinstance(event, told.Heartbeat) else _message(*wire(event))
        except Exception as error:
            code = code_of(error)
            if code == "exception":
                _log.exception("an answer broke off")  # the log names types and places, never values
            yield _message("problem", problem(code))
        else:
            yield _message("end", {})
        finally:
            self._slot.release()


def wire(event: AnswerEvent) -> tuple[str, Any]:
    """Return an event's name and its JSON value; of a withheld sentence no word is in it."""
    shape = stored.as_json([event])
    if isinstance(event, told.SentenceReady | told.SentenceWithheld):
        return "sentence", shape["sentences"][0]
    name, keys = _NAMES[type(event)]
    return name, {key: shape[key] for key in keys}


def _message(name: str, value: object) -> bytes:
    """Return one event. JSON as it is written here has no line end in it (WHATWG HTML, "Server-sent events")."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"
