"""In which order a question's look-up is sought: codes, the whole record, topics, visits, names, lists."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.intents import Intent, Topic
from clinical.domain.route.table import grammar, pattern
from clinical.domain.route.topics import (
    NAMED_TOPICS,
    Found,
    acts_of,
    fixed_topic,
    intent_of,
    list_topic,
    lists_of,
    named_topic,
    unknown_drug,
)

if TYPE_CHECKING:
    from clinical.domain.route.reading import Reading

_VISIT_FOR: Final = re.compile(
    r"\b(?:visits?|encounters?|seen|admitted|admissions?|appointments?|contacts?|emergency|attendances?|hospitali\w+)"
    r"(?: \w+){0,3} (?:for|with|because of|due to|about)\b"
)
_SAID: Final = {
    "changes": "what changed",
    "abnormal": "results out of range",
    "conflicts": "contradictions in the record",
    "plans": "care plans and goals",
    "appointments": "coming appointments",
}


def find_topic(reading: Reading) -> Found | None:
    """Return the look-up a reading asks for, with the mentions it uses; None when the grammar finds none."""
    return (
        _coded(reading)
        or _special(reading)
        or fixed_topic(reading)
        or _visit(reading)
        or named_topic(reading)
        or unknown_drug(reading)
        or list_topic(reading)
    )


def _coded(reading: Reading) -> Found | None:
    """A code as typed: the entries that carry it."""
    typed = reading.code
    if typed is None:
        return None
    acts = acts_of(reading)
    if kinds.MEASURE in typed.targets:
        concept, _, sample = typed.targets[kinds.MEASURE].partition("|")
        return Intent(Topic.MEASURE, acts, concept, typed.said, MeasureKey(concept, sample), code=typed.code), ()
    topics = {**dict(NAMED_TOPICS), kinds.VACCINE: Topic.IMMUNIZATION, kinds.REPORT: Topic.REPORT}
    topic = next(topic for kind, topic in topics.items() if kind in typed.targets)
    return Intent(topic, acts, typed.code, typed.said, code=typed.code), ()


def _special(reading: Reading) -> Found | None:
    """Questions on the record as a whole: what is due, pending, abnormal, new, contradictory, planned."""
    specific = [
        one for one in reading.mentions if set(one.targets) & {kinds.MEASURE, kinds.DRUG, kinds.PANEL, kinds.REPORT}
    ]
    rest = reading.outside(reading.mentions)
    if pattern("returned").search(rest) and specific and kinds.MEASURE in specific[0].targets:
        waiting = Intent(Topic.PENDING, acts_of(reading), specific[0].targets[kinds.MEASURE], specific[0].name)
        return replace(waiting, instead=(intent_of(reading, specific[0]) or waiting,)), tuple(specific[:1])
    for name in grammar()["special"]:
        if not pattern("special", name).search(rest):
            continue
        vaccines = tuple(one for one in reading.mentions if kinds.VACCINE in one.targets)
        if name == "due":
            if not vaccines and not pattern("topics", "immunizations").search(reading.text):
                continue
            target = vaccines[0].name if vaccines else ""
            return Intent(Topic.DUE, acts_of(reading), target, target or "immunisations due"), vaccines
        if specific and name in ("changes", "abnormal", "plans"):
            continue
        if name == "changes" and not (reading.window or reading.moment or rest.split()[:1] in (["what"], ["changes"])):
            continue
        if name == "pending":
            target = specific[0].targets.get(kinds.MEASURE, specific[0].name) if specific else ""
            said = f"{specific[0].name} pending" if specific else "pending results"
            return Intent(Topic.PENDING, acts_of(reading), target, said), tuple(specific[:1])
        return Intent(Topic(name), acts_of(reading), said=_SAID.get(name, name)), ()
    return None


def _visit(reading: Reading) -> Found | None:
    """A kind of visit by its name in the record, or a visit for a problem: "last visit for bronchitis"."""
    named = [one for one in reading.mentions if kinds.ENCOUNTER in one.targets]
    alone = any(set(one.targets) == {kinds.ENCOUNTER} for one in named)
    if not alone and not pattern("lists", "encounters").search(reading.text):
        return None
    if named and not any(set(one.targets) & {kinds.MEASURE, kinds.DRUG} for one in reading.mentions):
        name = named[0].targets[kinds.ENCOUNTER]
        return Intent(Topic.ENCOUNTERS, acts_of(reading), name, named[0].name), (named[0],)
    about = [one for one in reading.mentions if {kinds.PROBLEM, kinds.PROCEDURE} & set(one.targets)]
    visits = [one for one in lists_of(reading) if one.topic is Topic.ENCOUNTERS]
    if not about and visits and _VISIT_FOR.search(reading.text):
        return visits[0], ()  # the words of the reason are looked for in the visits
    if about and _VISIT_FOR.search(reading.text):
        last = about[-1]
        names = tuple(one.targets.get(kinds.PROBLEM) or one.targets[kinds.PROCEDURE] for one in about)
        found = visits[0] if visits else Intent(Topic.ENCOUNTERS, acts_of(reading))
        return replace(found, narrowed=names, said=f"visits for {last.name}"), tuple(about)
    return None
