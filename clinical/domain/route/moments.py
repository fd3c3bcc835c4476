"""Time relative to an event of the record, each with one defined reading that is said with the answer.

"before X": up to the start of X. "since X": from its start on. "after X": from its end on. "during X": start to end.
"on admission": the first 24 hours of the stay (its first day, where only the day is recorded), first result first.
"at discharge": the last 24 hours (last day). Of several operations, stays or visits the newest is meant; of several
orders of a medicine, "starting" means the first and "stopped" the newest end. "Since the last visit" counts from the
end of the newest visit that lies before the day of the question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.events import Event, EventKind, NoEvent, Stretch, find_event
from clinical.domain.facts.naming import words
from clinical.domain.projection.dates import display_date
from clinical.domain.projection.rows import ConditionRow
from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.sentences import statement
from clinical.domain.route.times import Between

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from clinical.domain.facts.fact import Fact
    from clinical.domain.route.intents import CodeSentence
    from clinical.domain.route.vocabulary import Vocabulary

_RELATION: Final = {
    "before": "before", "prior to": "before", "until": "before", "till": "before", "up to": "before",
    "preceding": "before", "pre": "before", "after": "after", "following": "after", "post": "after",
    "since": "since", "from": "since", "during": "during", "throughout": "during", "in": "during",
    "while": "during", "on": "at", "at": "at",
}  # fmt: skip
_WHICH: Final = r"(?:the |his |her |their |this |that )?(?:(?:last|latest|most recent|recent|previous|current) )?"
_START: Final = (
    r"(?:starting|beginning|commencing|initiating|initiation of|the start of|start of|going on|being put on)"
)
_STOP: Final = r"(?:stopping|discontinuing|discontinuation of|the end of|coming off|withdrawal of|stop of)"
_ARRIVALS: Final = frozenset({"admission", "admitted", "arrival", "presentation"})
_WHO: Final = r"(?:she|he|they|the patient)"
_WAS: Final = r"(?:was|were|got|had been|has been) (?:first )?"
_FIXED: Final = (
    (
        EventKind.STAY,
        re.compile(rf"\b(?P<relation>on|at) {_WHICH}(?P<edge>admission|discharge|arrival|presentation)\b"),
    ),
    (
        EventKind.STAY,
        re.compile(
            rf"\b(?P<relation>during|before|after|since|following|prior to|in|throughout) {_WHICH}"
            r"(?:hospital |inpatient )?(?P<edge>admission|discharge|stay|hospitali[sz]ation|inpatient stay)\b"
        ),
    ),
    (
        EventKind.STAY,
        re.compile(
            r"\b(?P<relation>before|after|since|when|while|until) (?:she|he|they|the patient) (?:was|were) "
            r"(?P<edge>admitted|discharged|hospitali[sz]ed|in hospital|an inpatient)\b"
        ),
    ),
    (
        EventKind.EMERGENCY,
        re.compile(
            rf"\b(?P<relation>during|before|after|since|following|on|at|in) {_WHICH}emergency"
            r"(?: department| room)?(?: visit| attendance| admission| presentation| encounter)?\b"
        ),
    ),
    (
        EventKind.OPERATION,
        re.compile(
            rf"\b(?P<relation>before|after|since|following|prior to|pre|post) {_WHICH}"
            r"(?:operation|surgery|op|procedure)\b"
        ),
    ),
    (EventKind.OPERATION, re.compile(r"\b(?P<relation>pre|post)[- ]?op(?:erative|eratively)?\b")),
    (
        EventKind.VISIT,
        re.compile(
            r"\b(?P<relation>since|after|before|at|on|during|from) (?:the |his |her |their |our )?"
            r"(?:last|latest|most recent|previous) "
            r"(?:(?:clinic|outpatient|gp|office) |(?P<name>[a-z-]+) )?"
            r"(?:visit|encounter|appointment|consultation|review|clinic|seen)\b"
        ),
    ),
    (
        EventKind.VISIT,
        re.compile(
            r"\b(?P<relation>since) (?:(?:she|he|they) (?:was|were) last seen|last time|we last saw (?:him|her|them))\b"
        ),
    ),
    (EventKind.BIRTH, re.compile(r"\b(?P<relation>since|after|at) birth\b")),
)
_DRUG: Final = (
    (
        EventKind.STARTED,
        re.compile(rf"\b(?P<relation>before|after|since|following|prior to|from) {_START} (?P<name>[^?,;.]+)"),
    ),
    (
        EventKind.STOPPED,
        re.compile(rf"\b(?P<relation>before|after|since|following|prior to|until) {_STOP} (?P<name>[^?,;.]+)"),
    ),
    (
        EventKind.STARTED,
        re.compile(
            rf"\b(?P<relation>before|after|since|until) (?P<name>[^?,;.]+?) {_WAS}"
            r"(?:started|begun|commenced|initiated|prescribed)\b"
        ),
    ),
    (
        EventKind.STOPPED,
        re.compile(
            rf"\b(?P<relation>before|after|since|until) (?P<name>[^?,;.]+?) {_WAS}"
            r"(?:stopped|discontinued|withdrawn|ended)\b"
        ),
    ),
    (
        EventKind.STARTED,
        re.compile(
            rf"\b(?P<relation>before|after|since) {_WHO} (?:was )?(?:started|began|commenced|went on)"
            r"(?: on| taking)? (?P<name>[^?,;.]+)"
        ),
    ),
    (
        EventKind.STOPPED,
        re.compile(rf"\b(?P<relation>before|after|since) {_WHO} (?:stopped|came off)(?: taking)? (?P<name>[^?,;.]+)"),
    ),
)
_NAMED: Final = re.compile(
    rf"\b(?P<relation>before|after|since|following|prior to|during) {_WHICH}"
    r"(?:diagnosis of |being diagnosed with )?(?P<name>[a-z][\w' /-]{2,60})"
)
_OF_NAMED: Final = (kinds.PROCEDURE, kinds.PROBLEM, kinds.VACCINE, kinds.ENCOUNTER, kinds.DRUG)
_LONGEST: Final = 8
_FIRST_DAY: Final = timedelta(hours=24)
_MOST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time as asked: `relation` before, after, since, during or at; `edge` "start" or "end" of a stay."""

    words: str
    relation: str
    kind: EventKind
    name: str = ""
    edge: str = ""


