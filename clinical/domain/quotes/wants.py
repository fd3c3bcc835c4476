"""Whether a sentence holds the kind of thing a question wants: a reason, a date, an amount, a finding, a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.intents import Intent

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Figure, Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.quotes.question import Question

_TIME_UNITS = frozenset({"a", "mo", "wk", "d", "h", "min"})
_DOSES = frozenset({"mg", "ug", "g", "mL", "[iU]", "ug/h", "mg/mL", "{tablet}", "{puff}"})
_INITIALS = 2
_STRETCH = r"(?:\d|a |an |one|two|three|four|five|six|seven|eight|nine|ten|several|few|the (?:past|last|next)|last|now)"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_CAUSE = re.compile(
    r"\b(?:because|due to|secondary to|owing to|caus(?:e|ed|es|ing)|led to|leads to|in view of|attribut\w+|reasons?"
    r"|as (?:she|he|it|they|there|the)|as a result|related|in the setting of|on account of|thought to|likely"
    rf"|to (?:treat|prevent|help|control|manage|reduce|improve|lower|avoid|protect)|for (?!{_STRETCH})"
    r"|given (?:the|her|his|that|their)|in order to|so that|therefore|hence|while|despite|although"
    r"|following|after (?!meals|food|breakfast|lunch|dinner|bed)|developed|resulting|caused by"
    rf"|since (?!\d|last|then|(?:her|his|the|their) last|{_MONTHS})"
    r"|had to|needed to|in (?:the )?hopes?|side effects?|intoleran\w+|contraindicat\w+|not tolerated|allerg\w+)\b"
    r"|, so\b|\bso (?:that|she|he|it|they|we)\b"
    r"|\((?=[^)\d]{4,}\))|\bnot \w+: ",
    re.IGNORECASE,
)
_HINT = re.compile(r";|\b(?:but|when)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\b(?:today|yesterday|tomorrow|ago|last (?:night|week|month|year|spring|summer|fall|autumn|winter|visit)"
    r"|(?:few|several|couple of) (?:hours|days|weeks|months|years)|at night|overnight|nightly|on waking"
    r"|in the (?:morning|afternoon|evening)|after (?:meals|eating|exercise)|before bed|when (?:he|she)"
    r"|this (?:morning|week|month|year)|(?:past|last) (?:few|several|couple)|next (?:week|month|year)"
    r"|at (?:the )?age|as a child|in childhood|teenager|weeks? (?:prior|before)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    rf"|since (?:{_MONTHS}|spring|summer"
    r"|autumn|fall|winter|birth|childhood))\b",
    re.IGNORECASE,
)
_FREQUENCY = re.compile(
    r"\b(?:daily|weekly|monthly|twice|once|nightly|every|each|per|bid|bd|tid|tds|qid|times|few|several|first|second"
    r"|third|fourth|fifth|couple|years?|always|never|none|rarely|occasional\w*)\b",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:normal|abnormal|unremarkable|elevated|high|low|raised|decreased|increased|reduced|positive|negative|stable"
    r"|shows?|showed|shown|demonstrat\w+|reveal\w*|within|no|not|mild\w*|moderate|severe|intact|present|absent|noted|unchanged|changed?|comparison|appears?"
    r"|pending|good|controlled|detected|evidence|consistent|borderline|regular|clear|well|poor|better|worse|healed"
    r"|grade|stage)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:Dr|Doctor|Mr|Mrs|Ms|Nurse|Prof)\b\.?\s+[A-Z]"
    r"|\b(?i:(?:grand)?(?:mother|father|son|daughter|parents?)|wife|husband|partner|sister|brother|niece|nephew|aunt|uncle"
    r"|cousin|friend|neighbou?r|surgeon|\w+(?:ologist|iatrist)|gp|physician|doctor|nurse|therapist|specialist|clinic)\b"
)
_PLANNED = re.compile(
    r"\b(?:plan\w*|will|recommend\w*|follow|continue|start|increase|refer\w*|order\w*|advis\w+|schedul\w+|consider"
    r"|repeat|book\w*|review|if)\b",
    re.IGNORECASE,
)


def holds(intent: Intent, asked: Question, reading: Reading) -> bool:
    """Return whether one sentence holds what the question wants."""
    text = reading.text
    match intent:
        case Intent.CAUSE:
            return bool(_CAUSE.search(text))
        case Intent.DATE:
            timed = any(one.quantity.unit in _TIME_UNITS for one in reading.figures)
            return timed or bool(reading.dates) or bool(_WHEN.search(text))
        case Intent.AMOUNT:
            return bool(_figures(asked, reading)) or bool(_FREQUENCY.search(text))
        case Intent.RESULT:
            valued = [one for one in _figures(asked, reading) if one.quantity.unit not in _TIME_UNITS]
            named = set().union(*asked.concepts)
            own = any(one.wider & named for one in valued)
            return own or (not awaits(asked, reading) and (bool(valued) or _finding(asked, reading)))
        case Intent.PERSON:
            return bool(_PERSON.search(text)) or _is_named(reading)
        case Intent.DRUG:
            drugs = [
                one for one in reading.mentions if one.kind is Kind.DRUG and one.key not in set().union(*asked.concepts)
            ]
            return bool(drugs) or any(one.quantity.unit in _DOSES for one in reading.figures)
        case Intent.SIDE:
            return bool(reading.keys & {"word:left", "word:right", "word:bilateral"})
        case Intent.PLAN:
            return bool(_PLANNED.search(text)) or "order" in reading.cues


_WAITING = re.compile(r"\b(?:when|once|until|if)\b.*\b(?:results?|available|back|positive|negative)\b", re.IGNORECASE)


def hints(intent: Intent, reading: Reading) -> bool:
    """Return whether a sentence that tells of the event asked about may go on to its reason ("not given: ...")."""
    return intent is Intent.CAUSE and bool(_HINT.search(reading.text))


def awaits(asked: Question, reading: Reading) -> bool:
    """Return whether a result is still to come: the thing asked about is only ordered, planned or waited for."""
    focus = [one for one in reading.mentions if any(group & one.keys for group in asked.concepts)]
    if _WAITING.search(reading.text):
        return True
    return bool(focus) and all(one.attributes & {"planned", "order", "hypothetical"} for one in focus)


def _figures(asked: Question, reading: Reading) -> list[Figure]:
    """Return the numbers that may be of what is asked: not the dose of a drug beside a test or condition."""
    named: set[str] = set().union(*asked.concepts)
    drugs = {one.key for one in reading.mentions if one.kind is Kind.DRUG}
    if not named:
        return list(reading.figures)
    return [one for one in reading.figures if one.wider & named or not one.heads & drugs]


def _is_named(reading: Reading) -> bool:
    """Whether a capitalised word stands where no sentence or label begins, and is no drug or test."""
    named = {place for one in reading.mentions if one.clinical for place in range(one.first, one.last)}
    words = reading.words
    return any(
        word.text[:1].isupper()
        and len(word.text) > _INITIALS
        and place not in named
        and (words[place - 1].text.islower() or words[place - 1].text == ",")
        and all(later.text != ":" for later in words[place : place + 3])
        for place, word in enumerate(words)
        if place
    )


def _finding(asked: Question, reading: Reading) -> bool:
    named: set[str] = set().union(*asked.concepts)
    others: list[Mention] = [one for one in reading.mentions if one.clinical and not one.keys & named]
    return bool(_RESULT.search(reading.text)) or any(not one.attributes & {"planned", "order"} for one in others)
