"""What a question is about: topics with words of their own, names of the record or the tables, lists by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from clinical.domain.facts.fact import MeasureKey
from clinical.domain.facts.naming import analyte
from clinical.domain.facts.tables import drug_classes
from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.besides import effect_of, is_grammar, medicines_for, or_episode
from clinical.domain.route.intents import Act, Intent, Topic
from clinical.domain.route.reading import Mention, Reading
from clinical.domain.route.table import fillers, grammar, pattern

_FOR: Final = re.compile(
    r"\b(?:on|taking|takes?|medications?|meds|medicines?|tablets?|prescribed|given)\s+for\b",
)
_TO: Final = re.compile(r"\b(?:allerg\w+|intoleran\w+|reactions?|anaphyla\w+)\s+(?:to|against)\s+(?P<what>.+)$")
_OF_ALLERGY: Final = re.compile(r"(?P<what>[\w-]+)\s+(?:allerg\w+|intoleran\w+|anaphyla\w+)")
_TAKING_NOW: Final = frozenset(
    ["on", "take", "takes", "taking", "took", "taken", "using", "uses", "receiving", "prescribed"],
)
_LISTS: Final = {
    "vitals": Topic.VITALS, "medications": Topic.MEDICATIONS, "reports": Topic.REPORTS, "results": Topic.RESULTS,
    "procedures": Topic.PROCEDURES, "problems": Topic.PROBLEMS,
    "encounters": Topic.ENCOUNTERS, "identity": Topic.IDENTITY,
}  # fmt: skip
_NEVER_TAKEN: Final = frozenset(
    {kinds.PROBLEM, kinds.PROCEDURE, kinds.VACCINE, kinds.REPORT, kinds.ENCOUNTER, kinds.PANEL}
)
_JOINED: Final = frozenset({Topic.PROBLEM, Topic.PROCEDURE})
_GIVEN_AS: Final = re.compile(r"(?:injections?|shots?|tablets?|supplements?|infusions?|drops|pills?|replacement)\b")
_LEVEL: Final = re.compile(r"(?:blood |serum |plasma |trough |drug )?(?:levels?|conc|concentrations?)\b")
_ADVICE: Final = re.compile(
    r"\b(?:can|may|could|should|safe|ok|okay|allowed)\b.*\b(?:have|take|given?|start|started|use|prescribed?|switch)\b",
)
_PAST: Final = {Topic.MEDICATIONS: Topic.PAST_MEDICATIONS, Topic.PROBLEMS: Topic.PAST_PROBLEMS}
NAMED_TOPICS: Final = (
    (kinds.DRUG, Topic.MEDICATION), (kinds.PROBLEM, Topic.PROBLEM), (kinds.PROCEDURE, Topic.PROCEDURE),
    (kinds.VACCINE, Topic.PROBLEM), (kinds.ALLERGEN, Topic.ALLERGY), (kinds.REPORT, Topic.REPORT),
    (kinds.PANEL, Topic.PANEL),
)  # fmt: skip

Found = tuple[Intent, tuple[Mention, ...]]


def acts_of(reading: Reading) -> tuple[Act, ...]:
    """Return what is asked; "is it so?" where nothing else is said."""
    return reading.acts or (Act.STATUS,)


def fixed_topic(reading: Reading) -> Found | None:
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
        target = (named[0].targets.get(kinds.VACCINE) or named[0].name) if named else ""
        topic = Topic.IMMUNIZATION if name == "immunizations" and named else Topic(name)
        return Intent(topic, acts_of(reading), target, target), tuple(named)
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
    also = tuple(lists_of(reading, Topic.ALLERGIES)) if not target and " and " in reading.text else ()
    topic = Topic.ALLERGY if target else Topic.ALLERGIES
    places = tuple(
        Mention(place, place + 1, word, {}) for place, word in enumerate(reading.tokens) if word in target.split()
    )
    detail = "reaction" if re.search(r"\breact\w*\b", reading.text) and target else ""
    return Intent(topic, acts_of(reading), target, target, also=also, detail=detail), (*named, *places)


def named_topic(reading: Reading) -> Found | None:
    """Something the record or the tables have a name for."""
    if used := medicines_for(reading):
        return used
    if _FOR.search(reading.text) and reading.mentions:
        return Intent(Topic.MEDICATIONS, acts_of(reading)), ()
    read = [(intent_of(reading, mention), mention) for mention in reading.mentions]
    intents = _narrowest([(intent, mention) for intent, mention in read if intent is not None])
    if not intents:
        return None
    if (effect := effect_of(reading, intents[0])) and intents[0][0].topic is Topic.MEDICATION:
        return replace(intents[0][0], detail=f"effect:{effect}"), (intents[0][1],)
    if _ADVICE.search(reading.text) and kinds.DRUG in intents[0][1].targets:
        asked = intents[0][1].name
        return Intent(Topic.ALLERGY, acts_of(reading), asked, asked, detail="advice"), (intents[0][1],)
    merged = [(or_episode(intent, reading), mention) for intent, mention in _merged(intents)]
    first = merged[0][0]
    same = [(intent, mention) for intent, mention in merged if intent.topic is first.topic]
    others = tuple(intent for intent, _ in same[1:] if intent.target != first.target)
    return replace(first, also=others), tuple(mention for _, mention in same)


def _narrowest(intents: list[tuple[Intent, Mention]]) -> list[tuple[Intent, Mention]]:
    """Drop a drug class right beside a drug: "the beta blocker bisoprolol" asks about bisoprolol alone."""
    classes = {term for item in drug_classes() for term in item.terms}
    drugs = [mention for intent, mention in intents if intent.topic is Topic.MEDICATION and mention.name not in classes]
    beside = {drug.start for drug in drugs} | {drug.end for drug in drugs}
    kept = [
        (intent, mention)
        for intent, mention in intents
        if mention.name.removesuffix("s") not in classes or not {mention.start, mention.end} & beside
    ]
    # "asthma inhalers" asks about the inhalers
    named = {mention.start for _, mention in kept if mention.name in classes}
    held = {mention.end: mention for one, mention in kept if one.topic is Topic.PROBLEM and mention.end in named}
    return [
        (one, replace(mention, start=held[mention.start].start) if mention.start in held else mention)
        for one, mention in kept
        if mention not in held.values()
    ]


def _merged(intents: list[tuple[Intent, Mention]]) -> list[tuple[Intent, Mention]]:
    """Join neighbouring names of one problem or procedure: "breast tumour" is one that is both, not either."""
    merged = [intents[0]]
    for intent, mention in intents[1:]:
        before, place = merged[-1]
        if intent.topic is before.topic and intent.topic in _JOINED and mention.start == place.end:
            said = f"{before.said} {intent.said}"
            both = replace(before, said=said, narrowed=(*before.narrowed, intent.target), instead=())
            merged[-1] = both, Mention(place.start, mention.end, said, place.targets)
        else:
            merged.append((intent, mention))
    return merged


def intent_of(reading: Reading, mention: Mention) -> Intent | None:
    """Return the look-up that a mention asks for, other readings of it behind; None when it asks for none."""
    acts = acts_of(reading)
    taken = _is_taken(reading, mention)
    if (
        kinds.DRUG in mention.targets
        and kinds.MEASURE not in mention.targets
        and _LEVEL.match(_behind(reading, mention))
    ):
        name = mention.targets[kinds.DRUG]  # how much of it is in the blood, not how much is taken
        return Intent(Topic.MEASURE, acts, name, f"{mention.name} level", MeasureKey(name))
    taken = taken or (kinds.DRUG in mention.targets and _GIVEN_AS.match(_behind(reading, mention)) is not None)
    if kinds.MEASURE in mention.targets and not taken:
        concept = mention.targets[kinds.MEASURE]
        sample = next(
            (grammar()["samples"][word] for word in _around(reading, mention) if word in grammar()["samples"]),
            "",
        )
        sample = sample or ("urine" if analyte(mention.name) != mention.name and "urine" in mention.name else "")
        others = tuple(
            one for one in _readings(mention, acts) if one.topic is not Topic.MEDICATION or not _valued(reading)
        )
        return Intent(Topic.MEASURE, acts, concept, mention.name, MeasureKey(concept, sample), instead=others)
    if taken:
        return Intent(Topic.MEDICATION, acts, mention.name, mention.name)
    readings = _readings(mention, acts)
    asks_dose = {Act.WHEN, Act.LATEST} & set(acts) or mention.name in grammar()["vaccine_only"]
    asks_dose = asks_dose or re.search(r"\b(?:doses|given|due|course|series|completed?)\b", reading.text) is not None
    asks_dose = asks_dose or len(reading.tokens) <= mention.end - mention.start  # nothing but its name
    if kinds.VACCINE in mention.targets and asks_dose:  # "when was his last MMR"
        readings.insert(0, Intent(Topic.IMMUNIZATION, acts, mention.targets[kinds.VACCINE], mention.name))
    if {kinds.REPORT, kinds.PROCEDURE} & set(mention.targets) and _asks_result(reading, mention):
        readings.sort(key=lambda intent: intent.topic is not Topic.REPORT)  # "what did the echo show"
        readings = [replace(one, detail="result") if one.topic is Topic.PROCEDURE else one for one in readings]
    return replace(readings[0], instead=tuple(readings[1:])) if readings else None


def _readings(mention: Mention, acts: tuple[Act, ...]) -> list[Intent]:
    return [
        Intent(topic, acts, mention.targets[kind], mention.name)
        for kind, topic in NAMED_TOPICS
        if kind in mention.targets
    ]


def _valued(reading: Reading) -> bool:
    """Whether a value is asked for: no order of the same name stands in for it."""
    measured = {Act.TREND, Act.HIGHEST, Act.LOWEST, Act.ABOVE, Act.BELOW, Act.JUDGED}
    return (
        bool(measured & set(reading.acts)) or re.search(r"\b(?:levels?|results?|values?)\b", reading.text) is not None
    )


def _asks_result(reading: Reading, mention: Mention) -> bool:
    return pattern("beside", "report").search(reading.outside([mention])) is not None


def _behind(reading: Reading, mention: Mention) -> str:
    return " ".join(reading.tokens[mention.end :])


def _around(reading: Reading, mention: Mention) -> tuple[str, ...]:
    return reading.tokens[: mention.start] + reading.tokens[mention.end :]


def _is_taken(reading: Reading, mention: Mention) -> bool:
    """Return whether a verb of taking stands right before the mention: "is she on potassium"."""
    if set(mention.targets) <= _NEVER_TAKEN:
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


def unknown_drug(reading: Reading) -> Found | None:
    """A word nobody knows after a verb of taking: it is looked for among the medicines all the same."""
    for place, word in enumerate(reading.tokens):
        verb = place - 1
        while verb >= 0 and reading.tokens[verb] in set(grammar()["articles"]) - _TAKING_NOW:
            verb -= 1
        is_known = word in fillers() or word in grammar()["articles"] or is_grammar(word)
        taken = verb >= 0 and reading.tokens[verb] in _TAKING_NOW and _is_verb(reading, verb)
        if taken and word.isalpha() and not is_known:
            unknown = Mention(place, place, word, {})
            return Intent(Topic.MEDICATION, acts_of(reading), word, word, detail="unknown"), (unknown,)
    return None


def lists_of(reading: Reading, *but: Topic) -> list[Intent]:
    """Return the lists a question names, but those given."""
    rest = reading.text
    found = []
    for name, topic in _LISTS.items():
        if topic not in but and pattern("lists", name).search(rest):
            past = bool(pattern("past").search(rest)) and topic in _PAST
            inpatient = topic is Topic.ENCOUNTERS and pattern("inpatient").search(rest)
            emergency = topic is Topic.ENCOUNTERS and pattern("emergency").search(rest)
            detail = "emergency" if emergency else "inpatient" if inpatient else ""
            if topic is Topic.MEDICATIONS and not past:
                detail = "on-hold" if pattern("held").search(rest) else "new" if pattern("new").search(rest) else ""
            if topic is Topic.REPORTS:
                detail = "imaging" if pattern("imaging").search(rest) else ""
            one = Intent(_PAST[topic] if past else topic, acts_of(reading), said=topic.value, detail=detail)
            both = inpatient and emergency  # "emergency admission": the emergency contact, else the stay it led to
            found.append(replace(one, instead=(replace(one, detail="inpatient"),)) if both else one)
    return found


def list_topic(reading: Reading) -> Found | None:
    """A list by its own name: medications, problems, vital signs, results, visits."""
    found = lists_of(reading)
    if not found and re.search(r"\bwhat\b.*\bon\b\s*(?:now|currently|at the moment|for)?$", reading.text):
        found = [Intent(Topic.MEDICATIONS, acts_of(reading), said="medications")]
    if (
        not found
        and reading.moment
        and re.search(r"^what (?:was|were|has been|have been)?\s*(?:newly )?started$", reading.text)
    ):
        found = [Intent(Topic.MEDICATIONS, acts_of(reading), said="medications", detail="new")]
    if not found and Act.WHERE in reading.acts:
        found = [Intent(Topic.ENCOUNTERS, acts_of(reading), said="place")]
    also = tuple(found[1:]) if " and " in reading.text else ()
    return (replace(found[0], also=also), ()) if found else None
