"""The whole-chart summary of one patient, from the facts and the notes the grant lets be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.answering.prepared import Prepared, prepare
from clinical.domain.passages import RetrievalQuery
from clinical.domain.provenance import DEMO
from clinical.domain.summary import asked_for, compose, prose_of
from clinical.domain.summary.problems import active
from clinical.models import PassageRow
from clinical.ports import BackendUnavailableError, backends
from clinical.record.selectors import all_passages_of, passages_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact
    from clinical.domain.passages import Passage
    from clinical.domain.provenance import Trust
    from clinical.domain.route import CodeSentence

__all__ = ["answer", "asked_for", "passages_for"]

READ_WHOLE: Final = 400  # passages of a patient up to which all of them are read
PER_TOPIC: Final = 12  # passages looked for by topic above that
REASON: Final = "asks for the whole chart: by problem and by code first, then the notes' own sentences"


def answer(
    question: str,
    *,
    facts: Sequence[Fact],
    grant: AccessGrant,
    today: date,
    changes: Sequence[CodeSentence] = (),
    trust: Trust = DEMO,
) -> Prepared:
    """Return the summary; the question's words do not narrow it (`asked_for` says that it wants the whole).

    Args:
        question: as typed.
        facts: all current facts of the granted patient.
        grant: whose record.
        today: the day of the question.
        changes: sentences on what changed since the last visit, where the caller has them.
        trust: which rows of the table of high-risk medicines may be used here.
    """
    del question
    topics = [problem.name for problem in active(facts) if not problem.social]
    passages = passages_for([*topics, "lives alone carers mobility smoking alcohol work"], grant)
    lines = compose(facts, today=today, prose=prose_of(facts, passages), changes=changes, trust=trust)
    return prepare(lines, grant=grant, route="code+notes", reason=REASON)


def passages_for(topics: Sequence[str], grant: AccessGrant) -> list[Passage]:
    """Return the passages to read: all of them, or of a very long record those that the index finds by topic.

    Where the index cannot be asked, all are read.
    """
    if PassageRow.objects.filter(patient_id=grant.patient_id).count() <= READ_WHOLE:
        return all_passages_of(grant)
    try:
        found = [
            hit.passage_id
            for topic in topics
            for hit in backends().retriever.retrieve(RetrievalQuery(topic, limit=PER_TOPIC), grant=grant)
        ]
    except BackendUnavailableError:
        return all_passages_of(grant)
    return passages_of(grant, list(dict.fromkeys(found)))
