"""What the guidelines of this site say: their own words, with edition, approver, jurisdiction and last valid day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.answering.events import Status
from clinical.answering.prepared import Prepared, prepare
from clinical.domain.criteria.edition import Standing, not_used
from clinical.domain.summary import Line
from clinical.guidelines.asking import asked_for, matter_of
from clinical.guidelines.library import editions, held_by, sections_of
from clinical.guidelines.quoting import ABOUT_IT, bearing_on, is_about, read_edition
from clinical.ports import BackendUnavailableError, backends

if TYPE_CHECKING:
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.criteria.edition import Edition
    from clinical.guidelines.asking import Matter
    from clinical.guidelines.quoting import Hit

__all__ = ["answer", "asked_for"]

NOT_USED: Final = "Not used"
NOTHING: Final = "Guideline library"
MOST_EDITIONS: Final = 2
READ_WHOLE: Final = 60  # editions in force up to which all are read
RETRIEVED: Final = 40  # passages above that
_FAR_BEHIND: Final = 0.8  # of the best edition's rank
REASON: Final = "asks what the guidelines of this site say"


@dataclass(frozen=True, slots=True)
class _Found:
    """An edition that bears on the question, the lines that do, and how well it does."""

    edition: Edition
    hits: list[Hit]
    rank: float


def answer(question: str, *, grant: AccessGrant, today: date) -> Prepared:
    """Return the lines of guideline editions in force that bear on the question, verbatim.

    An expired or unapproved edition that would bear on it is named as not used. REFUSED when there is no other,
    NOT_DOCUMENTED when no edition in force says anything on it. The record of the patient is not read.
    """
    matter = matter_of(question)
    held = editions()
    usable = [one for one in held if one.standing(today) is Standing.IN_FORCE]
    barred = [one for one in held if one.standing(today) is not Standing.IN_FORCE]
    found = _best([*_bearing(matter, _to_read(question, usable, today)), *_bearing(matter, barred)])
    told = [one for one in found if one.edition.standing(today) is Standing.IN_FORCE]
    lines = [_quoted(one.edition, hit) for one in told for hit in one.hits]
    refused = [one.edition for one in found if one not in told]
    lines += [Line(not_used(one, today), NOT_USED, told=(one.title_cited(),)) for one in refused]
    status = Status.ANSWERED if told else Status.REFUSED if refused else Status.NOT_DOCUMENTED
    if not lines:
        said = f"None of the {len(usable)} guideline editions in force here says anything on this."
        lines.append(Line(said, NOTHING))
    return prepare(lines, grant=grant, route="notes", reason=REASON, status=status)


def _quoted(edition: Edition, hit: Hit) -> Line:
    cited = edition.cite(hit.start, hit.end)
    return Line(cited.citation.quote, edition.in_words, told=(cited,), quoted=True)


def _to_read(question: str, usable: list[Edition], today: date) -> list[Edition]:
    """Return the editions to read: all of a small library, of a large one those the index finds."""
    if len(usable) <= READ_WHOLE:
        return usable
    try:
        hits = backends().retriever.retrieve_guidelines(question, today=today, limit=RETRIEVED)
    except BackendUnavailableError:
        return usable
    by_reference = {one.reference: one for one in usable}
    references = held_by([hit.passage_id for hit in hits])
    return [by_reference[reference] for reference in references if reference in by_reference]


def _bearing(matter: Matter, held: list[Edition]) -> list[_Found]:
    """Return the editions that bear on the matter; one whose title is the matter goes before a passing mention."""
    found = []
    for one in held:
        words = read_edition(one, tuple(sections_of(one)))
        if hits := bearing_on(matter, words):
            best = max(hit.score for hit in hits)
            found.append(_Found(one, hits, best + (ABOUT_IT if is_about(matter, words) else 0.0)))
    return found


def _best(found: list[_Found]) -> list[_Found]:
    ranked = sorted(found, key=lambda one: -one.rank)[:MOST_EDITIONS]
    return [one for one in ranked if one.rank >= ranked[0].rank * _FAR_BEHIND]
