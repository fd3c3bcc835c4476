"""Diagnostic reports, panels of tests, and what is still outstanding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import Fact, MeasureKey, measure_key, of_kind
from clinical.domain.facts.measurements import results, row_of
from clinical.domain.facts.statements import about, newest
from clinical.domain.facts.tables import investigations, panels
from clinical.domain.projection.rows import ObservationRow, PlanRow, ReportRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNFINISHED: Final = frozenset({"registered", "partial", "preliminary"})
_OPEN_ORDERS: Final = frozenset({"active", "on-hold"})
_INTENTIONS: Final = frozenset({"proposal", "plan", "option"})


def reports(facts: Iterable[Fact]) -> list[Fact]:
    """Return diagnostic reports, newest first; cancelled ones are left out."""
    return newest(fact for fact, row in of_kind(facts, ReportRow) if row.status != "cancelled")


def reports_about(facts: Iterable[Fact], asked: str) -> list[Fact]:
    """Return reports by name, or by a panel's LOINC codes ("CBC"), newest first."""
    found = reports(facts)
    panel = panels().get(asked)
    if panel is None:
        return about(found, asked, investigations())
    return [
        fact
        for fact in found
        if {code.partition("|")[2] for code in fact.row.codes} & panel.loinc
        or any(about([fact], term, ()) for term in panel.terms)
    ]


def members_of(facts: Sequence[Fact], report: Fact) -> list[Fact]:
    """Return the results a report refers to, in its order; references are compared by their last part."""
    if not isinstance(report.row, ReportRow):
        return []
    wanted = {_tail(reference): place for place, reference in enumerate(report.row.results)}
    held = [fact for fact in results(facts) if _tail(fact.resource) in wanted and not row_of(fact).panel]
    return sorted(held, key=lambda fact: wanted[_tail(fact.resource)])


def latest_of_panel(facts: Sequence[Fact], asked: str) -> list[Fact]:
    """Return the latest blood result of each member of a panel, in the panel's order."""
    latest: dict[MeasureKey, Fact] = {}
    for fact in results(facts):
        latest.setdefault(measure_key(row_of(fact)), fact)
    keys = [MeasureKey(member, "blood") for member in panels()[asked].members]
    return [latest[key] for key in keys if key in latest]


def _tail(reference: str) -> str:
    return reference.rpartition("/")[2].rpartition(":")[2]


def pending(facts: Sequence[Fact]) -> list[Fact]:
    """Return what is ordered, registered or preliminary, newest first.

    Observations that are registered, or preliminary with no final one of the same moment; reports that are registered,
    partial or preliminary; orders (ServiceRequest) in force that no report or result names as its reason.
    """
    observed = of_kind(facts, ObservationRow)
    standing = {(fact.resource, row_of(fact).anchor) for fact in results(facts)}
    waiting = [
        fact
        for fact, row in observed
        if not row.panel
        and (
            row.status == "registered"
            or (row.status == "preliminary" and (not _valued(row) or (fact.resource, row.anchor) in standing))
        )
    ]
    reported = of_kind(facts, ReportRow)
    waiting.extend(fact for fact, row in reported if row.status in UNFINISHED)
    done = {_tail(one) for _, row in observed if row.status != "registered" for one in row.based_on}
    done |= {_tail(one) for _, row in reported if row.status not in UNFINISHED for one in row.based_on}
    waiting.extend(
        fact
        for fact, row in of_kind(facts, PlanRow)
        if row.resource_type == "ServiceRequest"
        and row.status in _OPEN_ORDERS
        and row.intent not in _INTENTIONS
        and _tail(fact.resource) not in done
    )
    return newest(waiting)


def _valued(row: ObservationRow) -> bool:
    return row.value.type != "none" or bool(row.components)
