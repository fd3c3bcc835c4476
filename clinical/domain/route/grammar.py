"""Which questions code answers, by a deterministic grammar; the rest is read from the notes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.events import EventKind
from clinical.domain.facts.tables import measurements
from clinical.domain.route.abbreviated import undecided_note
from clinical.domain.route.halves import two_times
from clinical.domain.route.intents import REASONED, Act, Intent, Route, RouteKind, Topic
from clinical.domain.route.reading import Mention, Reading, read_question
from clinical.domain.route.subjects import find_topic
from clinical.domain.route.table import grammar, pattern

if TYPE_CHECKING:
    from clinical.domain.route.vocabulary import Vocabulary

LONGEST_QUESTION: Final = 600  # characters; a look-up is a sentence or two
_SUMMARY: Final = re.compile(r"\bsummar\w+\b|\bhand ?over\b|\bhandoff\b|\boverview\b|\bbrief me\b")
_TOLD: Final = re.compile(r"\b(?:say|said|says|discuss\w*|talk\w*|wish\w*|wants?|wanted|famil\w+|agree\w*)\b")
_WHAT_WAS_SAID: Final = re.compile(
    r"\bwhat (?:did|do|have|has|had|was|were|is|should) (?:(?:we|they|you|i|he|she|anyone|the \w+|patient|pt) )?"
    r"(?:tell|told|said|say|advise[ds]?|explain(?:ed)?|warn(?:ed)?|discuss(?:ed)?|counsel(?:led|ed)?)\b"
)
_HOW_OFTEN: Final = re.compile(r"\bhow often (?:is|are|should|does|do|must)\b")
_REPEATED: Final = frozenset({Topic.MEASURE, Topic.PROCEDURE, Topic.REPORT, Topic.VITALS, Topic.RESULTS, Topic.PANEL})
_ALSO_NOTES: Final = frozenset(
    {Topic.FAMILY, Topic.PROBLEM, Topic.PROCEDURE, Topic.REPORT, Topic.REPORTS, Topic.CHANGES, Topic.APPOINTMENTS}
)
_SPECIFIC: Final = frozenset({Topic.MEASURE, Topic.MEDICATION, Topic.ALLERGY, Topic.ALLERGIES, Topic.CODE_STATUS})


def route(question: str, vocabulary: Vocabulary) -> Route:
    """Decide who answers a question: code, notes or both.

    A look-up whose every word the grammar accounts for is `code`; a look-up with words left over is
    `code+notes`, and the reason names them; "why", family history and single problems or procedures
    also ask the notes; everything else is `notes`.
    """
    if len(question) > LONGEST_QUESTION:
        return Route(RouteKind.NOTES, "longer than a look-up: read from the notes")
    found = _halved(question, vocabulary) or _whole(question, vocabulary)
    note = undecided_note(question)
    return replace(found, reason=f"{found.reason}; {note}") if note else found


def _halved(question: str, vocabulary: Vocabulary) -> Route | None:
    """Return the route of a test asked for two times; None for any other question."""
    halves = two_times(question, vocabulary)
    if halves is None:
        return None
    first, second = (_whole(half, vocabulary) for half in halves)
    if first.intent is None or second.intent is None:
        return None
    kind = first.kind if first.kind is second.kind else RouteKind.BOTH
    return Route(kind, f"{first.reason}; and {second.reason}", replace(first.intent, apart=(second.intent,)))


def _whole(question: str, vocabulary: Vocabulary) -> Route:
    reading = read_question(question, vocabulary)
    if _SUMMARY.search(reading.text):
        return Route(RouteKind.NOTES, "asks for a summary")
    if _WHAT_WAS_SAID.search(reading.text):
        return Route(RouteKind.NOTES, "asks what was said: read from the notes")
    if pattern("somebody_else").search(reading.text):
        return Route(RouteKind.NOTES, "asks about somebody around the patient: read from the notes")
    found = find_topic(reading)
    if found is None and reading.moment is not None:  # "when was he last in the emergency room"
        reading = read_question(question, vocabulary, moments=False)
        found = find_topic(reading)
    if found is None:
        return Route(RouteKind.NOTES, _with_corrections("no look-up recognised: read from the notes", reading))
    intent, used = found
    return _route(_completed(intent, reading, used), reading, used)


def _completed(intent: Intent, reading: Reading, used: tuple[Mention, ...]) -> Intent:
    unread = reading.unread(used, *_patterns_of(intent))
    # A test or medicine is qualified only by what stands beside it or names an event; anything else by every word.
    qualified = unread if intent.topic not in _SPECIFIC else _qualifiers(reading, used, unread)
    detail = intent.detail
    if Act.JUDGED in reading.acts and "ever" in reading.tokens:  # "was it ever raised": every result counts
        side = next((one for one in ("high", "low") if pattern(f"judged_{one}").search(reading.text)), "either")
        detail = f"ever {side}"
    if intent.detail.startswith("effect:"):  # an effect is told by the notes; the order alone is no answer
        qualified, detail = (intent.detail.removeprefix("effect:"),), ""
    if intent.detail == "advice":  # whether to give a drug is for the clinician; code only hands over what bears on it
        qualified = ("advice",)
    return replace(
        intent,
        detail=detail,
        window=reading.window,
        moment=reading.moment,
        unit=reading.unit,
        take=reading.take,
        threshold=reading.threshold,
        inclusive=reading.inclusive,
        upper=reading.upper,
        corrections=reading.corrections,
        qualified=qualified,
        also=tuple(_completed(other, reading, used) for other in intent.also),
        instead=tuple(_completed(other, reading, used) for other in intent.instead),
    )


def _qualifiers(reading: Reading, used: tuple[Mention, ...], unread: tuple[str, ...]) -> tuple[str, ...]:
    """Return words beside a mention, or about an event in time, that make it another thing."""
    beside = {mention.start - 1 for mention in used} | {mention.end for mention in used}
    events = frozenset(grammar()["qualifiers"]) if reading.window is None else frozenset()
    return tuple(
        word
        for place, word in enumerate(reading.tokens)
        if word in unread and (word in events or (place in beside and word not in grammar()["qualifiers"]))
    )


def _route(intent: Intent, reading: Reading, used: tuple[Mention, ...]) -> Route:
    about = intent.said or intent.topic.value
    known = measurements().get(intent.target)
    if known is not None and known.sample == "blood" and intent.key is not None and not intent.key.sample:
        about = f"{about} (blood unless another sample is named)"
    if intent.moment is not None:
        about = f"{about}, {intent.moment.words} (dated by the record)"
    if intent.window is not None:
        about = f"{about}, {intent.window.words}"
    reason = f"look-up of {about}: {', '.join(intent.acts)}"
    unread = reading.unread(used, *_patterns_of(intent))
    if intent.topic is Topic.CODE_STATUS and _TOLD.search(reading.text):
        told = f"{reason}; what was said of it is read from the notes"
        return Route(RouteKind.BOTH, _with_corrections(told, reading), intent)
    if told := _told_by_notes(intent, reading):
        return Route(RouteKind.NOTES, _with_corrections(f"{told} is read from the notes ({about})", reading))
    if Act.WHY in intent.acts:
        return _why(intent, reading, about)
    if intent.topic in _ALSO_NOTES or _may_be_told(intent):
        return Route(RouteKind.BOTH, _with_corrections(f"{reason}; the notes may say more", reading), intent)
    if intent.detail == "advice":
        return Route(
            RouteKind.BOTH, _with_corrections(f"asks for advice: what is recorded on {about}", reading), intent
        )
    if unread:
        also = f"{reason}; the notes are read too for: {', '.join(unread)}"
        return Route(RouteKind.BOTH, _with_corrections(also, reading), intent)
    return Route(RouteKind.CODE, _with_corrections(reason, reading), intent)


def _may_be_told(intent: Intent) -> bool:
    """Whether notes tell what data seldom does: what an emergency contact found, what a medicine is taken for."""
    if intent.topic is Topic.MEDICATIONS and intent.detail == "for":
        return True
    return intent.moment is not None and intent.moment.kind is EventKind.EMERGENCY


def _told_by_notes(intent: Intent, reading: Reading) -> str:
    """Return what of a look-up only the notes can tell: when a habit changed, how often a test is to be done."""
    if _asks_when_it_ended(intent, reading):
        return "when it changed"
    return "how often" if intent.topic in _REPEATED and _HOW_OFTEN.search(reading.text) else ""


def _asks_when_it_ended(intent: Intent, reading: Reading) -> bool:
    """Whether the day of a change of habit is asked: a smoking status has only the day on which it was asked."""
    known = measurements().get(intent.target)
    social = known is not None and known.group == "social"
    return social and Act.WHEN in intent.acts and pattern("ended").search(reading.text) is not None


def _why(intent: Intent, reading: Reading, about: str) -> Route:
    if intent.topic not in REASONED:
        return Route(RouteKind.NOTES, _with_corrections(f'"why" is read from the notes ({about})', reading), intent)
    return Route(RouteKind.BOTH, _with_corrections(f"recorded reason for {about}, and the notes", reading), intent)


_LISTED_AS: Final = {
    Topic.MEDICATION: "medications",
    Topic.PAST_MEDICATIONS: "medications",
    Topic.PAST_PROBLEMS: "problems",
    Topic.PROBLEM: "problems",
    Topic.PROCEDURE: "procedures",
    Topic.REPORT: "reports",
    Topic.APPOINTMENTS: "encounters",
}


def _with_corrections(reason: str, reading: Reading) -> str:
    mended = ", ".join(f'"{typed}" read as "{read}"' for typed, read in reading.corrections)
    return f"{reason} ({mended})" if mended else reason


def _patterns_of(intent: Intent) -> tuple[re.Pattern[str], ...]:
    return tuple(one for part in (intent, *intent.also) for one in _topic_patterns(part.topic))


def _topic_patterns(topic: Topic) -> tuple[re.Pattern[str], ...]:
    named = {Topic.ALLERGY: "allergies", Topic.IMMUNIZATION: "immunizations"}.get(topic, topic.value)
    listed = _LISTED_AS.get(topic, named)
    found = [pattern("past")]
    found.extend(
        pattern(group, name)
        for group, name in (
            ("special", named),
            ("topics", named),
            ("lists", listed),
            ("beside", named),
            ("beside", listed),
        )
        if name in grammar()[group]
    )
    if topic is Topic.DUE:
        found.append(pattern("topics", "immunizations"))
    if topic in (Topic.MEASURE, Topic.PENDING, Topic.ABNORMAL, Topic.PANEL, Topic.REPORT):
        found.append(pattern("lists", "results"))
    if topic is Topic.MEASURE:
        found.extend((pattern("special", "abnormal"), pattern("judged")))
    if topic is Topic.PENDING:
        found.append(pattern("returned"))
    if topic is Topic.MEDICATIONS:
        found.extend((pattern("held"), pattern("new")))
    if topic is Topic.ALLERGIES:  # "drug allergies" lists all of them: a food allergy is better seen than missed
        found.append(pattern("lists", "medications"))
    return tuple(found)
