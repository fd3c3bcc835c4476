"""When a medication check is made for a question, and what of it is shown.

Everything for questions about medicines as a whole, allergies, advice and summaries; for one medicine what
concerns it; for any other question only what is contraindicated among the standing orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from clinical.answering.events import SafetyChecked, SafetyFinding
from clinical.domain.medication_safety import Severity, check
from clinical.domain.medication_safety.asked import asked_medicines, asks_about_safety
from clinical.domain.medication_safety.medicines import facts_about
from clinical.domain.route.intents import Intent, Topic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.answering.fact_citations import FactCiter
    from clinical.domain.facts import Fact
    from clinical.domain.medication_safety import Finding as Found
    from clinical.domain.medication_safety import SafetyReport
    from clinical.domain.projection.elements import Path
    from clinical.domain.provenance import Trust

_ALL: Final = frozenset({Topic.MEDICATIONS, Topic.ALLERGY, Topic.ALLERGIES})


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, ready to be cited and sent: every field but `citations_from` is plain text."""

    kind: str
    severity: str
    text: str
    citations_from: tuple[tuple[Fact, Path], ...]
    row: str
    source: str
    edition: str
    status: str


@dataclass(frozen=True, slots=True)
class MedicationCheck:
    """What is shown of a check: findings gravest first, what was covered, and what could not be checked."""

    findings: tuple[Finding, ...]
    covered: str
    not_checked: tuple[str, ...]


def as_event(shown: MedicationCheck, citer: FactCiter) -> SafetyChecked:
    """Return what is shown of a check as an event, its findings cited."""
    findings = (
        SafetyFinding(
            one.kind,
            one.severity,
            one.text,
            citer.cite(one.citations_from),
            one.row,
            one.source,
            one.edition,
            one.status,
        )
        for one in shown.findings
    )
    return SafetyChecked(tuple(findings), shown.covered, shown.not_checked)


class _Scope(StrEnum):
    EVERYTHING = "everything"
    ONE_MEDICINE = "one-medicine"
    GRAVE = "grave"


def findings_for(
    question: str,
    intent: Intent | None,
    facts: Sequence[Fact],
    *,
    today: date,
    trust: Trust,
    is_summary: bool = False,
) -> MedicationCheck | None:
    """Return what the medication check has to say to a question; None where nothing of it is to be shown.

    A medicine whose use is asked about is checked as if it were ordered.

    Args:
        question: as typed.
        intent: the look-up it was read as, None for a narrative question.
        facts: all current facts of the granted patient.
        today: the day the medicines are in force on.
        trust: which rows may be used here.
        is_summary: whether a summary or handover is asked for.
    """
    asked = asked_medicines(question, facts, trust=trust)
    if not asked and intent is not None and intent.detail == "advice":
        asked = (intent.target,)
    scope = _scope(question, intent, is_asked=bool(asked), is_summary=is_summary)
    report = check(facts, asked=asked, today=today, trust=trust)
    if scope is _Scope.EVERYTHING:
        return _shown(report, report.findings, report.not_checked)
    grave = [one for one in report.findings if one.severity is Severity.CONTRAINDICATED]
    if scope is _Scope.GRAVE or intent is None:
        return _shown(report, grave, ()) if grave else None
    about = facts_about(intent.target, facts, today=today, trust=trust)
    concerning = [one for one in report.findings if one in grave or about & {fact for fact, _ in one.citations_from}]
    labels = {fact.row.text for fact in about}
    missing = [line for line in report.not_checked if not labels or any(label in line for label in labels)]
    return _shown(report, concerning, missing) if about or grave else None


def _scope(question: str, intent: Intent | None, *, is_asked: bool, is_summary: bool) -> _Scope:
    if is_summary or is_asked or asks_about_safety(question):
        return _Scope.EVERYTHING
    topics = {one.topic for one in (intent, *intent.also)} if intent is not None else set()
    if topics & _ALL:
        return _Scope.EVERYTHING
    return _Scope.ONE_MEDICINE if Topic.MEDICATION in topics else _Scope.GRAVE


def _shown(report: SafetyReport, findings: Sequence[Found], missing: Sequence[str]) -> MedicationCheck:
    shown = tuple(
        Finding(
            kind=one.kind,
            severity=one.severity.word,
            text=one.text,
            citations_from=one.citations_from,
            row=one.row,
            source=one.source,
            edition=one.edition,
            status=one.status,
        )
        for one in findings
    )
    hidden = len(report.findings) - len(shown)
    more = f" {hidden} less grave or unrelated not shown here." if hidden else ""
    return MedicationCheck(shown, f"{report.covered}{more}", tuple(missing))
