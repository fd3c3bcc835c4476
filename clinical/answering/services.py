"""Asking: the access decision, the trail's first row, the stream, and the trail's last row."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.db import transaction

from clinical.access.services import grant_access
from clinical.answering import stored
from clinical.answering.events import Completed
from clinical.answering.run import Run, answer
from clinical.answering.staleness import marks_of_a_new_answer, record_size, staleness_of
from clinical.audit import trail
from clinical.keys import KeyDestroyedError, cipher_of
from clinical.models import Answer, AnswerCitation, Patient, Question, ResourceVersion, guideline_key
from clinical.ports import backends
from clinical.record.staleness import StaleReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.base_user import AbstractBaseUser

    from clinical.answering.events import AnswerEvent, AnswerStale
    from clinical.domain.access import AccessGrant

LONGEST_QUESTION: Final = 2000


class QuestionRefusedError(Exception):
    """The question cannot be taken. `reason` is a code: `empty` or `too-long`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def ask(user: AbstractBaseUser, patient_id: UUID, text: str, *, clock: Callable[[], datetime]) -> Question:
    """Take a question: decide access, write the trail's first row, keep the question.

    Raises:
        QuestionRefusedError: empty, or longer than LONGEST_QUESTION characters.
        AccessDeniedError: with a reason code; audited.
        django.db.Error: the trail cannot be written; nothing was read or kept.
    """
    if not text.strip():
        raise QuestionRefusedError("empty")
    if len(text) > LONGEST_QUESTION:
        raise QuestionRefusedError("too-long")
    grant = grant_access(user, patient_id, action="question.ask", now=clock())
    patient = Patient.objects.get(id=patient_id)
    question = Question(patient=patient, user_id=user.get_username(), asked_at=clock())
    cipher = cipher_of(patient)
    _record(grant, question, "STARTED", {"question": cipher.digest(text)}, now=clock())
    question.text = cipher.encrypt(text.encode(), binding=f"question {question.id}")
    question.save(force_insert=True)
    return question


def text_of(question: Question) -> str:
    """Return the words of a question."""
    cipher = cipher_of(question.patient)
    return cipher.decrypt(question.text, binding=f"question {question.id}").decode()


def events(question_id: UUID, user: AbstractBaseUser, *, clock: Callable[[], datetime]) -> Iterator[AnswerEvent]:
    """Yield the answer as it comes; a question that was answered is replayed from the store.

    Access is decided again before anything is read. Closing the iterator stops the model and writes
    INTERRUPTED.

    Raises:
        Question.DoesNotExist: no such question of this user.
        AccessDeniedError: with a reason code; audited.
    """
    question = Question.objects.select_related("patient").get(id=question_id, user_id=user.get_username())
    grant = grant_access(user, question.patient_id, action="question.events", now=clock())
    held = Answer.objects.filter(question=question, outcome="SUCCESS").first()
    if held is not None:
        _record(grant, question, "REPLAYED", {}, now=clock())
        return _replayed(held, staleness_of(held, record_size(question.patient_id)))
    return _stream(question, grant, clock=clock)


def _replayed(held: Answer, stale: AnswerStale | None) -> Iterator[AnswerEvent]:
    """Yield a stored answer, with what has become of it since said first."""
    if stale is not None:
        yield stale
    yield from stored.events_from(result_of(held))


def result_of(held: Answer) -> dict[str, Any]:
    """Return a stored answer in the `ask` shape."""
    cipher = cipher_of(held.question.patient)
    plain = cipher.decrypt(held.result, binding=f"answer {held.question_id}")
    decoded: dict[str, Any] = msgspec.json.decode(plain)
    if held.stale_reason == StaleReason.RESTRICTED:
        # What it rests on may be read by nobody any more: that it was asked stays, the words do not.
        return decoded | {"sources": [], "sentences": [], "findings": [], "medication_check": None, "judgements": []}
    return decoded


