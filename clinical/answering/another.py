"""A question that names somebody else than the patient whose chart is open: whose chart it is, and no more.

Nothing of the open chart is shown as if it were the other's. Where the record itself speaks of the person named (a
wife, a carer), the sentences that name that person are quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.answering.events import Status
from clinical.answering.evidence import gather
from clinical.answering.numbered import holding
from clinical.answering.prepared import Prepared, prepare
from clinical.domain.facts.statements import patient
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import PatientRow
from clinical.domain.route.persons import Other, names_in, other_named, person_of
from clinical.domain.summary import Line
from clinical.domain.summary.line import Cited
from clinical.record.selectors import all_passages_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact

REASON: Final = "names somebody else than the patient whose chart is open"
WHOSE: Final = "Whose chart"


def answer(question: str, *, facts: Sequence[Fact], grant: AccessGrant, today: date) -> Prepared | None:
    """Return the answer to a question about somebody else; None where it is about the patient.

    ANSWERED only by sentences of the record that name the person asked about, NOT_DOCUMENTED otherwise.
    """
    held = patient(facts)
    if held is None or not isinstance(held.row, PatientRow):
        return None
    other = other_named(question, person_of(held.row))
    if other is None:
        return None
    spoken_of = any(names_in(one.text)(other.name) for one in all_passages_of(grant))
    if spoken_of and not other.concerns:
        return None
    quoted = _quoted(question, other, grant, today) if spoken_of else []
    status = Status.ANSWERED if quoted else Status.NOT_DOCUMENTED
    lines = [_whose(held, held.row, other), *quoted]
    return prepare(lines, grant=grant, route="notes", reason=REASON, status=status)


def _whose(held: Fact, row: PatientRow, other: Other) -> Line:
    born = f", born {display_date(row.birth_date)}" if row.birth_date else ""
    text = (
        f"The open chart is that of {row.text}{born}. The question names {other.words}: nothing in this chart is given "
        "as somebody else's. Open the chart of the person meant, or ask without the name."
    )
    return Line(text, WHOSE, places=((held, row.name_path),))


def _quoted(question: str, other: Other, grant: AccessGrant, today: date) -> list[Line]:
    evidence = gather(question, grant=grant, today=today)
    lines = []
    for quote in evidence.quotes.quotes:
        passage = holding(quote, evidence.passages)
        if names_in(quote.quote)(other.name):
            lines.append(Line(quote.quote, "", told=(Cited(quote, passage.title, passage.effective),), quoted=True))
    return lines