def find_moment(text: str, vocabulary: Vocabulary) -> tuple[Moment | None, str]:
    """Return the first event a question (lower case) counts time from, and the text without it.

    Only events of a known kind, or called by a name of the record or the tables, are taken; other words stay.
    """
    for kind, pattern in _FIXED:
        if match := pattern.search(text):
            return _fixed(kind, match), _without(text, match.start(), match.end())
    for kind, pattern in _DRUG:
        if (match := pattern.search(text)) and (named := _called(match["name"], vocabulary, (kinds.DRUG,))):
            end = match.end() if match.end("name") != match.end() else match.start("name") + named.length
            return _moment(text, match, end, kind, named.name), _without(text, match.start(), end)
    if (match := _NAMED.search(text)) and (named := _called(match["name"], vocabulary, _OF_NAMED)):
        end = match.start("name") + named.length
        kind = EventKind.STARTED if named.kind == kinds.DRUG else EventKind.NAMED
        return _moment(text, match, end, kind, named.name), _without(text, match.start(), end)
    return None, text


def _fixed(kind: EventKind, match: re.Match[str]) -> Moment:
    said = match.groupdict().get("edge") or ""
    relation = _RELATION.get(match["relation"], "during")
    edge = "end" if said.startswith("discharg") else "start" if said in _ARRIVALS else ""
    if edge == "start" and said == "admission" and relation in ("during", "after", "since"):
        edge, relation = "", "during" if relation == "during" else "since"
    if kind is EventKind.STAY and said in ("admitted", "discharged") and match["relation"] in ("when", "while"):
        relation = "at"
    return Moment(match[0].strip(), relation, kind, match.groupdict().get("name") or "", edge)