def _stream(question: Question, grant: AccessGrant, *, clock: Callable[[], datetime]) -> Iterator[AnswerEvent]:
    """Run the question; however it ends, the trail's last row says so."""
    run, outcome = Run(), "INTERRUPTED"
    size = record_size(question.patient_id)
    run.versions_read, run.draft.last_version = size.versions, size.last_version or 0
    audit_id: UUID | None = None
    try:
        with run.watch.stage("total"):
            yield from answer(text_of(question), grant=grant, run=run, now=clock())
        outcome = "SUCCESS"
        audit_id = _record(grant, question, outcome, _counts(run, run.status), now=clock())
        completed = _completed(run, audit_id)
        run.events.append(completed)
        held = _store(question, run, audit_id, outcome=outcome, now=clock())
        if (stale := staleness_of(held, record_size(question.patient_id))) is not None:
            yield stale
        yield completed
    finally:
        if audit_id is None:
            audit_id = _record(grant, question, outcome, _counts(run, ""), now=clock())
            with suppress(KeyDestroyedError):  # erased while he was asked about: nothing of it may be kept
                _store(question, run, audit_id, outcome=outcome, now=clock())


def _counts(run: Run, status: str) -> dict[str, Any]:
    """Return what the trail keeps of a run; one that was interrupted has come to no status."""
    chat = backends().chat
    return {
        "route": run.route,
        "status": str(status),
        "shown": run.shown,
        "withheld": run.withheld,
        "model": chat.digest if run.draft.prompt else "",
    }


def _completed(run: Run, audit_id: UUID) -> Completed:
    chat = backends().chat
    return Completed(
        status=run.status,
        shown=run.shown,
        withheld=run.withheld,
        audit_id=audit_id,
        timings_ms=dict(run.watch.stages),
        model={"name": chat.name, "digest": chat.digest} if run.draft.text else None,
    )


def _store(question: Question, run: Run, audit_id: UUID, *, outcome: str, now: datetime) -> Answer:
    """Keep the answer under the patient's key and return it; the first of two concurrent streams wins."""
    cipher = cipher_of(question.patient)
    binding = f"answer {question.id}"
    prompt = run.draft.prompt
    chat = backends().chat
    values = {
        "outcome": outcome,
        "status": run.status if outcome == "SUCCESS" else "",
        "route": run.route,
        "model_name": chat.name if prompt else "",
        "model_digest": chat.digest if prompt else "",
        "shown": run.shown,
        "withheld": run.withheld,
        "result": cipher.encrypt(msgspec.json.encode(stored.as_json(run.events)), binding=binding),
        "draft": cipher.encrypt(msgspec.json.encode(run.draft.kept()), binding=f"draft {question.id}"),
        "audit_id": audit_id,
        "finished_at": now,
    }
    with transaction.atomic():
        held = Answer.objects.filter(question=question).first()
        if held is not None and held.outcome == "SUCCESS":
            return held
        cited = _cited_versions(question, run)
        values |= marks_of_a_new_answer(cited, versions_read=run.versions_read, now=now)
        saved, _ = Answer.objects.update_or_create(question=question, defaults=values)
        AnswerCitation.objects.filter(answer=saved).delete()
        keys = [*(row.key for row in cited), *_guideline_keys(run)]
        AnswerCitation.objects.bulk_create([AnswerCitation(answer=saved, version_key=key) for key in keys])
        return saved


def _cited_versions(question: Question, run: Run) -> list[ResourceVersion]:
    """Return the versions the answer rests on, locked: a writer that replaces one comes before or after, not between.

    Before, and it is seen here to be current no more; after, and the writer finds the citations.
    """
    wanted = {(citation.span.resource, citation.span.version) for citation in run.citations}
    rows = (
        ResourceVersion.objects.select_for_update(of=("self",))
        .filter(patient=question.patient, logical_id__in={resource.partition("/")[2] for resource, _ in wanted})
        .defer("content")
        .order_by("pk")
    )
    return [row for row in rows if (row.reference, str(row.number)) in wanted]


def _guideline_keys(run: Run) -> list[str]:
    """Return the keys of the guideline editions an answer quotes: a newer edition makes it stale too."""
    spans = {(one.span.resource, one.span.version) for one in run.citations}
    return [guideline_key(*span) for span in sorted(spans) if span[0].startswith("Guideline/")]


def _record(grant: AccessGrant, question: Question, outcome: str, detail: dict[str, Any], *, now: datetime) -> UUID:
    return trail.append(
        trail.Entry(
            action="question",
            outcome=outcome,
            user_id=grant.user_id,
            patient_id=str(grant.patient_id),
            purpose=grant.purpose,
            detail={"question_id": str(question.id), **detail},
        ),
        now=now,
    )
