"""An answer made again from what was kept of it: the same prompt, passages by version, model, settings, gate.

Draft and gate are compared apart, because they fail apart: a model may write other words on other hardware or in
another batch while the gate's verdicts on the kept words are the same, and a changed gate may judge the same words
otherwise. Nothing that is made here is stored or shown to anybody but the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from clinical.access.services import grant_access
from clinical.answering.drafting import TEMPERATURE, text_digest
from clinical.answering.gate_version import gate_digest
from clinical.answering.judging import Judge, sentences_of
from clinical.answering.services import text_of
from clinical.audit import trail
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.prompt import Labelled, Prompt, build, template_digest
from clinical.keys import KeyDestroyedError, cipher_of
from clinical.models import Answer, AuditEvent, DeletionReceipt, Question
from clinical.ports import BackendUnavailableError, backends
from clinical.record.history import facts_as_of
from clinical.record.selectors import NotHeldError, part_text, version_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User

    from clinical.answering.judging import Judged
    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact


class Found(StrEnum):
    """How what was made again compares with what was kept."""

    EQUAL = "equal"
    DIFFERS = "differs"
    NO_DRAFT = "no-draft"  # code or quotes answered; the model was not asked
    ERASED = "erased"  # question, answer or their key are gone
    PASSAGES_DIFFER = "passages-differ"  # a version is no longer held, or not the same words
    MODEL_DIFFERS = "model-differs"  # other weights are served now
    MODEL_UNAVAILABLE = "model-unavailable"
    NOT_KEPT = "not-kept"  # kept before passages and settings were


class NotReplayableError(Exception):
    """Nothing here can be replayed. `reason` is a code: `unknown`, `no-question` or `no-answer`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """The question an audit row is about, or that was named, and who asked; `held` is false once it is erased."""

    question_id: str
    patient_id: str
    user_id: str
    held: bool


