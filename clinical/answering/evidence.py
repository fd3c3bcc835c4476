"""What the record holds on a question: typed facts, passages, and the sentences that bear on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from clinical.domain.passages import RetrievalQuery
from clinical.domain.quotes import QuoteResult, best_quotes
from clinical.models import PassageRow
from clinical.ports import BackendUnavailableError, backends
from clinical.record.selectors import all_passages_of, passages_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.passages import Passage

RETRIEVED: Final = 40
# Up to here every passage of the patient is read by code as well: an index that lags or ranks badly
# cannot then make "not documented" wrong.
READ_WHOLE: Final = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages best first, the sentences that bear on the question, and whether the index answered."""

    passages: list[Passage]
    quotes: QuoteResult
    index_answered: bool


def gather(question: str, *, grant: AccessGrant, today: date) -> Evidence:
    """Return the passages and quotes of the granted patient's record for a question."""
    index_answered = True
    try:
        hits = backends().retriever.retrieve(RetrievalQuery(question, limit=RETRIEVED), grant=grant)
        found = passages_of(grant, [hit.passage_id for hit in hits])
    except BackendUnavailableError:
        index_answered, found = False, []
    if not index_answered or PassageRow.objects.filter(patient_id=grant.patient_id).count() <= READ_WHOLE:
        seen = {passage.passage_id for passage in found}
        found += [passage for passage in all_passages_of(grant) if passage.passage_id not in seen]
    quotes = best_quotes(question, found, similarity=_similarity(question), today=today)
    return Evidence(found, quotes, index_answered)


def _similarity(question: str) -> Callable[[Sequence[str]], list[float]] | None:
    """Return a function giving the cosine of each text to the question; None without an embedder."""
    embedder = backends().embedder
    try:
        wanted = embedder.embed([question])[0]
    except BackendUnavailableError:
        return None

    def of(texts: Sequence[str]) -> list[float]:
        scores: list[float] = np.asarray(embedder.embed(texts) @ wanted).tolist()
        return scores

    return of
