"""Weighs a model before it is served: the gate over pairs and, where it is served for trial, over its drafts."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from clinical.domain.gate.check import Gate
from clinical.domain.gate.pairs import counts, judge, read_pairs
from clinical.domain.gate.verdict import GateEvidence
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.prompt import Labelled, build
from clinical.domain.sentences import split
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from clinical.domain.gate.pairs import Pair
    from clinical.ports import ChatModel

_QUESTION: Final = "What does this note say?"
_MOST_CHARS: Final = 2400
_MOST_TOKENS: Final = 160


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a model wrote over the pairs' evidence, in sentences; `failed` counts evidence it gave no answer to."""

    asked: int
    shown: int
    withheld: int
    failed: int


@dataclass(frozen=True, slots=True)
class Weighing:
    """What the gate decided. `pairs_sha256` says by which pairs; `drafts` is None where the model was not served."""

    pairs: int
    pairs_sha256: str
    counts: dict[str, int]
    drafts: Drafts | None
    passed: bool
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data: counts and digests only."""
        return asdict(self)


def weigh(path: Path, *, chat: ChatModel | None, most_wrong: int, trials: int) -> Weighing:
    """Judge every pair, and let the model draft over some of their evidence.

    Args:
        path: pairs as JSON lines: `{"id", "evidence", "sentence", "supported"}`.
        chat: the model, served for trial; None leaves the drafts out.
        most_wrong: how many unsupported sentences may be shown.
        trials: over how many different pieces of evidence the model drafts.

    Raises:
        OSError: the file cannot be read.
        BadPairError: a line is not a pair.
    """
    content = path.read_bytes()
    pairs = list(read_pairs(content.decode("utf-8").split("\n")))
    found = counts(pairs, lambda pair: judge(pair).shown)
    drafts = _drafts(pairs, chat, trials) if chat is not None else None
    why = _why_not(pairs, found, drafts, most_wrong)
    return Weighing(len(pairs), hashlib.sha256(content).hexdigest(), found, drafts, passed=not why, why=why)


def _why_not(pairs: Sequence[Pair], found: dict[str, int], drafts: Drafts | None, most_wrong: int) -> str:
    if not found["supported_shown"] + found["supported_withheld"] or len(pairs) < 2:
        return "the file holds no supported sentence"
    if not found["unsupported_shown"] + found["unsupported_withheld"]:
        return "the file holds no unsupported sentence, so nothing could be let through"
    if found["unsupported_shown"] > most_wrong:
        return f"the gate would show {found['unsupported_shown']} unsupported sentences"
    if drafts is not None and drafts.failed:
        return f"the model gave no answer to {drafts.failed} of {drafts.asked}"
    if drafts is not None and not drafts.shown:
        return "nothing the model wrote could be shown"
    return ""


def _drafts(pairs: Iterable[Pair], chat: ChatModel, trials: int) -> Drafts:
    evidence = list(dict.fromkeys(pair.evidence for pair in pairs if pair.evidence.strip()))[:trials]
    shown = withheld = failed = 0
    for text in evidence:
        written = _written(text, chat)
        if not written:
            failed += 1
            continue
        gate = Gate([GateEvidence(1, _passage(text))])
        for sentence in split(written):
            if gate.check(written[sentence.start : sentence.end]).shown:
                shown += 1
            else:
                withheld += 1
    return Drafts(len(evidence), shown, withheld, failed)


def _written(text: str, chat: ChatModel) -> str:
    prompt, _ = build(_QUESTION, [Labelled(1, _passage(text))], most_chars=_MOST_CHARS)
    try:
        stream = chat.stream(prompt, max_tokens=_MOST_TOKENS, seed=1)
        try:
            return "".join(stream).strip()
        finally:
            stream.close()
    except BackendUnavailableError:
        return ""


def _passage(text: str) -> Passage:
    span = Span("DocumentReference/pair", "1", Part.TEXT, 0, len(text))
    return Passage(UUID(int=0), span, text, "DocumentReference")
