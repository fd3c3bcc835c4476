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
    from clinical.ports import ChatStream

SEED: Final = 20_260_101
HEARTBEAT_S: Final = 0.5
# A draft that has lost its way does not find it again: it is ended, and the model's slot is free.
MOST_WITHHELD_IN_A_ROW: Final = 3
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
    judge, last_sign = _Judge(gate), monotonic()
    try:
        for sentence in _sentences(stream, record):
            if sentence is not None:
                yield from judge.of(sentence)
                last_sign = monotonic()
            elif monotonic() - last_sign > HEARTBEAT_S:
                yield Heartbeat()
                last_sign = monotonic()
            if judge.withheld_in_a_row >= MOST_WITHHELD_IN_A_ROW:
                return
    except BackendUnavailableError as error:
        record.unavailable = error.reason or "interrupted"
        yield ModelUnavailable(record.unavailable)
    finally:
        stream.close()


def _sentences(stream: ChatStream, record: Draft) -> Iterator[str | None]:
    """Yield whole sentences as they are decided, and None for each piece that decides none."""
    sentences = SentenceStream()
    for piece in stream:
        record.text.append(piece)
        yield from sentences.feed(piece) or (None,)
    # What the token limit cut off is no sentence: its end, which may change its meaning, was never written.
    yield from (rest for rest in sentences.close() if rest.rstrip().endswith((".", "!", "?", "]")))


class _Judge:
    """Puts each different sentence before the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._seen: set[str] = set()
        self.withheld_in_a_row = 0

    def of(self, sentence: str) -> Iterator[AnswerEvent]:
        """Yield the sentence or its withheld place; a repetition yields nothing."""
        folded = " ".join(sentence.casefold().split())
        if not folded or folded in self._seen or folded.rstrip(".") == "not stated":
            return
        self._seen.add(folded)
        verdict = self._gate.check(sentence)
        if verdict.shown:
            self.withheld_in_a_row = 0
            yield SentenceReady(_MARKER.sub("", sentence), By.MODEL, verdict.citations)
        else:
            self.withheld_in_a_row += 1
            yield SentenceWithheld(str(verdict.reason or "not-borne-out"), verdict.citations, sentence)


def _release_connections() -> None:
    """Give database connections back before the first token; a model takes seconds."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
