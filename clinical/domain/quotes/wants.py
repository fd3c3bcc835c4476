"""Whether a sentence holds the kind of thing a question wants: a reason, a date, an amount, a finding, a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clinical.domain.quotes.question import Intent

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.quotes.question import Question

_TIME_UNITS = frozenset({"a", "mo", "wk", "d", "h", "min"})
_STRETCH = r"(?:\d|a |an |one|two|three|four|five|six|seven|eight|nine|ten|several|few|the (?:past|last|next)|last|now)"
_CAUSE = re.compile(
    r"\b(?:because|due to|secondary to|owing to|caus(?:e|ed|es|ing)|led to|leads to|in view of|attribut\w+|reasons?"
    r"|as (?:she|he|it|they|there|the)|as a result|related|in the setting of|on account of|thought to|likely"
    rf"|to (?:treat|prevent|help|control|manage|reduce|improve|lower|avoid|protect)|for (?!{_STRETCH})"
    r"|given (?:the|her|his|that|their)|in order to|so that|therefore|hence|while|despite|although"
    r"|following|after (?!meals|food|breakfast|lunch|dinner|bed)|developed|resulting|caused by"
    r"|since (?!\d|last|then|january|february|march|april|may|june|july|august|september|october|november|december)"
    r"|side effects?|intoleran\w+|contraindicat\w+|not tolerated|allerg\w+)\b|, so\b|\bso (?:that|she|he|it|they|we)\b"
    r"|\((?=[^)\d]{4,}\))|\bnot \w+: ",
    re.IGNORECASE,
)
_HINT = re.compile(r"[;:]|\b(?:but|when|with)\b", re.IGNORECASE)
_WHEN = re.compile(
    r"\b(?:today|yesterday|tomorrow|ago|last (?:night|week|month|year|spring|summer|fall|autumn|winter|visit)"
    r"|this (?:morning|week|month|year)|(?:past|last) (?:few|several|couple)|next (?:week|month|year)"
    r"|at (?:the )?age|as a child|in childhood|teenager|weeks? (?:prior|before)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|since (?:january|february|march|april|may|june|july|august|september|october|november|december|spring|summer"
    r"|autumn|fall|winter|birth|childhood))\b",
    re.IGNORECASE,
)
_FREQUENCY = re.compile(
    r"\b(?:daily|weekly|monthly|twice|once|nightly|every|each|per|bid|bd|tid|tds|qid|times|few|several"
    r"|couple|years?|always|never|none|rarely|occasional\w*)\b",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:normal|abnormal|unremarkable|elevated|high|low|raised|decreased|increased|reduced|positive|negative|stable"
    r"|shows?|showed|shown|demonstrat\w+|reveal\w*|within|no|not|mild\w*|moderate|severe|intact|present|absent|noted"
    r"|pending|good|controlled|detected|evidence|consistent|borderline|regular|clear|well|poor|better|worse|healed"
    r"|grade|stage)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:Dr|Doctor|Mr|Mrs|Ms|Nurse|Prof)\b\.?\s+[A-Z]|(?<=[a-z,;:] )[A-Z][a-z]{2,}"
    r"|\b(?i:wife|husband|partner|son|daughter|mother|father|sister|brother|niece|nephew|friend|neighbour|neighbor"
    r"|surgeon|cardiologist|gp|physician|nurse|therapist|specialist|team|clinic)\b"
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
            return bool(reading.figures) or bool(_FREQUENCY.search(text))
        case Intent.RESULT:
            return bool(reading.figures) or (not _awaited(asked, reading) and _finding(asked, reading))
        case Intent.PERSON:
            return bool(_PERSON.search(text))
        case Intent.SIDE:
            return bool(reading.keys & {"word:left", "word:right", "word:bilateral"})
        case Intent.PLAN:
            return bool(_PLANNED.search(text)) or "order" in reading.cues


def hints(intent: Intent, reading: Reading) -> bool:
    """Return whether a sentence that tells of the event asked about may go on to its reason ("not given: ...")."""
    return intent is Intent.CAUSE and bool(_HINT.search(reading.text))


def _awaited(asked: Question, reading: Reading) -> bool:
    focus = [one for one in reading.mentions if any(group & one.keys for group in asked.concepts)]
    return bool(focus) and all(one.attributes & {"planned", "order"} for one in focus)


def _finding(asked: Question, reading: Reading) -> bool:
    named: set[str] = set().union(*asked.concepts)
    others: list[Mention] = [one for one in reading.mentions if one.clinical and not one.keys & named]
    return bool(_RESULT.search(reading.text)) or any(not one.attributes & {"planned", "order"} for one in others)
