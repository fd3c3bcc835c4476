"""What the record holds on a question: typed facts, passages, and the sentences that bear on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from clinical.domain.lexicon.abbreviations import in_words, spelled_out
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
# Up to here every passage of the patient is read by code as well, whatever the index returned. Of a larger record
# those the index has found and those it does not hold yet are read first, and all the others before anything is
# called missing: an index that lags or ranks badly cannot make "not documented" wrong.
READ_WHOLE: Final = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages best first, the sentences that bear on the question, and whether the index answered."""

    passages: list[Passage]
    quotes: QuoteResult
    index_answered: bool


def gather(question: str, *, grant: AccessGrant, today: date) -> Evidence:
    """Return the passages and quotes of the granted patient's record for a question.

    Where no quote answers, every passage that the grant lets be read has been read.
    """
    index_answered = True
    meant = spelled_out(question)
    question = in_words(question)
    try:
        hits = backends().retriever.retrieve(RetrievalQuery(meant, limit=RETRIEVED), grant=grant)
        found = passages_of(grant, [hit.passage_id for hit in hits])
    except BackendUnavailableError:
        index_answered, found = False, []
    whole = not index_answered or PassageRow.objects.filter(patient_id=grant.patient_id).count() <= READ_WHOLE
    found = _with_rest(grant, found) if whole else _with_unindexed(grant, found)
    similarity = _similarity(meant)
    quotes = best_quotes(question, found, similarity=similarity, today=today)
    if not whole and (quotes.untold or not quotes.answered):
        found = _with_rest(grant, found)
        quotes = best_quotes(question, found, similarity=similarity, today=today)
    return Evidence(found, quotes, index_answered)


def _with_rest(grant: AccessGrant, found: list[Passage]) -> list[Passage]:
    seen = {passage.passage_id for passage in found}
    return found + [passage for passage in all_passages_of(grant) if passage.passage_id not in seen]


def _with_unindexed(grant: AccessGrant, found: list[Passage]) -> list[Passage]:
    """Return also the passages that the index does not hold yet."""
    rows = PassageRow.objects.filter(patient_id=grant.patient_id, indexed_at=None)
    seen = {passage.passage_id for passage in found}
    late = [one for one in rows.values_list("id", flat=True)[: READ_WHOLE + RETRIEVED] if one not in seen]
    return found + passages_of(grant, late)


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
