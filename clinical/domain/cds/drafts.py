"""Draft orders against a patient's record: what the medication check finds that involves a draft, and what it cannot.

A draft is checked as if it were in force. An order that the tables do not cover is never "safe": it is named as not
checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.cds.card import Card, Indicator
from clinical.domain.cds.markdown import bullets
from clinical.domain.facts.fact import Fact, of_kind
from clinical.domain.medication_safety import Finding, SafetyReport, Severity, check
from clinical.domain.projection import project
from clinical.domain.projection.elements import as_dict, as_str
from clinical.domain.projection.rows import AllergyRow, MedicationRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from clinical.domain.provenance import Trust

DRAFT: Final = "draft"  # stands as the version of a fact that is not on the record
MOST_SINGLE: Final = 6  # findings with a card of their own; the rest stand together on one
SOURCE_UNCHECKED: Final = "Medication check of this site"
_QUESTION: Final = "Are there interactions or allergies to consider among the medicines?"
_NOT_DRUGS: Final = frozenset({"food", "environment"})
_LEAD: Final = "not checked: "
_INDICATORS: Final = {
    Severity.CONTRAINDICATED: Indicator.CRITICAL,
    Severity.SEVERE: Indicator.WARNING,
    Severity.CAUTION: Indicator.WARNING,
    Severity.INFO: Indicator.INFO,
}


@dataclass(frozen=True, slots=True)
class Drafts:
    """Draft orders read: facts of the medicines, and a line for each order that the check does not cover."""

    facts: tuple[Fact, ...]
    replaced: frozenset[str]
    uncovered: tuple[str, ...]


def read_drafts(
    orders: Sequence[dict[str, Any]],
    related: Mapping[str, dict[str, Any]],
    *,
    patient_id: str,
    selected: frozenset[str],
) -> Drafts:
    """Return the drafts as facts that are in force.

    Args:
        orders: the resources of `draftOrders`; whatever their shape, nothing is raised.
        related: Medication resources by reference.
        patient_id: FHIR id of the patient in context.
        selected: references of the orders to report on; all when empty.
    """
    facts: list[Fact] = []
    replaced: set[str] = set()
    uncovered: list[str] = []
    for place, order in enumerate(orders):
        kind = as_str(order.get("resourceType"))
        reference = f"{kind}/{as_str(order.get('id')) or f'entry-{place}'}"
        reported = not selected or reference in selected
        if kind == "Medication" or order.get("doNotPerform") is True:
            continue
        if kind != "MedicationRequest":
            if reported:
                name = project(order)[0].text
                named = kind if name == kind else f"{kind} {name}"
                uncovered.append(f"{_LEAD}{named} because only medicines are")
            continue
        subject = as_str(as_dict(order.get("subject")).get("reference"))
        row = project(order | {"status": "active", "intent": "order"}, related)[0]
        facts.append(Fact(row, reference, DRAFT))
        prior = as_str(as_dict(order.get("priorPrescription")).get("reference"))
        replaced |= {reference, "/".join(prior.split("/")[-2:])}
        if reported and subject and subject.rpartition("/")[2] != patient_id:
            uncovered.append(
                f"{_LEAD}whether {row.text} is meant for this patient because the order names another patient"
            )
    return Drafts(tuple(facts), frozenset(replaced), tuple(uncovered))


def order_cards(
    held: Sequence[Fact],
    drafts: Drafts,
    *,
    selected: frozenset[str],
    missing: Sequence[str],
    today: date,
    trust: Trust,
) -> list[Card]:
    """Return a card for each grave finding that involves a draft, one for the rest, one for what was not checked.

    Args:
        held: all current facts of the patient that may be read.
        drafts: what `read_drafts` returned.
        selected: references of the orders to report on; all when empty.
        missing: what else could not be had, such as a part of the record that the EHR failed to send.
        today: the day the medicines are in force on.
        trust: which rows of the tables may be used here.
    """
    reported = {fact for fact in drafts.facts if not selected or fact.resource in selected}
    standing = [fact for fact in held if fact.resource not in drafts.replaced]
    unchecked = [*drafts.uncovered, *missing]
    if not reported:
        return _unchecked(unchecked)
    report = check([*standing, *drafts.facts], today=today, trust=trust)
    found = [one for one in report.findings if reported & {fact for fact, _ in one.citations_from}]
    context = [*standing, *(fact for fact in drafts.facts if fact not in reported)]
    unchecked = [*_about(report, context, reported, today=today, trust=trust), *unchecked]
    single = [one for one in found if one.severity >= Severity.SEVERE][:MOST_SINGLE]
    rest = [one for one in found if one not in single]
    cards = [_finding_card(one, report) for one in single]
    if rest:
        cards.append(_finding_card(rest[0], report) if len(rest) == 1 else _together(rest, report))
    return [*cards, *_unchecked(unchecked)]


def _about(
    report: SafetyReport, context: Sequence[Fact], reported: set[Fact], *, today: date, trust: Trust
) -> list[str]:
    """Return the lines on what was not checked that bear on a draft; those on other medicines are not repeated here."""
    if not report.not_checked:
        return []
    known = set(check(context, today=today, trust=trust).not_checked)
    labels = {fact.row.text for fact in reported}
    others = {fact.row.text for fact, _ in of_kind(context, MedicationRow)} - labels
    # Foods and house dust are in no table of medicines, and no order can touch them.
    others |= {f"allergy to {fact.row.text} " for fact, row in of_kind(context, AllergyRow) if _is_no_drug(row)}
    return [
        line
        for line in report.not_checked
        if any(label in line for label in labels) or line not in known or not any(one in line for one in others)
    ]


def _is_no_drug(row: AllergyRow) -> bool:
    return bool(row.category) and set(row.category) <= _NOT_DRUGS


def _finding_card(one: Finding, report: SafetyReport) -> Card:
    return Card(
        summary=one.text,
        indicator=_INDICATORS[one.severity],
        source=_source(one),
        detail=bullets([*_basis(one), report.covered]),
        topics=(one.row,),
        question=_QUESTION,
    )


def _together(findings: Sequence[Finding], report: SafetyReport) -> Card:
    return Card(
        summary=f"{len(findings)} more findings on the draft orders: {'; '.join(one.text for one in findings)}",
        indicator=_INDICATORS[findings[0].severity],
        source=SOURCE_UNCHECKED,
        detail=bullets([line for one in findings for line in (one.text, *_basis(one))] + [report.covered]),
        topics=tuple(one.row for one in findings),
        question=_QUESTION,
    )


def _basis(one: Finding) -> list[str]:
    cited = dict.fromkeys(
        f"{fact.row.text} ({'this draft' if fact.version == DRAFT else fact.resource})"
        for fact, _ in one.citations_from
    )
    doubt = ": written from memory, not approved by this site" if one.status == "unverified" else ""
    return [
        f"Severity: {one.severity.word}. Rests on: {'; '.join(cited)}.",
        f"Table: {_source(one)} ({one.status}{doubt}), row {one.row}.",
    ]


def _source(one: Finding) -> str:
    return one.source if one.edition == "none" else f"{one.source}, {one.edition}"


def _unchecked(lines: Sequence[str]) -> list[Card]:
    said = [line.removeprefix(_LEAD) for line in dict.fromkeys(lines)]
    if not said:
        return []
    return [
        Card(
            summary=f"Not checked: {'; '.join(said)}",
            indicator=Indicator.INFO,
            source=SOURCE_UNCHECKED,
            detail=bullets([f"Not checked: {line}" for line in said]),
            question=_QUESTION,
        )
    ]
