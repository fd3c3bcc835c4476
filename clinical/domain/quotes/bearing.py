"""Whether one sentence of the record bears on a question, and how well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.values import OTHER_SPECIMENS
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.question import Intent

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.source import Source, SourceSentence
    from clinical.domain.quotes.question import Question

_MOST_WORDS = 0.67  # of the plain words asked about
_HALF = 0.5
_TIME_UNITS = frozenset({"a", "mo", "wk", "d", "h", "min"})
_CAUSE = re.compile(
    r"\b(?:because|due to|secondary to|owing to|given|after|following|since|caused|causing|led to"
    r"|in view of|for"
    r"|attributed|attributable|reason|as (?:she|he|it|they|there|the)|as a result|related to"
    r"|in the setting of|on account of"
    r"|to (?:treat|prevent|help|control|manage|reduce|improve|lower|avoid)|side effects?|intoleran\w+"
    r"|developed|resulting)\b",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:today|yesterday|tomorrow|ago|last (?:night|week|month|year|spring|summer|fall|autumn"
    r"|winter|visit)|this (?:morning"
    r"|week|month|year)|(?:past|last) (?:few|several|couple)|next (?:week|month|year)|at (?:the )?age"
    r"|as a child|in childhood"
    r"|teenager)\b",
    re.IGNORECASE,
)
_FREQUENCY = re.compile(
    r"\b(?:daily|weekly|monthly|twice|once|nightly|every|each|per|bid|tid|qid|times|few|several"
    r"|couple|years?|always)\b",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"\b(?:normal|abnormal|unremarkable|elevated|high|low|raised|decreased|increased|reduced|positive"
    r"|negative|stable|shows?"
    r"|showed|shown|demonstrat\w+|reveal\w*|within|no |not |mild\w*|moderate|severe|intact|present"
    r"|absent|noted|pending|good"
    r"|controlled|detected|evidence|consistent|borderline|regular|clear|well|poor|better|worse)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:Dr|Doctor|Mr|Mrs|Ms|Nurse)\b\.?\s+[A-Z]|\b(?:by|with|from)\s+(?:[A-Z][a-z]+\s+[A-Z]|(?:his"
    r"|her|the|an?)\s)"
)
_PLANNED = re.compile(
    r"\b(?:plan|will|recommend\w*|follow|continue|start|increase|refer\w*|order\w*|advis\w+"
    r"|schedul\w+|consider)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Bearing:
    """`full`: it meets every demand. `near`: every concept, too few of the plain words. `sentences`: 1 or 2."""

    full: bool
    near: bool
    score: float
    sentences: int


def bearing_of(asked: Question, source: Source, place: int) -> Bearing | None:
    """Return how the sentence at `place` bears on the question, None if not at all."""
    sentence = source.sentences[place]
    before = source.sentences[place - 1] if place and _follows_on(sentence) else None
    own = _answering(asked, sentence.reading.mentions)
    context = _answering(asked, sentence.headings) + (_answering(asked, before.reading.mentions) if before else [])
    covered = _concepts_covered(asked, own, context)
    if covered is None:
        return None
    words = _words_covered(asked, sentence, before)
    if words < _HALF or not asked.sides <= sentence.reading.keys | {key for one in context for key in one.keys}:
        return None
    sentences = _meets(asked, source, place, own)
    if sentences == 0:
        return None
    full = words >= _MOST_WORDS
    length = max(len(sentence.reading.mentions), 1)
    score = 3 * covered + 2 * words + min(len(own), 3) / length + (0.5 if sentences == 1 else 0.0)
    return Bearing(full, not full, score, sentences)


def _follows_on(sentence: SourceSentence) -> bool:
    return sentence.reading.refers_back


def _answering(asked: Question, mentions: tuple[Mention, ...]) -> list[Mention]:
    """Drop mentions that are about somebody else, only conditional, or an allergen when none is asked for."""
    return [one for one in mentions if _right_person(asked, one) and _real(asked, one)]


def _right_person(asked: Question, mention: Mention) -> bool:
    relatives = {one for one in mention.attributes if one.startswith("family:")}
    if "heading" in mention.attributes:
        return True
    if not asked.of_family:
        return not relatives
    return bool(relatives) and (not asked.relatives or bool(asked.relatives & relatives))


def _real(asked: Question, mention: Mention) -> bool:
    if "hypothetical" in mention.attributes and "hypothetical" not in asked.reading.cues:
        return False
    if mention.kind is Kind.DRUG and mention.attributes & {"allergy", "avoid", "intolerance"}:
        return asked.of_allergy or Intent.CAUSE in asked.intents
    return True


def _concepts_covered(asked: Question, own: list[Mention], context: list[Mention]) -> float | None:
    """Return the share of concepts the sentence names itself, None if one is named nowhere."""
    if asked.medications and not any(one.kind is Kind.DRUG for one in own):
        return None
    if not asked.concepts:
        return 1.0
    hits = 0.0
    for group in asked.concepts:
        if any(group & one.keys for one in own):
            hits += 1
        elif any(group & one.keys for one in context):
            hits += 0.5
        else:
            return None
    # Named only in headings or before, never in the sentence: it must at least say something of it.
    return hits / len(asked.concepts)


def _words_covered(asked: Question, sentence: SourceSentence, before: SourceSentence | None) -> float:
    if not asked.words:
        return 1.0
    held = sentence.reading.mentions + sentence.headings + (before.reading.mentions if before else ())
    wanted = [one for one in asked.reading.mentions if one.key in asked.words]
    met = {one.key for one in wanted if any(same_thing(one, source) for source in held)}
    share = len(met) / len(asked.words)
    # Without a clinical concept the plain words are all there is to go by: every one must be there.
    return share if asked.concepts or share == 1.0 else 0.0


def _meets(asked: Question, source: Source, place: int, own: list[Mention]) -> int:
    """Return how many sentences, from `place`, hold what the question wants: 1, 2, or 0 for neither."""
    sentence = source.sentences[place]
    if not _specimen_fits(asked, sentence) or not _action_fits(asked, sentence, own):
        return 0
    text = sentence.reading.text
    following = source.sentences[place + 1] if place + 1 < len(source.sentences) else None
    needed = 1
    for intent in asked.intents:
        if _holds(intent, asked, sentence, text):
            continue
        near = intent in {Intent.CAUSE, Intent.DATE} and following is not None
        if near and following is not None and _holds(intent, asked, following, following.reading.text):
            needed = 2
            continue
        return 0
    return needed


def _specimen_fits(asked: Question, sentence: SourceSentence) -> bool:
    if not any(one.kind is Kind.TEST for one in asked.reading.mentions):
        return True
    keys = sentence.reading.keys | {key for one in sentence.headings for key in one.keys}
    return not (keys & OTHER_SPECIMENS) - asked.reading.keys


def _action_fits(asked: Question, sentence: SourceSentence, own: list[Mention]) -> bool:
    """A question about stopping is answered by a sentence that stops (or did not stop) the thing asked about."""
    if not asked.actions:
        return True
    wanted = {*asked.actions, *(f"not-{action}" for action in asked.actions)}
    focus = [one for one in own if any(group & one.keys for group in asked.concepts)] or list(sentence.reading.mentions)
    return any(one.attributes & wanted for one in focus)


def _holds(intent: Intent, asked: Question, sentence: SourceSentence, text: str) -> bool:
    reading = sentence.reading
    if intent is Intent.CAUSE:
        return bool(_CAUSE.search(text))
    if intent is Intent.DATE:
        return (
            bool(reading.dates)
            or any(one.quantity.unit in _TIME_UNITS for one in reading.figures)
            or bool(_WHEN.search(text))
        )
    if intent is Intent.AMOUNT:
        return bool(reading.figures) or bool(_FREQUENCY.search(text))
    if intent is Intent.RESULT:
        focus = [one for one in reading.mentions if any(group & one.keys for group in asked.concepts)]
        waiting = focus and all(one.attributes & {"planned", "order"} for one in focus)
        return bool(reading.figures) or (not waiting and bool(_RESULT.search(text)))
    if intent is Intent.PERSON:
        return bool(_PERSON.search(text))
    if intent is Intent.SIDE:
        return bool(reading.keys & {"word:left", "word:right", "word:bilateral"})
    return bool(_PLANNED.search(text)) or "order" in reading.cues
