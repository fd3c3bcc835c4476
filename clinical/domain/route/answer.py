"""Answers by code: which facts answer an intent, and in which sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from clinical.domain.facts.events import NoEvent
from clinical.domain.facts.statements import about, code_status, family_history, latest_vitals, recent_results
from clinical.domain.facts.tables import problems
from clinical.domain.projection.dates import display_date
from clinical.domain.provenance import DEMO, Trust
from clinical.domain.route.answer_drugs import (
    answer_allergies,
    answer_allergy,
    answer_medication,
    answer_medications,
    answer_past_medications,
)
from clinical.domain.route.answer_lists import (
    age,
    answer_encounters,
    answer_identity,
    answer_list,
    chosen,
    says,
)
from clinical.domain.route.answer_measures import answer_measure
from clinical.domain.route.answer_record import RECORD_TOPICS, answer_record
from clinical.domain.route.answer_reports import REPORT_TOPICS, answer_reports
from clinical.domain.route.intents import REASONED, Act, CodeAnswer, CodeSentence, Topic
from clinical.domain.route.moments import resolve
from clinical.domain.route.sentences import answered, in_words, listed, not_found, sentence, within
from clinical.domain.route.times import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import Intent, Route

__all__ = ["age", "answer_by_code", "lacks_a_half"]


def answer_by_code(route: Route, facts: Sequence[Fact], *, today: date, trust: Trust = DEMO) -> CodeAnswer:
    """Answer a route's look-up, and further ones of the same question, from the patient's facts.

    With several look-ups the answer stands when one of them does; `absent` then names the others. "Why" of
    anything but a medicine, and pure narrative questions, are not answered here. A time counted from an event of the
    record is said first, as it was read; where the event is not found or not one, that is `absent`.

    Args:
        route: what `route()` returned.
        facts: all current facts of one patient the grant lets be read; entered-in-error is left out here.
        today: the day of the question, for "last two years" and for ages.
        trust: which rows of unverified tables (conversions, schedule, trend thresholds) may be used.
    """
    if route.intent is None:
        return CodeAnswer()
    if route.intent.apart:
        return _each(route, route.intent, facts, today, trust)
    intent, reading, missing = _in_time(route.intent, facts, today)
    if missing:
        return not_found(f"{in_words(intent)} ({missing})")
    if Act.WHY in intent.acts and intent.topic not in REASONED:
        context = _answer(intent, facts, today, trust)
        return CodeAnswer(absent=None, related=context.sentences or context.related)
    parts = [_first_answer(one, facts, today, trust) for one in (intent, *intent.also)]
    absent = [part.absent for part in parts if part.absent]
    said = tuple(dict.fromkeys(one for part in parts for one in part.sentences))
    return CodeAnswer(
        sentences=(*reading, *said, *_window_reading(intent, said, today)) if said else (),
        answered=any(part.answered for part in parts),
        absent="; ".join(absent) or None,
        related=tuple(dict.fromkeys(one for part in parts for one in part.related)),
    )


def lacks_a_half(route: Route, found: CodeAnswer) -> bool:
    """Return whether one of several times asked about is not recorded as data: the notes may tell it."""
    return route.intent is not None and bool(route.intent.apart) and found.absent is not None


def _each(route: Route, intent: Intent, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:
    """Answer look-ups that have each a time of their own; where one finds something, what is missing is said."""
    intents = (replace(intent, apart=()), *intent.apart)
    parts = [answer_by_code(replace(route, intent=one), facts, today=today, trust=trust) for one in intents]
    absent = tuple(part.absent or in_words(one) for one, part in zip(intents, parts, strict=True) if not part.answered)
    if len(absent) == len(parts):
        return not_found("; ".join(absent), [one for part in parts for one in part.related])
    missing = tuple(CodeSentence(f"Not recorded as data: {one}.", ()) for one in absent)
    said = tuple(dict.fromkeys(one for part in parts if part.answered for one in part.sentences))
    return CodeAnswer((*said, *missing), answered=True, absent="; ".join(absent) or None)


def _in_time(intent: Intent, facts: Sequence[Fact], today: date) -> tuple[Intent, tuple[CodeSentence, ...], str]:
    """Return the intent with its event looked up, how that was read, or why it cannot be."""
    if intent.moment is None or intent.topic is Topic.CHANGES:
        return intent, (), ""
    inside = (None, None) if intent.window is None else intent.window.bounds(today)
    found = resolve(intent.moment, facts, today=today, inside=inside)
    if isinstance(found, NoEvent):
        return intent, (), found.why
    window, reading = found
    also = tuple(replace(one, window=window) for one in intent.also)
    instead = tuple(replace(one, window=window) for one in intent.instead)
    return replace(intent, window=window, also=also, instead=instead), (reading,), ""


def _window_reading(intent: Intent, said: Sequence[CodeSentence], today: date) -> tuple[CodeSentence, ...]:
    """Return how words such as "since March" or "in the last two years" were read; nothing where a year was said."""
    window = intent.window
    if not isinstance(window, Window) or window.is_plain or intent.topic is Topic.CHANGES:
        return ()
    start, end = window.bounds(today)
    begun = f"from {display_date(start.date().isoformat())}" if start else "up to"
    last = display_date((end - timedelta(days=1)).date().isoformat()) if end else "today"
    return (CodeSentence(f'"{window.words}" is read as: {begun} to {last}.', said[0].citations_from[:1]),)


def _first_answer(intent: Intent, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:
    if intent.topic is Topic.ENCOUNTERS:
        intent, found = answer_encounters(intent, facts, today)
    else:
        found = _answer(intent, facts, today, trust)
    for other in intent.instead:
        if found.answered:
            break
        second = _answer(other, facts, today, trust)
        found = second if second.answered else found
    return _qualified(intent, found) if intent.qualified else found


def _qualified(intent: Intent, found: CodeAnswer) -> CodeAnswer:
    """Keep as the answer the sentences that hold every qualifying word ("lung" cancer); the rest is related."""
    kept = [one for one in found.sentences if says(one.text, intent.qualified)]
    if kept and found.answered:
        return answered(kept)
    related = found.sentences or found.related
    return not_found(f"{found.absent or in_words(intent)} ({', '.join(intent.qualified)})", related)


def _answer(intent: Intent, facts: Sequence[Fact], today: date, trust: Trust) -> CodeAnswer:  # noqa: C901 - one case a topic
    match intent.topic:
        case Topic.MEASURE:
            return answer_measure(intent, facts, today, trust=trust)
        case Topic.MEDICATION:
            return answer_medication(intent, facts, today)
        case Topic.MEDICATIONS:
            return answer_medications(intent, facts, today)
        case Topic.PAST_MEDICATIONS:
            return answer_past_medications(intent, facts, today)
        case Topic.ALLERGY:
            return answer_allergy(intent, facts)
        case Topic.ALLERGIES:
            return answer_allergies(facts)
        case Topic.ENCOUNTERS:
            return answer_encounters(intent, facts, today)[1]
        case Topic.VITALS:
            return chosen(intent, latest_vitals(within(facts, intent.window, today)), today, "vital signs")
        case Topic.RESULTS:
            groups = recent_results(within(facts, intent.window, today))
            return chosen(intent, [group[0] for _, group in groups], today, "laboratory results")
        case Topic.CODE_STATUS:
            return _code_status(facts)
        case Topic.FAMILY:
            return _family(intent, facts)
        case Topic.IDENTITY:
            return answer_identity(facts, today)
        case topic if topic in REPORT_TOPICS:
            return answer_reports(intent, facts, today)
        case topic if topic in RECORD_TOPICS:
            return answer_record(intent, facts, today, trust=trust)
        case _:
            return answer_list(intent, facts, today)


def _code_status(facts: Sequence[Fact]) -> CodeAnswer:
    found = code_status(facts)
    lead = "The record holds more than one statement: " if len({_wish(fact) for fact in found}) > 1 else ""
    return answered([sentence(fact, lead) for fact in found]) if found else not_found("code status")


def _family(intent: Intent, facts: Sequence[Fact]) -> CodeAnswer:
    relatives = family_history(facts)
    found = about(relatives, intent.target, problems()) if intent.target else relatives
    if not found:
        return not_found(f"family history of {intent.said or 'anything'}")
    return answered(listed(found, "entries"))


def _wish(fact: Fact) -> str:
    return str(getattr(fact.row, "wish", "")) or fact.row.text
