"""The draft: the model's stream cut into whole sentences, each gated before anybody sees it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import connections

from clinical.answering.events import Heartbeat, ModelUnavailable
from clinical.answering.gate_version import gate_digest
from clinical.answering.judging import Judge, Judged, whole
from clinical.answering.switches import SWITCHED_OFF, drafting_allowed
from clinical.domain.gate import has_rules_for
from clinical.domain.prompt import Labelled, Prompt, build, template_digest
from clinical.domain.sentences import SentenceStream
from clinical.ports import BackendUnavailableError, backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clinical.answering.events import AnswerEvent
    from clinical.answering.judging import Tell
    from clinical.domain.facts import Fact
    from clinical.ports import ChatStream

SEED: Final = 20_260_101
TEMPERATURE: Final = 0  # what the ChatModel port promises
NOTHING_USABLE: Final = "nothing-to-draft-from"
HEARTBEAT_S: Final = 0.5


@dataclass(slots=True)
class Draft:
    """What is kept of a draft for replay: the exact prompt, its passages, the raw text, each verdict.

    `ended` says how: `complete` (the model stopped, or its token limit did), `lost-its-way`, `switched-off`,
    `unavailable`; "" while it runs, and when the reader left. `last_version` is the primary key of the newest
    version of the patient's record when it was read: the facts the gate knew.
    """

    prompt: Prompt | None = None
    sources: list[Labelled] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    unavailable: str = ""
    ended: str = ""
    last_version: int = 0

    def kept(self) -> dict[str, Any]:
        """Return what replay needs, as JSON; it names passages by version and place, and holds the draft's words."""
        if self.prompt is None:
            return {"prompt": None, "text": ""}
        return {
            "prompt": [self.prompt.system, self.prompt.user],
            "text": "".join(self.text),
            "ended": self.ended,
            "sources": [_source(source) for source in self.sources],
            "judged": [one.as_json() for one in self.judged],
            "last_version": self.last_version,
            "settings": {
                "seed": SEED,
                "temperature": TEMPERATURE,
                "max_tokens": settings.CLINICAL_DRAFT_TOKENS,
                "prompt_chars": settings.CLINICAL_PROMPT_CHARS,
                "template": template_digest(),
                "gate": gate_digest(),
            },
        }


def draft(
    question: str, sources: Sequence[Labelled], record: Draft, *, facts: Sequence[Fact] = (), tell: Tell | None = None
) -> Iterator[AnswerEvent]:
    """Draft from the sources and yield each sentence with the gate's verdict.

    Closing the iterator closes the model's stream. The lead's switch is looked at before each sentence and each
    sign of life.

    Args:
        question: as typed.
        sources: passages under their numbers in the prompt, best first.
        record: filled as the draft goes.
        facts: the patient's typed facts; a sentence that a later or corrected one contradicts is withheld.
        tell: makes the sentence that says such a fact, to be shown where the drafted one is withheld.
    """
    if not drafting_allowed():
        yield _unavailable(record, SWITCHED_OFF)
        return
    # A note in a language the gate has no rules for is quoted, never drafted from.
    readable = [source for source in sources if has_rules_for(source.passage.text)]
    prompt, used = build(question, readable, most_chars=settings.CLINICAL_PROMPT_CHARS)
    if not used:
        yield _unavailable(record, NOTHING_USABLE)
        return
    record.prompt, record.sources = prompt, used
    judge = Judge(used, question, record.judged, facts=facts, tell=tell)
    _release_connections()
    try:
        stream = backends().chat.stream(prompt, max_tokens=settings.CLINICAL_DRAFT_TOKENS, seed=SEED)
    except BackendUnavailableError as error:
        record.ended = "unavailable"
        yield _unavailable(record, error.reason or "unavailable")
        return
    try:
        yield from _judged(stream, judge, record)
    except BackendUnavailableError as error:
        record.ended = "unavailable"
        yield _unavailable(record, error.reason or "interrupted")
    finally:
        stream.close()


def _judged(stream: ChatStream, judge: Judge, record: Draft) -> Iterator[AnswerEvent]:
    last_sign = monotonic()
    for sentence in _sentences(stream, record):
        silent = monotonic() - last_sign > HEARTBEAT_S
        if sentence is None and not silent:
            continue
        if not _still_allowed():
            record.ended = "switched-off"
            yield _unavailable(record, SWITCHED_OFF)
            return
        if sentence is None:
            yield Heartbeat()
        else:
            yield from judge.of(sentence)
        last_sign = monotonic()
        if judge.has_lost_its_way:
            record.ended = "lost-its-way"
            return
    record.ended = "complete"


def _unavailable(record: Draft, reason: str) -> ModelUnavailable:
    record.unavailable = reason
    return ModelUnavailable(reason)


def _still_allowed() -> bool:
    allowed = drafting_allowed()
    _release_connections()
    return allowed


def _source(source: Labelled) -> dict[str, Any]:
    """Return a passage by version and place, with a digest of its words instead of them."""
    passage = source.passage
    return {
        "label": source.label,
        "passage_id": str(passage.passage_id),
        "span": asdict(passage.span),
        "sha256": text_digest(passage.text),
        "resource_type": passage.resource_type,
        "effective": passage.effective,
        "title": passage.title,
        "section": passage.section,
    }


def text_digest(text: str) -> str:
    """Return the sha256 of a text; kept under the patient's key only, never in the clear."""
    return hashlib.sha256(text.encode()).hexdigest()


def _sentences(stream: ChatStream, record: Draft) -> Iterator[str | None]:
    """Yield whole sentences as they are decided, and None for each piece that decides none."""
    sentences = SentenceStream()
    for piece in stream:
        record.text.append(piece)
        yield from sentences.feed(piece) or (None,)
    yield from whole(sentences.close())


def _release_connections() -> None:
    """Give database connections back before the first token; a model takes seconds."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