@dataclass(slots=True)
class Replay:
    """What came of it. `words` hold patient text; every other field holds codes, digests and counts."""

    target: Target
    draft: Found = Found.ERASED
    gate: Found = Found.ERASED
    prompt: Found = Found.ERASED
    passages: int = 0
    passages_changed: list[int] = field(default_factory=list)
    then: dict[str, Any] = field(default_factory=dict)
    now: dict[str, Any] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the report without patient text."""
        return {
            "question_id": self.target.question_id,
            "draft": self.draft.value,
            "gate": self.gate.value,
            "prompt": self.prompt.value,
            "passages": {"used": self.passages, "changed": self.passages_changed},
            "then": self.then,
            "now": self.now,
        }


def target_of(named: UUID) -> Target:
    """Return the question that an audit row's id, or a question's, names.

    Raises:
        NotReplayableError: `unknown`, or `no-question` for a row of something else.
    """
    row = AuditEvent.objects.filter(id=named).first()
    if row is None:
        # A question's own id: its rows on the trail outlive it.
        row = AuditEvent.objects.filter(action="question", detail__question_id=str(named)).order_by("-seq").first()
    if row is None:
        raise NotReplayableError("unknown")
    if "question_id" not in row.detail:
        raise NotReplayableError("no-question")
    question_id = str(row.detail["question_id"])
    erasing = DeletionReceipt.objects.filter(kind=DeletionReceipt.Kind.PATIENT, patient_id=row.patient_id or None)
    held = Question.objects.filter(id=question_id).exists() and not erasing.exists()
    asked = AuditEvent.objects.filter(action="question", outcome="STARTED", detail__question_id=question_id).first()
    return Target(question_id, row.patient_id, (asked or row).user_id, held=held)


def replay(target: Target, user: User | None, *, now: datetime) -> Replay:
    """Make the answer again and compare; the outcome is on the trail.

    Args:
        target: of `target_of`.
        user: whose access is decided anew; None only for what is erased, as nothing is read then.
        now: timezone-aware.

    Raises:
        AccessDeniedError: with a reason code; audited.
        NotReplayableError: `no-answer`, the question never came to one; `no-user`.
    """
    found = Replay(target)
    if target.held:
        if user is None:
            raise NotReplayableError("no-user")
        grant = grant_access(user, UUID(target.patient_id), action="question.replay", now=now)
        try:
            _replay(found, grant)
        except KeyDestroyedError:
            found = Replay(target)
    trail.append(
        trail.Entry(
            action="question.replay",
            outcome="SUCCESS",
            user_id=user.get_username() if user else "",
            patient_id=target.patient_id,
            detail={
                "question_id": target.question_id,
                "draft": found.draft,
                "gate": found.gate,
                "prompt": found.prompt,
            },
        ),
        now=now,
    )
    return found


def _replay(found: Replay, grant: AccessGrant) -> None:
    question = Question.objects.select_related("patient").get(id=found.target.question_id)
    held = Answer.objects.filter(question=question).exclude(draft=b"").first()
    if held is None:
        raise NotReplayableError("no-answer")
    plain = cipher_of(question.patient).decrypt(held.draft, binding=f"draft {question.id}")
    kept: dict[str, Any] = msgspec.json.decode(plain)
    found.draft = found.gate = found.prompt = _missing(kept)
    if found.draft is not Found.EQUAL:
        return
    settings = kept["settings"]
    found.then = {"model": held.model_digest, **settings}
    found.now = {
        "model": backends().chat.digest,
        **settings,
        "temperature": TEMPERATURE,
        "template": template_digest(),
        "gate": gate_digest(),
    }
    sources = _sources(found, kept["sources"], grant)
    if found.passages_changed:
        found.draft = found.gate = found.prompt = Found.PASSAGES_DIFFER
        return
    text = text_of(question)
    prompt, _used = build(text, sources, most_chars=settings["prompt_chars"])
    found.prompt = _equality([prompt.system, prompt.user] == kept["prompt"])
    found.words = {"prompt": kept["prompt"], "draft": kept["text"]}
    found.gate = _judged_again(kept, sources, text, facts_as_of(grant, kept.get("last_version", 0)))
    found.draft = _drafted_again(found, kept)


def _missing(kept: dict[str, Any]) -> Found:
    """Return why there is nothing to compare; EQUAL stands for nothing missing."""
    if kept.get("prompt") is None:
        return Found.NO_DRAFT
    return Found.EQUAL if "settings" in kept else Found.NOT_KEPT


def _sources(found: Replay, kept: list[dict[str, Any]], grant: AccessGrant) -> list[Labelled]:
    """Return the passages of the prompt from the versions they stood in, even where newer ones are current."""
    sources = []
    for one in kept:
        span = Span(**{**one["span"], "part": Part(one["span"]["part"])})
        try:
            words = part_text(version_of(grant, span.resource, span.version), span.part)[span.start : span.end]
        except NotHeldError:
            words = ""
        found.passages += 1
        if text_digest(words) != one["sha256"]:
            found.passages_changed.append(one["label"])
        passage = Passage(
            passage_id=UUID(one["passage_id"]),
            span=span,
            text=words,
            **{name: one[name] for name in ("resource_type", "effective", "title", "section")},
        )
        sources.append(Labelled(one["label"], passage))
    return sources


def _judged_again(kept: dict[str, Any], sources: list[Labelled], question: str, facts: list[Fact]) -> Found:
    """Put the kept draft before the gate again; of a draft that was cut off, the sentences judged then."""
    judged: list[Judged] = []
    judge = Judge(sources, question, judged, facts=facts)
    for sentence in sentences_of(kept["text"]):
        if judge.has_lost_its_way:
            break
        list(judge.of(sentence))
    verdicts = [one.as_json() for one in judged]
    if kept["ended"] != "complete":
        verdicts = verdicts[: len(kept["judged"])]
    return _equality(msgspec.json.encode(verdicts) == msgspec.json.encode(kept["judged"]))


def _drafted_again(found: Replay, kept: dict[str, Any]) -> Found:
    """Ask the model for the kept prompt again; of a draft that was cut off, as much as was written then."""
    if found.then["model"] != found.now["model"]:
        return Found.MODEL_DIFFERS
    settings, wanted, is_whole = kept["settings"], kept["text"], kept["ended"] == "complete"
    text = ""
    try:
        stream = backends().chat.stream(
            Prompt(*kept["prompt"]), max_tokens=settings["max_tokens"], seed=settings["seed"]
        )
        try:
            for piece in stream:
                text += piece
                if not is_whole and len(text) >= len(wanted):
                    break
        finally:
            stream.close()
    except BackendUnavailableError:
        return Found.MODEL_UNAVAILABLE
    found.words["draft_again"] = text
    return _equality(text == wanted if is_whole else text[: len(wanted)] == wanted)


def _equality(same: bool) -> Found:  # noqa: FBT001 - the comparison is the argument
    return Found.EQUAL if same else Found.DIFFERS
