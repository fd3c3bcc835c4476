"""Whether a sentence of the record, or two that follow each other, bears on a question, and how well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind
from clinical.domain.quotes.coverage import (
    OWN,
    Stretch,
    action_fits,
    action_told,
    answering,
    concepts_covered,
    kin_of_mention,
    named_here,
    paragraph_covers,
    person_fits,
    sides_fit,
    site_fits,
    specimen_fits,
    words_covered,
)
from clinical.domain.quotes.cues import cue
from clinical.domain.quotes.indications import asks_indication, indication_score
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.kin import kin_of, meets
from clinical.domain.quotes.wants import awaits, denied, hints, holds

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source, SourceSentence
    from clinical.domain.quotes.documents import Document
    from clinical.domain.quotes.question import Question

_FULL_CONCEPTS, _FULL_WORDS = 0.5, 0.5
_FULL_WORDS_ALONE, _SOME_WORDS_ALONE = 0.75, 0.5
_BACK = frozenset({"it", "its", "this", "these", "those", "which", "them", "they", "their"})
_TIMES = frozenset(
    {"week", "month", "year", "morn", "morning", "afternoon", "even", "evening", "visit", "tim", "day", "point"}
)
_NOT_YET = frozenset({"planned", "order", "hypothetical"})
_FAR_BACK = 3  # sentences of the paragraph in which "it" may have been named
_ONSET, _WEAK, _LABEL = 1.0, 0.5, 1.5
_REASONS_BEFORE, _REASONS_FAR, _IMPRESSION_FAR = 2, 8, 6
_ORDERED = frozenset({"word:order", "word:start", "word:schedule", "word:recommend", "w:refer", "w:referral"})
_GIVEN_UP = frozenset({"stopped", "avoid", "allergy", "intolerance", "not-started"})
_GIVEN = frozenset({"started", "order", "planned", "increased"})
_UNBOUND = frozenset({Intent.AMOUNT, Intent.DURATION, Intent.FREQUENCY})


@dataclass(frozen=True, slots=True)
class Bearing:
    """Sentences [first, last). `full`: they meet every demand; else similarity must tell. `score`: 0..7 or so.

    `placed`: they answer by where they stand, the finding right before the order it led to; little likeness will do.
    """

    first: int
    last: int
    full: bool
    score: float
    placed: bool = False


def bearing_of(asked: Question, source: Source, place: int, document: Document) -> Bearing | None:
    """Return how the sentence at `place`, alone or with the next one, bears on the question; None if not at all."""
    alone = _bearing(asked, source, (place, place + 1), document)
    if alone is not None and alone.full and alone.score >= _enough(asked):
        return alone
    if (alone is None or not alone.full) and (found := _indicating(asked, source, place)) is not None:
        return found
    if alone is None and (found := _ordered_after(asked, source, place)) is not None:
        return found
    if not goes_on(source, place):
        return alone
    both = _bearing(asked, source, (place, place + 2), document) if _adds(asked, source, place) else None
    if both is None or (alone is not None and (alone.full or not both.full) and both.score < alone.score + 1):
        return alone
    second = _bearing(asked, source, (place + 1, place + 2), document)
    if second is not None and second.full and second.score >= both.score:
        return alone  # the next sentence answers by itself and is looked at in its turn
    return both


def _indicating(asked: Question, source: Source, place: int) -> Bearing | None:
    """Return a sentence that names what the thing asked about is commonly given for, near its order."""
    score = indication_score(asked, source, place) if asks_indication(asked) else None
    return None if score is None else Bearing(place, place + 1, full=True, score=score)


def _ordered_after(asked: Question, source: Source, place: int) -> Bearing | None:
    """Return the findings told right before a test, referral or drug is ordered, where its reason is asked."""
    reading = source.sentences[place].reading
    if (
        asked.actions - {"started", "increased"}
        or Intent.CAUSE not in asked.intents
        or not asked.focus
        or not all(one.keys & reading.keys for one in asked.focus)
    ):
        return None
    if not reading.keys & _ORDERED and not any(one.attributes & _NOT_YET for one in reading.mentions):
        return None
    told = frozenset(key for one in reading.mentions if one.keys & _keys(asked) for key in one.attributes)
    if told & _GIVEN_UP or (asked.actions and not told & _GIVEN):
        return None
    first = place
    while first > 0 and place - first < _REASONS_FAR and goes_on(source, first - 1):
        first -= 1
        if cue("reasoning").search(source.sentences[first].reading.text):
            return Bearing(first, first + 1, full=False, score=3.0, placed=True)
    first = max(first, place - _REASONS_BEFORE)
    if first < place:
        return Bearing(first, place + 1, full=False, score=3.0, placed=True)
    for at in range(place - 1, max(place - _IMPRESSION_FAR, -1), -1):
        if cue("impression").match(source.sentences[at].reading.text):
            return Bearing(at, at + 1, full=False, score=3.0, placed=True)
    return None


def _keys(asked: Question) -> frozenset[str]:
    return frozenset().union(*asked.concepts)


def _enough(asked: Question) -> float:
    return (3.0 if asked.concepts else 0.0) + (2.0 if asked.words else 0.0)


def goes_on(source: Source, place: int) -> bool:
    """Whether the next sentence stands in the same paragraph."""
    if place + 1 >= len(source.sentences):
        return False
    between = source.passage.text[source.sentences[place].span.end : source.sentences[place + 1].span.start]
    following = source.passage.text[source.sentences[place + 1].span.start :][:3]
    return "\n\n" not in between and not ("\n" in between and following[:1].isdigit())


def paragraph_of(source: Source, first: int, last: int) -> tuple[SourceSentence, ...]:
    """Return the sentences of the paragraph that [first, last) stands in."""
    while first > 0 and goes_on(source, first - 1):
        first -= 1
    while last < len(source.sentences) and goes_on(source, last - 1):
        last += 1
    return source.sentences[first:last]


def _adds(asked: Question, source: Source, place: int) -> bool:
    """Whether each of two sentences has a part in the answer, and the second does not turn to another value."""
    first, second = source.sentences[place : place + 2]
    if not _touches(asked, first) and not _explains(asked, first.reading):
        return False
    if Intent.RESULT in asked.intents and awaits(asked, first.reading):
        return False
    if _touches(asked, second) or (asked.actions and not action_told(asked, first) and action_told(asked, second)):
        return True
    other = any(one.kind in {Kind.TEST, Kind.VITAL} for one in second.reading.mentions)
    if other and asked.intents & {Intent.RESULT, Intent.AMOUNT}:
        return False
    return any(holds(one, asked, second.reading) and not holds(one, asked, first.reading) for one in asked.intents)


def _explains(asked: Question, reading: Reading) -> bool:
    """Whether a sentence before the one that names the matter may hold its reason: a finding or deed, not a plan."""
    findings = [one for one in reading.mentions if one.clinical and not one.attributes & _NOT_YET]
    if Intent.CAUSE in asked.intents and findings and holds(Intent.CAUSE, asked, reading):
        return True
    return bool(asked.intents & {Intent.CAUSE, Intent.MANNER}) and holds(Intent.MANNER, asked, reading)


def _touches(asked: Question, sentence: SourceSentence) -> bool:
    keys = sentence.reading.keys
    stems = frozenset(word.stem for word in sentence.reading.words)
    for one in asked.focus:
        if (one.keys | one.head) & keys or meets(one.kin, stems) or any(name <= stems for name in one.spelled):
            return True
    if asked.words & keys:
        return True
    return any(one.key in asked.words and meets(kin_of_mention(one), stems) for one in asked.reading.mentions)


def _bearing(asked: Question, source: Source, places: tuple[int, int], document: Document) -> Bearing | None:
    first, last = places
    stretch = _stretch(asked, source, places, document)
    words = words_covered(asked, stretch)
    covered = concepts_covered(asked, stretch, all_words=bool(asked.words) and words == 1.0)
    if covered is None or not (sides_fit(asked, stretch) and person_fits(asked, stretch)):
        return None
    if not site_fits(asked, stretch):
        return None  # an MRI of another place, a biopsy of something else
    if Intent.CAUSE in asked.intents and denied(asked, [one.reading for one in stretch.sentences]):
        return None
    told = bool(asked.words) and words >= _FULL_WORDS
    main = [one for one in asked.focus if not one.aside]
    named = not main or any(named_here(asked, one, stretch) for one in main)
    held = all(_holds(intent, asked, stretch, told=told and named) for intent in asked.intents)
    done = action_fits(asked, stretch)
    if not held or not specimen_fits(asked, stretch) or not (done or (asked.intents and asked.intents <= _UNBOUND)):
        return None
    if not named and not (asked.intents or (asked.words and words > 0 and _said_here(asked, stretch))):
        return None  # it stands under the heading, and says nothing of what is asked
    if Intent.CAUSE in asked.intents and asked.words and words == 0 and (covered < OWN or len(asked.focus) == 1):
        return None
    if asked.concepts:
        several = len(asked.focus) > 1 and covered == OWN and (words > 0 or bool(asked.intents))
        all_told = bool(asked.words and asked.intents) and words == 1.0
        full = several or all_told or (covered >= _FULL_CONCEPTS and words >= _FULL_WORDS)
    else:
        full = words >= _FULL_WORDS_ALONE
        if words < _SOME_WORDS_ALONE:
            return None
    labelled = _labelled(asked, stretch)
    full = full or labelled or _treats(asked, stretch)
    score = (3 * covered if asked.concepts else 0) + (2 * words if asked.words else 0)
    score += min(len(stretch.own), 3) / max(len(stretch.own), 1) * 0.5 + (0.5 if last - first == 1 else 0.0)
    score += _WEAK * sum(meets(kin_of(word), stretch.stems) for word in asked.weak)
    if asked.onset and cue("onset").search(" ".join(one.reading.text for one in stretch.sentences)):
        score += _ONSET
    score += _LABEL if labelled else 0.0
    return Bearing(first, last, full and done, score)


def _said_here(asked: Question, stretch: Stretch) -> bool:
    """Whether the sentences themselves say a word of the question, and not only what they stand under."""
    own = asked.words & stretch.keys
    return bool(own) or any(
        one.key in asked.words and meets(kin_of_mention(one), stretch.stems) for one in asked.reading.mentions
    )


def _holds(intent: Intent, asked: Question, stretch: Stretch, *, told: bool) -> bool:
    if intent is Intent.STATED:  # of no sentence that names it may it be untrue
        return all(holds(intent, asked, one.reading) for one in stretch.sentences)
    return any(holds(intent, asked, one.reading) or (told and hints(intent, one.reading)) for one in stretch.sentences)


def _labelled(asked: Question, stretch: Stretch) -> bool:
    """Whether the record itself calls it the cause: "Cause: donepezil." in the document asked about."""
    return Intent.CAUSE in asked.intents and bool(cue("labelled").match(stretch.sentences[0].reading.text))


def _treats(asked: Question, stretch: Stretch) -> bool:
    """Whether a drug is ordered under the very problem it is asked for: "Knee pain. ... Start tramadol."."""
    if asked.intents != {Intent.DRUG}:
        return False
    classes = [one.keys for one in asked.focus if one.drug]  # "which insulin" is not answered by bicarbonate
    ordered = any(
        one.kind is Kind.DRUG and one.attributes & _GIVEN and all(keys & one.keys for keys in classes)
        for one in stretch.own
    )
    return ordered and paragraph_covers(asked, stretch)


def _stretch(asked: Question, source: Source, places: tuple[int, int], document: Document) -> Stretch:
    first, last = places
    sentences = source.sentences[first:last]
    own = answering(asked, (one for sentence in sentences for one in sentence.reading.mentions))
    context = answering(asked, (*sentences[0].headings, *document.title, *_before(source, first)))
    return Stretch(sentences, own, context, paragraph_of(source, first, last), document)


def _before(source: Source, first: int) -> tuple[Mention, ...]:
    """Return what the sentences before name, where this one follows on from them."""
    words = source.sentences[first].reading.words
    points = [
        word.low for word, following in zip(words, (*words[1:], None), strict=True)
        if word.low in _BACK and (following is None or following.stem not in _TIMES)
    ]  # fmt: skip
    if not first or not points:
        return ()
    found = list(source.sentences[first - 1].reading.mentions)
    at = first - 1
    while at > 0 and first - at < _FAR_BACK and goes_on(source, at - 1):
        at -= 1
        found += source.sentences[at].reading.mentions
    return tuple(found)