def _moment(text: str, match: re.Match[str], end: int, kind: EventKind, name: str) -> Moment:
    return Moment(text[match.start() : end].strip(), _RELATION[match["relation"]], kind, name)


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}"


@dataclass(frozen=True, slots=True)
class Called:
    """A name found at the beginning of a phrase: its kind, what it is known by, how many characters it takes."""

    kind: str
    name: str
    length: int


def _called(phrase: str, vocabulary: Vocabulary, wanted: Sequence[str]) -> Called | None:
    """Return the longest known name at the beginning of a phrase."""
    tokens = words(phrase)
    for length in range(min(_LONGEST, len(tokens)), 0, -1):
        name = " ".join(tokens[:length])
        targets = vocabulary.find(name)
        kind = next((one for one in wanted if one in targets), None)
        if kind is not None:
            last = tokens[length - 1]
            taken = re.match(rf"(?:\S+\s+){{{length - 1}}}\S+", phrase)
            return Called(kind, targets[kind], taken.end() if taken else phrase.find(last) + len(last))
    return None


def resolve(
    moment: Moment, facts: Sequence[Fact], *, today: date, inside: Stretch = (None, None)
) -> tuple[Between, CodeSentence] | NoEvent:
    """Return the stretch of time meant, with the sentence that says how it was read, or why there is none.

    `inside` is where the event itself has to begin ("on admission in January").
    """
    latest = today - timedelta(days=1) if moment.kind is EventKind.VISIT else today
    found = find_event(facts, moment.kind, moment.name, today=latest, inside=inside)
    if isinstance(found, NoEvent):
        return found
    start, end, how = _bounds(moment, found)
    more = (
        f"; the newest of {found.others + 1} recorded" if found.others and moment.kind is not EventKind.STARTED else ""
    )
    if found.others and moment.kind is EventKind.STARTED:
        more = f"; the first of {found.others + 1} orders"
    what = {EventKind.STARTED: "start of ", EventKind.STOPPED: "end of "}.get(moment.kind, "")
    reading = f"Read as: {how}, {what}'{found.label[:_MOST_SHOWN]}'{more}."
    return Between(moment.words, start, end, moment.relation), statement(reading, [found.fact])


def _bounds(moment: Moment, event: Event) -> tuple[datetime | None, datetime | None, str]:
    """Return [from, to) and how it is said."""
    if isinstance(event.fact.row, ConditionRow) and moment.relation == "after":
        moment = replace(moment, relation="since")  # after a diagnosis, not after its end
    end = event.end or datetime.max.replace(tzinfo=UTC)
    last = display_date((end - timedelta(microseconds=1)).date().isoformat()) if event.end else "now"
    if moment.edge:
        return _at_an_edge(moment, event, end, last)
    day = display_date(event.recorded, with_time=True)
    match moment.relation:
        case "at":
            return event.start, max(end, event.start + _FIRST_DAY), f"within 24 hours of {day}"
        case "before":
            return None, event.start, f"before {day}"
        case "after":
            return end, None, f"after {last}"
        case "since" if moment.kind is EventKind.VISIT:
            return end, None, f"after {last}, the last visit before today"
        case "since":
            return event.start, None, f"since {day}"
        case _:
            return event.start, end, f"from {day} to {last}" if last != display_date(event.recorded) else f"on {day}"


def _at_an_edge(moment: Moment, event: Event, end: datetime, last: str) -> tuple[datetime | None, datetime | None, str]:
    """Return the time around admission or discharge."""
    day = display_date(event.recorded, with_time=True)
    match moment.edge, moment.relation:
        case "start", "before":
            return None, event.start, f"before {day}"
        case "start", _:
            return event.start, event.start + _FIRST_DAY, f"the first 24 hours from {day}"
        case _, "before":
            return None, end, f"up to the end, {last}"
        case _, "after" | "since":
            return end, None, f"after the end, {last}"
        case _:
            return max(event.start, end - _FIRST_DAY), end, f"the last 24 hours up to {last}"
