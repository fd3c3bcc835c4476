"""How much of what a question names a stretch of sentences names too, itself or by what it stands under."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import same_thing
from clinical.domain.gate.values import OTHER_SPECIMENS
from clinical.domain.lexicon.tables import Kind, word_list
from clinical.domain.lexicon.words import stem
from clinical.domain.quotes.intents import Intent
from clinical.domain.quotes.kin import kin_of, meets
from clinical.domain.quotes.question import action_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.source import SourceSentence
    from clinical.domain.quotes.documents import Document
    from clinical.domain.quotes.focus import Focus
    from clinical.domain.quotes.question import Question

# How far a thing asked about counts by where it is named.
OWN, _APART, _BY_KIN, _BY_HEADING, _BY_PARAGRAPH, _BY_DOCUMENT = 1.0, 0.9, 0.6, 0.5, 0.4, 0.25
_WORD_BY_HEADING, _WORD_BY_PARAGRAPH = 0.6, 0.5
_ROOT = 6  # letters
ALCOHOL = "alcohol"  # the concept's id
_ACTION_KIN = {"stopped": "stop", "started": "begin", "increased": "raise", "decreased": "reduce"}
_CHANGED = frozenset({"increased", "decreased"})
_HIGH_OR_LOW = frozenset({"word:high", "word:low", "word:increase", "word:decrease"})
_OTHERS = frozenset({Kind.DRUG, Kind.TEST, Kind.VITAL})
_CHANGES = frozenset({"increased", "decreased", "started", "stopped"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sentences that follow each other, with what they stand under and among.

    `own`: what they mention, of the right person; `context`: their headings, the document's title and what the
    sentences before name, where the first follows on from them; `paragraph`: all sentences of their paragraph.
    """

    sentences: Sequence[SourceSentence]
    own: Sequence[Mention]
    context: Sequence[Mention]
    paragraph: Sequence[SourceSentence]
    document: Document

    @property
    def stems(self) -> frozenset[str]:
        """The stems of every word."""
        return frozenset(word.stem for sentence in self.sentences for word in sentence.reading.words)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of every mention, whoever it is about."""
        return frozenset(key for sentence in self.sentences for key in sentence.reading.keys)


def answering(asked: Question, mentions: Iterable[Mention]) -> list[Mention]:
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


def concepts_covered(asked: Question, stretch: Stretch, *, all_words: bool) -> float | None:
    """Return how well the things asked about are named, 0..1; None if one is named nowhere."""
    if asked.medications and not any(one.kind is Kind.DRUG for one in stretch.own):
        return None
    if not asked.focus:
        return 1.0
    open_question = not asked.yes_no and not asked.of_family
    hits, near = (
        0.0,
        (all_words and open_question and (len(asked.words) > 1 or bool(asked.intents)))
        or any(one.aside for one in asked.focus),
    )
    for one in asked.focus:
        here = named_here(asked, one, stretch)
        if here:
            hits, near = hits + here, True
        elif any(one.keys & mention.keys for mention in stretch.context) or _spelled_in_context(one, stretch):
            hits, near = hits + _BY_HEADING, True
        elif asked.intents and not one.measured and _named_near(asked, one, stretch):
            alone = asked.actions and _only_drug(one, stretch)
            hits, near = hits + (_BY_HEADING if alone else _BY_PARAGRAPH), True
        elif one.aside and _named_in_document(one, stretch.document):
            hits += _BY_HEADING
        elif open_question and not one.measured and one.keys & stretch.document.keys:
            hits += _BY_DOCUMENT
        else:
            return None
    return hits / len(asked.focus) if near else None


def named_here(asked: Question, focus: Focus, stretch: Stretch) -> float:
    """Return how far the stretch itself names a thing asked about: 0, or one of the weights above."""
    if any(focus.keys & one.keys for one in stretch.own):
        return OWN
    if any(focus.keys & one.keys for sentence in stretch.sentences for one in sentence.reading.mentions):
        return 0.0  # named, but as another's, or as no more than possible
    stems = stretch.stems if ALCOHOL not in focus.keys else _without_soft_drinks(stretch.stems)
    relative = any(is_relative(cue) for sentence in stretch.sentences for cue in sentence.reading.cues)
    under = stems | {word for one in stretch.context for word in words_of(one)}
    if any(name <= under and name & stems for name in focus.spelled) and relative == asked.of_family:
        return _APART
    by_head = focus.head and any(focus.head & one.keys for one in stretch.own)
    by_parts = bool(focus.parts) and all(meets(kin, stems) for kin in focus.parts)
    by_kin = (by_parts or meets(focus.kin, stems)) and relative == asked.of_family
    return _BY_KIN if by_head or by_kin else 0.0


def _without_soft_drinks(stems: frozenset[str]) -> frozenset[str]:
    """Return the stems without the drinking of what is no alcohol: "drinks juice" tells nothing of alcohol."""
    soft = stems & _stems_of("soft_drinks") and not stems & _stems_of("alcoholic_drinks")
    return stems - _stems_of("drinking") if soft else stems


@cache
def _stems_of(name: str) -> frozenset[str]:
    return frozenset(map(stem, word_list(name)))


def _only_drug(focus: Focus, stretch: Stretch) -> bool:
    """Whether the paragraph speaks of no other drug, so that what is done in it is done to this one."""
    drugs = [one for sentence in stretch.paragraph for one in sentence.reading.mentions if one.kind is Kind.DRUG]
    return focus.drug and bool(drugs) and all(one.keys & focus.keys for one in drugs)


def _named_in_document(focus: Focus, document: Document) -> bool:
    spelled = any(name <= document.stems for name in focus.spelled)
    return spelled or bool(focus.keys & document.keys) or (focus.aside and meets(focus.kin, document.stems))


def _spelled_in_context(focus: Focus, stretch: Stretch) -> bool:
    stems = frozenset(word for one in stretch.context for word in words_of(one))
    return any(name <= stems for name in focus.spelled)


def is_relative(cue: str) -> bool:
    """Whether a cue of a sentence tells of a relative: a donor or a neighbour is none."""
    return cue.startswith("family:") and cue != "family:other-person"


def _named_near(asked: Question, focus: Focus, stretch: Stretch) -> bool:
    """Whether another sentence of the paragraph names it: "Back pain since May. Gets worse on stairs."."""
    return any(
        focus.keys & one.keys for sentence in stretch.paragraph for one in answering(asked, sentence.reading.mentions)
    ) or any(
        name <= {word.stem for word in sentence.reading.words}
        for sentence in stretch.paragraph
        for name in focus.spelled
    )


def words_covered(asked: Question, stretch: Stretch) -> float:
    """Return the share of the plain words that the stretch, its headings or title say, or say in kindred words."""
    if not asked.words:
        return 1.0
    held = [one for sentence in stretch.sentences for one in sentence.reading.mentions]
    stems = stretch.stems
    wanted = {one.key: one for one in asked.reading.mentions if one.key in asked.words}
    said = {key for key, one in wanted.items() if any(same_thing(one, source) for source in held)}
    free = set(stems - {word for key in said for word in words_of(wanted[key])})
    met = float(len(said))
    for one in (mention for key, mention in wanted.items() if key not in said):
        if _stood_for(one, free) or _root(one, stems):
            met += 1
        elif any(same_thing(one, source) or words_of(one) <= words_of(source) for source in stretch.context):
            met += _WORD_BY_HEADING
        elif asked.intents and any(one.key in sentence.reading.keys for sentence in stretch.paragraph):
            met += _WORD_BY_PARAGRAPH
        elif not asked.yes_no and one.key in stretch.document.keys:
            met += _BY_DOCUMENT
    return met / max(len(wanted), 1)


def _stood_for(mention: Mention, free: set[str]) -> bool:
    """Whether a word kindred to a mention's last word is said; one that stood for another mention stands for no more.

    The last word is what it is: of "walking frame" the frame.
    """
    word = mention.text.lower().split()[-1]
    kin = kin_of(word)
    if hits := kin & free:
        free.discard(min(hits, key=lambda one: (one != stem(word), one)))
        return True
    return meets(frozenset(one for one in kin if one.startswith("*")), frozenset(free))


def _root(mention: Mention, stems: frozenset[str]) -> bool:
    """Whether a longer word of the question shares its root with one that is told: "delirious", "delirium"."""
    word = mention.key.removeprefix("w:")
    return len(word) > _ROOT and any(one[:_ROOT] == word[:_ROOT] for one in stems if len(one) > _ROOT)


def words_of(mention: Mention) -> frozenset[str]:
    """Return the stems of the words of a mention."""
    return frozenset(stem(word) for word in mention.text.lower().split())


def kin_of_mention(mention: Mention) -> frozenset[str]:
    """Return the stems that may stand for any word of a mention."""
    return frozenset().union(*(kin_of(word) for word in mention.text.lower().split()))


def person_fits(asked: Question, stretch: Stretch) -> bool:
    """Whether the relative asked about is told of, where one is."""
    if not asked.of_family:
        return True
    told = {cue for sentence in stretch.sentences for cue in sentence.reading.cues if cue.startswith("family:")}
    return bool(told & asked.relatives) if asked.relatives else bool(told)


def sides_fit(asked: Question, stretch: Stretch) -> bool:
    """Whether the side asked about is the side told of."""
    return asked.sides <= stretch.keys | {key for one in stretch.context for key in one.keys}


def site_fits(asked: Question, stretch: Stretch) -> bool:
    """Whether it is the test or procedure asked about: the MRI of the knee, a bone marrow biopsy."""
    stems = stretch.stems | {word for one in stretch.context for word in words_of(one)}
    sites = asked.words & word_list("sites")
    return _any_told(asked, asked.qualifiers, stems) and (
        not any(one.measured for one in asked.focus) or bool(sites & stretch.keys) or _any_told(asked, sites, stems)
    )


def _any_told(asked: Question, keys: frozenset[str], stems: frozenset[str]) -> bool:
    wanted = [one for one in asked.reading.mentions if one.key in keys]
    return not wanted or any(meets(kin_of_mention(one), stems) or _root(one, stems) for one in wanted)


def specimen_fits(asked: Question, stretch: Stretch) -> bool:
    """Whether no other specimen is told of than was asked about: urine for blood."""
    if not any(one.kind is Kind.TEST for one in asked.reading.mentions):
        return True
    keys = stretch.keys | {key for sentence in stretch.sentences for one in sentence.headings for key in one.keys}
    return not (keys & OTHER_SPECIMENS) - asked.reading.keys


def paragraph_covers(asked: Question, stretch: Stretch) -> bool:
    """Whether the sentences of the paragraph and its headings name everything that is asked about."""
    headings = frozenset(key for one in stretch.context for key in one.keys)
    for focus in asked.focus:
        if not (focus.keys & headings or _named_near(asked, focus, stretch)):
            return False
    stems = frozenset(word.stem for sentence in stretch.paragraph for word in sentence.reading.words)
    stems |= {word for one in stretch.context for word in words_of(one)}
    return all(meets(kin_of_mention(one), stems) for one in asked.reading.mentions if one.key in asked.words)


def action_told(asked: Question, sentence: SourceSentence) -> bool:
    """Whether a sentence tells of the deed asked about, done to anything."""
    if any(one.attributes & asked.actions for one in sentence.reading.mentions):
        return True
    return _deed(asked, asked.actions, sentence)


def action_fits(asked: Question, stretch: Stretch) -> bool:
    """A question about stopping is answered by a sentence that stops (or did not stop) the thing asked about."""
    if not asked.actions:
        return True
    actions = asked.actions | (_CHANGES if "changed" in asked.actions else frozenset())
    wanted = {*actions, *(f"not-{action}" for action in actions)}
    mentions = [one for sentence in stretch.sentences for one in sentence.reading.mentions]
    focus = [one for one in stretch.own if any(group & one.keys for group in asked.concepts)] or mentions
    if any(one.attributes & wanted for one in focus) or (asked.actions & _CHANGED and stretch.keys & _HIGH_OR_LOW):
        return True
    return any(_deed(asked, actions, sentence) for sentence in stretch.sentences)


def _deed(asked: Question, actions: frozenset[str], sentence: SourceSentence) -> bool:
    """Whether the deed is told of the thing asked about: in its sentence, or in one that names no other."""
    reading = sentence.reading
    stems = frozenset(word.stem for word in reading.words)
    told = any(action_of(one) in actions and "negated" not in one.attributes for one in reading.mentions) or any(
        meets(kin_of(_ACTION_KIN[action]), stems) for action in actions & _ACTION_KIN.keys()
    )
    named = any(group & reading.keys for group in asked.concepts)
    return told and (named or not any(one.kind in _OTHERS for one in reading.mentions))
