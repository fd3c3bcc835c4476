"""The draft: the model's stream cut into whole sentences, each gated before anybody sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connections

from clinical.answering.events import (
    By,
    Heartbeat,
    ModelUnavailable,
    SentenceReady,
    SentenceWithheld,
)
from clinical.domain.gate import Gate, GateEvidence
from clinical.domain.prompt import Labelled, Prompt, build
from clinical.domain.sentences import SentenceStream
from clinical.ports import BackendUnavailableError, backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.answering.events import AnswerEvent

SEED: Final = 20_260_101
HEARTBEAT_S: Final = 0.5
# Numbers of the prompt's list, not of the page's; the citations themselves say where the words stand.
_MARKER: Final = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


@dataclass(slots=True)
class Draft:
    """What is kept of a draft for replay: the exact prompt, the raw text, and whether it was made."""

    prompt: Prompt | None = None
    text: list[str] = field(default_factory=list)
    unavailable: str = ""


def draft(question: str, sources: Sequence[Labelled], record: Draft) -> Iterator[AnswerEvent]:
    """Draft from the sources and yield each sentence with the gate's verdict.

    Closing the iterator closes the model's stream. `record` is filled as the draft goes.
    """
    if not settings.CLINICAL_DRAFTING:
        record.unavailable = "drafting-switched-off"
        yield ModelUnavailable(record.unavailable)
        return
    prompt, used = build(question, sources, most_chars=settings.CLINICAL_PROMPT_CHARS)
    record.prompt = prompt
    gate = Gate([GateEvidence(source.label, source.passage) for source in used], question=question)
    _release_connections()
    try:
        stream = backends().chat.stream(prompt, max_tokens=settings.CLINICAL_DRAFT_TOKENS, seed=SEED)
    except BackendUnavailableError as error:
        record.unavailable = error.reason or "unavailable"
        yield ModelUnavailable(record.unavailable)
        return
    sentences, last_sign = SentenceStream(), monotonic()
    seen: set[str] = set()
    try:
        for piece in stream:
            record.text.append(piece)
            for sentence in sentences.feed(piece):
                yield from _judge(sentence, gate, seen)
                last_sign = monotonic()
            if monotonic() - last_sign > HEARTBEAT_S:
                yield Heartbeat()
                last_sign = monotonic()
        for sentence in sentences.close():
            yield from _judge(sentence, gate, seen)
    except BackendUnavailableError as error:
        record.unavailable = error.reason or "interrupted"
        yield ModelUnavailable(record.unavailable)
    finally:
        stream.close()


def _judge(sentence: str, gate: Gate, seen: set[str]) -> Iterator[AnswerEvent]:
    """Yield the sentence or its withheld place; a repetition yields nothing."""
    folded = " ".join(sentence.casefold().split())
    if not folded or folded in seen or folded.rstrip(".") == "not stated":
        return
    seen.add(folded)
    verdict = gate.check(sentence)
    if verdict.shown:
        yield SentenceReady(_MARKER.sub("", sentence), By.MODEL, verdict.citations)
    else:
        yield SentenceWithheld(str(verdict.reason or "not-borne-out"), verdict.citations, sentence)


def _release_connections() -> None:
    """Give database connections back before the first token; a model takes seconds."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
