"""Answers about diagnostic reports, panels of tests, plans and coming appointments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import of_kind
from clinical.domain.facts.reports import latest_of_panel, members_of, reports, reports_about
from clinical.domain.facts.statements import newest
from clinical.domain.projection.rows import GenericRow, PlanRow, ReportRow
from clinical.domain.route.answer_lists import chosen
from clinical.domain.route.intents import Act, CodeAnswer, Topic
from clinical.domain.route.sentences import answered, carrying, in_words, listed, not_found, sentence, within

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import Intent

REPORT_TOPICS: Final = frozenset({Topic.REPORT, Topic.REPORTS, Topic.PANEL, Topic.PLANS, Topic.APPOINTMENTS})
_LABORATORY: Final = frozenset({"lab", "laboratory", "ch", "hm", "mb"})
_COMING: Final = frozenset({"booked", "pending", "proposed", "waitlist", "arrived", "checked-in"})
_NOT_IN_FORCE: Final = frozenset({"completed", "revoked", "cancelled", "entered-in-error", "rejected", "draft"})


def answer_reports(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer one kind of report (its conclusion and results), all reports, a panel, plans in force or appointments."""
    match intent.topic:
        case Topic.REPORT:
            found = carrying(reports(facts), intent.code) if intent.code else reports_about(facts, intent.target)
            return _report(intent, found, facts, today)
        case Topic.REPORTS:
            found = [fact for fact in reports(facts) if intent.detail != "imaging" or not _is_laboratory(fact)]
            return chosen(intent, found, today, "reports")
        case Topic.PANEL:
            return _panel(intent, facts, today)
        case Topic.PLANS:
            return _plans(intent, facts, today)
        case _:
            return _appointments(facts, today)


def _report(intent: Intent, found: Sequence[Fact], facts: Sequence[Fact], today: date) -> CodeAnswer:
    inside = within(found, intent.window, today)
    if not inside:
        return not_found(in_words(intent), [sentence(fact, "Outside the time asked about: ") for fact in found[:1]])
    if set(intent.acts) & {Act.COUNT, Act.SERIES, Act.FIRST}:
        return chosen(intent, inside, today, "reports")
    newest_ones = [fact for fact in inside if fact.row.effective_sort == inside[0].row.effective_sort]
    if Act.PREVIOUS in intent.acts:
        older = [fact for fact in inside if fact not in newest_ones]
        if not older:
            return not_found(f"previous {intent.said}", [sentence(fact, "Latest: ") for fact in newest_ones])
        return answered([sentence(older[0], "Previous: ")])
    sentences = [sentence(fact, "Latest: ") for fact in newest_ones]
    for fact in newest_ones:
        sentences.extend(listed(members_of(facts, fact), "results", shown=40))
    if Act.LATEST not in intent.acts:
        sentences.extend(sentence(fact, "Earlier: ") for fact in inside[len(newest_ones) : len(newest_ones) + 5])
    return answered(sentences)


def _is_laboratory(fact: Fact) -> bool:
    return isinstance(fact.row, ReportRow) and bool({one.lower() for one in fact.row.categories} & _LABORATORY)


def _panel(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer a panel by its newest report and that report's results, else by the latest result of each member."""
    reported = _report(intent, reports_about(facts, intent.target), facts, today)
    if reported.answered:
        return reported
    members = latest_of_panel(within(facts, intent.window, today), intent.target)
    if not members:
        return not_found(in_words(intent), reported.related)
    return answered(listed(members, "results", lead="Latest: ", shown=40))


def _plans(intent: Intent, facts: Sequence[Fact], today: date) -> CodeAnswer:
    held = newest(fact for fact, _ in of_kind(facts, PlanRow))
    wanted = {"goal": "Goal", "refer": "ServiceRequest", "plan": "CarePlan"}
    types = {kind for word, kind in wanted.items() if word in intent.detail} or set(wanted.values())
    found = [fact for fact in held if fact.row.resource_type in types and fact.row.status not in _NOT_IN_FORCE]
    if found:
        return chosen(intent, found, today, "plans")
    past = [fact for fact in held if fact.row.resource_type in types]
    return not_found("care plans or goals in force", [sentence(fact, "No longer in force: ") for fact in past[:3]])


def _appointments(facts: Sequence[Fact], today: date) -> CodeAnswer:
    """Answer the appointments of today and later that are booked, the next one first."""
    held = [fact for fact, row in of_kind(facts, GenericRow) if row.resource_type == "Appointment"]
    coming = [fact for fact in held if fact.row.effective_sort.date() >= today and fact.row.status in _COMING]
    coming.sort(key=lambda fact: (fact.row.effective_sort, fact.resource))
    if not coming:
        return not_found("coming appointments", [sentence(fact, "Not coming: ") for fact in newest(held)[:1]])
    return answered([sentence(coming[0], "Next: "), *listed(coming[1:], "appointments")])
