"""Which questions code answers, by a deterministic grammar; the rest is read from the notes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.facts.naming import analyte
from clinical.domain.facts.tables import measurements
from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.intents import Act, Intent, Route, RouteKind, Topic
from clinical.domain.route.reading import Mention, Reading, read_question
from clinical.domain.route.table import fillers, grammar, pattern

if TYPE_CHECKING:
    from clinical.domain.route.vocabulary import Vocabulary

_SUMMARY: Final = re.compile(r"\bsummar\w+\b|\bhand ?over\b|\bhandoff\b|\boverview\b|\bbrief me\b")
_FOR: Final = re.compile(
    r"\b(?:on|taking|takes?|medications?|meds|medicines?|tablets?|prescribed|given)\s+for\b",
)
_TO: Final = re.compile(r"\b(?:allerg\w+|intoleran\w+|reactions?|anaphyla\w+)\s+(?:to|against)\s+(?P<what>.+)$")
_OF_ALLERGY: Final = re.compile(r"(?P<what>[\w-]+)\s+(?:allerg\w+|intoleran\w+|anaphyla\w+)")
_TAKING_NOW: Final = frozenset(
    ["on", "take", "takes", "taking", "took", "taken", "using", "uses", "receiving", "prescribed"],
)
_LISTS: Final = {
    "vitals": Topic.VITALS, "medications": Topic.MEDICATIONS, "results": Topic.RESULTS,
    "procedures": Topic.PROCEDURES, "problems": Topic.PROBLEMS,
    "encounters": Topic.ENCOUNTERS, "identity": Topic.IDENTITY,
}  # fmt: skip
_SPECIFIC: Final = frozenset({Topic.MEASURE, Topic.MEDICATION, Topic.ALLERGY, Topic.ALLERGIES, Topic.CODE_STATUS})
_PAST: Final = {Topic.MEDICATIONS: Topic.PAST_MEDICATIONS, Topic.PROBLEMS: Topic.PAST_PROBLEMS}
_NAMED_TOPICS: Final = (
    (kinds.DRUG, Topic.MEDICATION), (kinds.PROBLEM, Topic.PROBLEM), (kinds.PROCEDURE, Topic.PROCEDURE),
    (kinds.VACCINE, Topic.PROBLEM), (kinds.ALLERGEN, Topic.ALLERGY),
)  # fmt: skip


def route(question: str, vocabulary: Vocabulary) -> Route:
    """Decide who answers a question: code, notes or both.

    A look-up whose every word the grammar accounts for is `code`; a look-up with words left over is
    `code+notes`, and the reason names them; "why", family history and single problems or procedures
    also ask the notes; everything else is `notes`.
    """
    reading = read_question(question, vocabulary)
    if _SUMMARY.search(reading.text):
        return Route(RouteKind.NOTES, "asks for a summary")
    found = _fixed_topic(reading) or _named(reading) or _unknown_drug(reading) or _list(reading)
    if found is None:
        return Route(RouteKind.NOTES, _with_corrections("no look-up recognised: read from the notes", reading))
    intent, used = found
    return _route(_completed(intent, reading, used), reading, used)


def _completed(intent: Intent, reading: Reading, used: tuple[Mention, ...]) -> Intent:
    unread = reading.unread(used, *_patterns_of(intent))
    # A test or medicine is qualified only by what stands beside it or names an event; anything else by every word.
    qualified = unread if intent.topic not in _SPECIFIC else _qualifiers(reading, used, unread)
    return replace(
        intent,
        window=reading.window,
        threshold=reading.threshold,
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
    reason = f"look-up of {about}: {', '.join(intent.acts)}"
    unread = reading.unread(used, *_patterns_of(intent))
    if Act.WHY in intent.acts:
        if intent.topic is not Topic.MEDICATION:
            return Route(RouteKind.NOTES, _with_corrections(f'"why" is read from the notes ({about})', reading), intent)
        return Route(RouteKind.BOTH, _with_corrections(f"recorded reason for {about}, and the notes", reading), intent)
    if intent.topic in (Topic.FAMILY, Topic.PROBLEM, Topic.PROCEDURE):
        return Route(RouteKind.BOTH, _with_corrections(f"{reason}; the notes may say more", reading), intent)
    if unread:
        also = f"{reason}; the notes are read too for: {', '.join(unread)}"
        return Route(RouteKind.BOTH, _with_corrections(also, reading), intent)
    return Route(RouteKind.CODE, _with_corrections(reason, reading), intent)


def _with_corrections(reason: str, reading: Reading) -> str:
    mended = ", ".join(f'"{typed}" read as "{read}"' for typed, read in reading.corrections)
    return f"{reason} ({mended})" if mended else reason


def _patterns_of(intent: Intent) -> tuple[re.Pattern[str], ...]:
    return tuple(one for part in (intent, *intent.also) for one in _topic_patterns(part.topic))


def _topic_patterns(topic: Topic) -> tuple[re.Pattern[str], ...]:
    named = {Topic.ALLERGY: "allergies", Topic.IMMUNIZATION: "immunizations"}.get(topic, topic.value)
    plural = {
        Topic.MEDICATION: "medications",
        Topic.PAST_MEDICATIONS: "medications",
        Topic.PAST_PROBLEMS: "problems",
    }
    listed = plural.get(topic, named)
    found = [pattern("past")]
    if named in grammar()["topics"]:
        found.append(pattern("topics", named))
    if listed in grammar()["lists"]:
        found.append(pattern("lists", str(listed)))
    if topic is Topic.MEASURE:
        found.append(pattern("lists", "results"))
    if topic is Topic.ALLERGIES:  # "drug allergies" lists all of them: a food allergy is better seen than missed
        found.append(pattern("lists", "medications"))
    return tuple(found)


Found = tuple[Intent, tuple[Mention, ...]]


def _acts(reading: Reading) -> tuple[Act, ...]:
    return reading.acts or (Act.STATUS,)


def _fixed_topic(reading: Reading) -> Found | None:
    """Topics with words of their own: family history, code status, vaccination, allergy."""
    rest = reading.outside([one for one in reading.mentions if not {kinds.DRUG, kinds.VACCINE} & set(one.targets)])
    for name in grammar()["topics"]:
        if not pattern("topics", name).search(rest):
            continue
        if name == "allergies":
            return _allergy(reading)
        named = [
            one
            for one in reading.mentions
            if name != "code-status" and (kinds.VACCINE in one.targets or name == "family")
        ]
        target = named[0].name if named else ""
        topic = Topic.IMMUNIZATION if name == "immunizations" and named else Topic(name)
        return Intent(topic, _acts(reading), target, target), tuple(named)
    return None


def _allergy(reading: Reading) -> Found:
    named = [one for one in reading.mentions if set(one.targets) & {kinds.DRUG, kinds.ALLERGEN}]
    target = named[0].name if named else ""
    if not named:
        match = _TO.search(reading.text) or _OF_ALLERGY.search(reading.text)
        said = match["what"].split() if match else []
        kept = [word for word in said if word not in fillers() and word not in grammar()["not_a_substance"]]
        target = " ".join(kept[:3])
    target = " ".join(word for word in target.split() if word.removesuffix("'s") not in reading.own_name)
    also = tuple(_lists(reading, Topic.ALLERGIES)) if not target and " and " in reading.text else ()
    topic = Topic.ALLERGY if target else Topic.ALLERGIES
    places = tuple(
        Mention(place, place + 1, word, {}) for place, word in enumerate(reading.tokens) if word in target.split()
    )
    return Intent(topic, _acts(reading), target, target, also=also), (*named, *places)


def _named(reading: Reading) -> Found | None:
    """Something the record or the tables have a name for."""
    if _FOR.search(reading.text) and reading.mentions:
        return Intent(Topic.MEDICATIONS, _acts(reading)), ()
    read = [(_intent(reading, mention), mention) for mention in reading.mentions]
    intents = [(intent, mention) for intent, mention in read if intent is not None]
    if not intents:
        return None
    first = intents[0][0]
    same = [(intent, mention) for intent, mention in intents if intent.topic is first.topic]
    others = tuple(intent for intent, _ in same[1:] if intent.target != first.target)
    return replace(first, also=others), tuple(mention for _, mention in same)


def _intent(reading: Reading, mention: Mention) -> Intent | None:
    acts = _acts(reading)
    taken = _is_taken(reading, mention)
    if kinds.MEASURE in mention.targets and not taken:
        concept = mention.targets[kinds.MEASURE]
        sample = next(
            (grammar()["samples"][word] for word in _around(reading, mention) if word in grammar()["samples"]),
            "",
        )
        sample = sample or ("urine" if analyte(mention.name) != mention.name and "urine" in mention.name else "")
        others = tuple(_readings(mention, acts))
        return Intent(Topic.MEASURE, acts, concept, mention.name, MeasureKey(concept, sample), instead=others)
    if taken:
        return Intent(Topic.MEDICATION, acts, mention.name, mention.name)
    readings = _readings(mention, acts)
    if kinds.VACCINE in mention.targets and {Act.WHEN, Act.LATEST} & set(acts):  # "when was his last MMR"
        readings.insert(0, Intent(Topic.IMMUNIZATION, acts, mention.targets[kinds.VACCINE], mention.name))
    return replace(readings[0], instead=tuple(readings[1:])) if readings else None


def _readings(mention: Mention, acts: tuple[Act, ...]) -> list[Intent]:
    return [
        Intent(topic, acts, mention.targets[kind], mention.name)
        for kind, topic in _NAMED_TOPICS
        if kind in mention.targets
    ]


def _around(reading: Reading, mention: Mention) -> tuple[str, ...]:
    return reading.tokens[: mention.start] + reading.tokens[mention.end :]


def _is_taken(reading: Reading, mention: Mention) -> bool:
    """Return whether a verb of taking stands right before the mention: "is she on potassium"."""
    if set(mention.targets) <= {kinds.PROBLEM, kinds.PROCEDURE}:
        return False
    articles = set(grammar()["articles"]) - _TAKING_NOW
    place = mention.start - 1
    while place >= 0 and reading.tokens[place] in articles:
        place -= 1
    return place > 0 and reading.tokens[place] in grammar()["taking"] and _is_verb(reading, place)


def _is_verb(reading: Reading, place: int) -> bool:
    """Return whether the word at `place` says that somebody takes something; "on" only after a person or verb."""
    before = reading.tokens[place - 1] if place else ""
    return reading.tokens[place] != "on" or before in grammar()["takers"] or before in reading.own_name


def _unknown_drug(reading: Reading) -> Found | None:
    """A word nobody knows after a verb of taking: it is looked for among the medicines all the same."""
    for place, word in enumerate(reading.tokens):
        verb = place - 1
        while verb >= 0 and reading.tokens[verb] in set(grammar()["articles"]) - _TAKING_NOW:
            verb -= 1
        is_known = word in fillers() or word in grammar()["articles"] or _is_grammar(word)
        taken = verb >= 0 and reading.tokens[verb] in _TAKING_NOW and _is_verb(reading, verb)
        if taken and word.isalpha() and not is_known:
            unknown = Mention(place, place, word, {})
            return Intent(Topic.MEDICATION, _acts(reading), word, word, detail="unknown"), (unknown,)
    return None


def _is_grammar(word: str) -> bool:
    groups = ("lists", "acts", "topics")
    return any(pattern(group, name).fullmatch(word) for group in groups for name in grammar()[group])


def _lists(reading: Reading, *but: Topic) -> list[Intent]:
    rest = reading.text
    found = []
    for name, topic in _LISTS.items():
        if topic not in but and pattern("lists", name).search(rest):
            past = bool(pattern("past").search(rest)) and topic in _PAST
            inpatient = topic is Topic.ENCOUNTERS and pattern("inpatient").search(rest)
            emergency = topic is Topic.ENCOUNTERS and pattern("emergency").search(rest)
            detail = "inpatient" if inpatient else "emergency" if emergency else ""
            found.append(Intent(_PAST[topic] if past else topic, _acts(reading), said=topic.value, detail=detail))
    return found


def _list(reading: Reading) -> Found | None:
    """A list by its own name: medications, problems, vital signs, results, visits."""
    found = _lists(reading)
    if not found and re.search(r"\bwhat\b.*\bon\b\s*(?:now|currently|at the moment|for)?$", reading.text):
        found = [Intent(Topic.MEDICATIONS, _acts(reading), said="medications")]
    also = tuple(found[1:]) if " and " in reading.text else ()
    return (replace(found[0], also=also), ()) if found else None
