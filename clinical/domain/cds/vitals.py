"""NEWS2 as a short report: total, inputs with their times, limits; or why there is none.

Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017; calculated by `clinical.domain.scores`.
No alarm: it says what the record holds and asks nobody to act. Thresholds only order the list, unless the site makes
them its own policy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import display_date
from clinical.domain.scores import ScoreRequest, answer, formulas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from clinical.domain.facts.fact import Fact
    from clinical.domain.provenance import Trust

RAISED: Final = 5  # chart 2 of the report: 5 or more, or 3 in a single parameter, is more than low
_REQUEST: Final = ScoreRequest("news2", "NEWS2", explicit=True)
_AGE: Final = re.compile(r" \(\d+ (?:min|h|days?) old(, [^)]*)?\)")
_MOST_SINGLE: Final = 3
_SINGLE: Final = "3 points in a single parameter"


@dataclass(frozen=True, slots=True)
class VitalsReport:
    """The report. `total` is None where none could be calculated; `headline` then says why.

    `at_least` is then the total of what is recorded, where the rest can only add to it; else None. It counts for
    `is_raised` as a total does: a patient whose oxygen nobody wrote down is not a quiet one.

    `band` is what the sources call the total; their words ask for a response, so that it stands beside the inputs, and
    in front only where the site has made it its own policy.

    `as_of` is the recorded time of the newest input, "" without any, `as_of_sort` its earliest moment, timezone-aware.
    Inputs carry their recorded times and no ages, so that a shown report does not turn wrong by waiting.
    """

    total: int | None
    headline: str
    band: str
    inputs: tuple[str, ...]
    limits: tuple[str, ...]
    source: str
    as_of: str
    as_of_sort: datetime | None
    is_raised: bool
    rests_on: tuple[Fact, ...]
    at_least: int | None = None


def vitals_report(facts: Sequence[Fact], *, now: datetime, trust: Trust) -> VitalsReport:
    """Return the NEWS2 report of one patient at `now` (timezone-aware), from all facts that may be read."""
    found = answer(_REQUEST, facts, now=now, trust=trust)
    sentences = found.answer.sentences
    inputs = [one for one in sentences if one.heading == "Inputs"]
    limits = tuple(_AGE.sub(_status, one.text) for one in sentences if one.heading in ("Limits", "Judgements"))
    rests_on = tuple(dict.fromkeys(fact for one in inputs for fact, _ in one.citations_from))
    newest = max(rests_on, key=lambda fact: fact.row.effective_sort, default=None)
    total = int(found.value) if found.value else None
    headline = f"NEWS2 {total}" if total is not None else sentences[0].text.rstrip(".")
    if found.at_least is not None:
        headline = f"NEWS2 at least {found.at_least}; {headline.partition(': ')[2]}"
    reached = total if total is not None else found.at_least
    single = any(one.startswith(_SINGLE) for one in limits) or (found.highest or 0) >= _MOST_SINGLE
    formula = formulas()["news2"]
    return VitalsReport(
        total=total,
        headline=headline,
        band=found.band,
        inputs=tuple(_AGE.sub(_status, one.text) for one in inputs),
        limits=limits,
        source=f"{formula.provenance.source}, {formula.provenance.edition}",
        as_of=display_date(newest.row.effective, with_time=True) if newest else "",
        as_of_sort=newest.row.effective_sort if newest else None,
        is_raised=reached is not None and (reached >= RAISED or single),
        rests_on=rests_on,
        at_least=found.at_least,
    )


def _status(match: re.Match[str]) -> str:
    """Return a value's status without its age: "(40 min old, preliminary)" is " (preliminary)"."""
    return f" ({match[1][2:]})" if match[1] else ""
