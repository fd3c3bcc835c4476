"""Whether a sentence of the record, or two that follow each other, bears on a question, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.values import OTHER_SPECIMENS
from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.kin import kin_of
from clinical.domain.quotes.question import action_of
from clinical.domain.quotes.wants import awaits, hints, holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source, SourceSentence
    from clinical.domain.quotes.documents import Document
    from clinical.domain.quotes.question import Focus, Question

# How far a thing asked about counts by where it is named.
_OWN, _APART, _BY_KIN, _BY_HEADING, _BY_DOCUMENT = 1.0, 0.9, 0.6, 0.5, 0.25
_FULL_CONCEPTS, _FULL_WORDS = 0.5, 0.5
_FULL_WORDS_ALONE, _SOME_WORDS_ALONE = 0.75, 0.5
_BACK = frozenset({"it", "its", "this", "these", "those", "which", "them", "they", "their"})
_NOT_YET = frozenset({"planned", "order", "hypothetical"})
_CHANGES = frozenset({"increased", "decreased", "started", "stopped"})


@dataclass(frozen=True, slots=True)
class Bearing:
    """Sentences [first, last). `full`: they meet every demand; else similarity must tell. `score`: 0..7 or so."""

    first: int
    last: int
    full: bool
    score: float


def bearing_of(asked: Question, source: Source, place: int, document: Document) -> Bearing | None:
    """Return how the sentence at `place`, alone or with the next one, bears on the question; None if not at all."""
    alone = _bearing(asked, source, (place, place + 1), document)
    if alone is not None and alone.full and alone.score >= _enough(asked):
        return alone
    if not _goes_on(source, place):
        return alone
    both = _bearing(asked, source, (place, place + 2), document) if _adds(asked, source, place) else None
    if both is None or (alone is not None and (alone.full or not both.full) and both.score < alone.score + 1):
        return alone
    second = _bearing(asked, source, (place + 1, place + 2), document)
    if second is not None and second.full and second.score >= both.score:
        return alone  # the next sentence answers by itself and is looked at in its turn
    return both


def _enough(asked: Question) -> float:
    return (3.0 if asked.concepts else 0.0) + (2.0 if asked.words else 0.0)


def _goes_on(source: Source, place: int) -> bool:
    """Whether the next sentence stands in the same paragraph."""
    if place + 1 >= len(source.sentences):
        return False
    between = source.passage.text[source.sentences[place].span.end : source.sentences[place + 1].span.start]
    following = source.passage.text[source.sentences[place + 1].span.start :][:3]
    return "\n\n" not in between and not ("\n" in between and following[:1].isdigit())


def _adds(asked: Question, source: Source, place: int) -> bool:
    """Whether each of two sentences has a part in the answer, and the second does not turn to another value."""
    first, second = source.sentences[place : place + 2]
    if not _touches(asked, first) and not _explains(asked, first.reading):
        return False
    if Intent.RESULT in asked.intents and awaits(asked, first.reading):
        return False
    if _touches(asked, second):
        return True
    other = any(one.kind in {Kind.TEST, Kind.VITAL} for one in second.reading.mentions)
    if other and asked.intents & {Intent.RESULT, Intent.AMOUNT}:
        return False
    return any(holds(one, asked, second.reading) and not holds(one, asked, first.reading) for one in asked.intents)


def _explains(asked: Question, reading: Reading) -> bool:
    """Whether a sentence before the one that names the matter may hold its reason: a finding, not a plan."""
    findings = [one for one in reading.mentions if one.clinical and not one.attributes & _NOT_YET]
    return Intent.CAUSE in asked.intents and bool(findings) and holds(Intent.CAUSE, asked, reading)


def _touches(asked: Question, sentence: SourceSentence) -> bool:
    keys = sentence.reading.keys
    stems = {word.stem for word in sentence.reading.words}
    if any((one.keys | one.head) & keys or one.kin & stems for one in asked.focus) or asked.words & keys:
        return True
    return any(one.key in asked.words and _kin(one) & stems for one in asked.reading.mentions)


def _bearing(asked: Question, source: Source, places: tuple[int, int], document: Document) -> Bearing | None:
    first, last = places
    sentences = source.sentences[first:last]
    own = _answering(asked, (one for sentence in sentences for one in sentence.reading.mentions))
    context = _answering(asked, (*sentences[0].headings, *document.title, *_before(source, first)))
    words = _words_covered(asked, sentences, context, document)
    covered = _concepts_covered(asked, sentences, own, context, document, all_words=bool(asked.words) and words == 1.0)
    if covered is None or not _sides_fit(asked, sentences, context):
        return None
    told = bool(asked.words) and words >= _FULL_WORDS
    held = all(
        any(holds(intent, asked, one.reading) or (told and hints(intent, one.reading)) for one in sentences)
        for intent in asked.intents
    )
    done = _action_fits(asked, sentences, own)
    if not held or not _specimen_fits(asked, sentences) or not (done or asked.intents == {Intent.AMOUNT}):
        return None
    named_here = not asked.focus or any(_named_here(asked, one, sentences, own) for one in asked.focus)
    if not named_here and not (asked.intents or (asked.words and words > 0)):
        return None  # it stands under the heading, and says nothing of what is asked
    if Intent.CAUSE in asked.intents and asked.words and words == 0:
        return None
    if asked.concepts:
        several = len(asked.focus) > 1 and covered == _OWN and words > 0
        all_told = bool(asked.words and asked.intents) and words == 1.0
        full = several or all_told or (covered >= _FULL_CONCEPTS and words >= _FULL_WORDS)
    else:
        full = words >= _FULL_WORDS_ALONE
        if words < _SOME_WORDS_ALONE or (not full and Intent.CAUSE in asked.intents):
            return None
    score = (3 * covered if asked.concepts else 0) + (2 * words if asked.words else 0)
    score += min(len(own), 3) / max(len(own), 1) * 0.5 + (0.5 if last - first == 1 else 0.0)
    return Bearing(first, last, full and done, score)


def _before(source: Source, first: int) -> tuple[Mention, ...]:
    """Return what the sentence before names, where this one follows on from it."""
    words = {word.low for word in source.sentences[first].reading.words}
    if not first or not words & _BACK:
        return ()
    return source.sentences[first - 1].reading.mentions


def _answering(asked: Question, mentions: Iterable[Mention]) -> list[Mention]:
    """Drop mentions that are about somebody else, only conditional, or an allergen when none is asked for."""
    return [one for one in mentions if _right_person(asked, one) and _real(asked, one)]


def _right_person(asked: Question, mention: Mention) -> bool:
    relatives = {one for one in mention.attributes if one.startswith("family:")}
    if "heading" in mention.attributes:
        return not asked.of_family  # a problem's heading is about the patient
    if not asked.of_family:
        return not relatives
    return bool(relatives) and (not asked.relatives or bool(asked.relatives & relatives))


def _real(asked: Question, mention: Mention) -> bool:
    if "hypothetical" in mention.attributes and "hypothetical" not in asked.reading.cues:
        return False
    if mention.kind is Kind.DRUG and mention.attributes & {"allergy", "avoid", "intolerance"}:
        return asked.of_allergy or Intent.CAUSE in asked.intents or not asked.yes_no
    return True


def _concepts_covered(
    asked: Question,
    sentences: Sequence[SourceSentence],
    own: Sequence[Mention],
    context: Sequence[Mention],
    document: Document,
    *,
    all_words: bool,
) -> float | None:
    """Return how well the things asked about are named, 0..1; None if one is named nowhere."""
    if asked.medications and not any(one.kind is Kind.DRUG for one in own):
        return None
    if not asked.focus:
        return 1.0
    open_question = not asked.yes_no and not asked.of_family
    hits, near = 0.0, all_words and open_question
    for one in asked.focus:
        here = _named_here(asked, one, sentences, own)
        if here:
            hits, near = hits + here, True
        elif any(one.keys & mention.keys for mention in context):
            hits, near = hits + _BY_HEADING, True
        elif open_question and not one.measured and one.keys & document.keys:
            hits += _BY_DOCUMENT
        else:
            return None
    return hits / len(asked.focus) if near else None


def _named_here(asked: Question, focus: Focus, sentences: Sequence[SourceSentence], own: Sequence[Mention]) -> float:
    if any(focus.keys & one.keys for one in own):
        return _OWN
    stems = {word.stem for sentence in sentences for word in sentence.reading.words}
    relative = any(cue.startswith("family:") for sentence in sentences for cue in sentence.reading.cues)
    if any(name <= stems for name in focus.spelled) and relative == asked.of_family:
        return _APART
    by_head = focus.head and any(focus.head & one.keys for one in own)
    return _BY_KIN if by_head or (focus.kin & stems and relative == asked.of_family) else 0.0


def _words_covered(
    asked: Question, sentences: Sequence[SourceSentence], context: Sequence[Mention], document: Document
) -> float:
    """Return the share of the plain words that the sentence, its headings or title say, or say in kindred words."""
    if not asked.words:
        return 1.0
    held = [one for sentence in sentences for one in sentence.reading.mentions] + list(context)
    stems = {word.stem for sentence in sentences for word in sentence.reading.words}
    wanted = {one.key: one for one in asked.reading.mentions if one.key in asked.words}
    met = 0.0
    for one in wanted.values():
        if any(same_thing(one, source) for source in held) or _kin(one) & stems:
            met += 1
        elif not asked.yes_no and one.key in document.keys:
            met += _BY_DOCUMENT
    return met / max(len(wanted), 1)


def _kin(mention: Mention) -> frozenset[str]:
    return frozenset().union(*(kin_of(word) for word in mention.text.lower().split()))


def _sides_fit(asked: Question, sentences: Sequence[SourceSentence], context: Sequence[Mention]) -> bool:
    said = {key for sentence in sentences for key in sentence.reading.keys} | {
        key for one in context for key in one.keys
    }
    return asked.sides <= said


def _specimen_fits(asked: Question, sentences: Sequence[SourceSentence]) -> bool:
    if not any(one.kind is Kind.TEST for one in asked.reading.mentions):
        return True
    keys = {key for sentence in sentences for key in sentence.reading.keys}
    keys |= {key for sentence in sentences for one in sentence.headings for key in one.keys}
    return not (keys & OTHER_SPECIMENS) - asked.reading.keys


def _action_fits(asked: Question, sentences: Sequence[SourceSentence], own: Sequence[Mention]) -> bool:
    """A question about stopping is answered by a sentence that stops (or did not stop) the thing asked about."""
    if not asked.actions:
        return True
    actions = asked.actions | (_CHANGES if "changed" in asked.actions else frozenset())
    wanted = {*actions, *(f"not-{action}" for action in actions)}
    focus = [one for one in own if any(group & one.keys for group in asked.concepts)]
    focus = focus or [one for sentence in sentences for one in sentence.reading.mentions]
    return any(one.attributes & wanted for one in focus) or any(
        action_of(one) in actions for sentence in sentences for one in sentence.reading.mentions
    )
