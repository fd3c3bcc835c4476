"""Evidence read: the sentences of a passage with what their section and heading say of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from clinical.domain.chunks import heading_of
from clinical.domain.dates import find_dates
from clinical.domain.gate.binding import SIDES
from clinical.domain.gate.changes import computed
from clinical.domain.gate.clauses import is_statement, statements
from clinical.domain.gate.day_order import order_of
from clinical.domain.gate.headings import (
    as_one_statement,
    bare,
    begins_with_label,
    is_title,
    is_topic,
    label,
    own_attributes,
    plain_heading,
    regarding,
    section_attributes,
    table_lines,
)
from clinical.domain.gate.reading import Reading, read
from clinical.domain.gate.switches import replaced
from clinical.domain.lexicon.tables import Kind, word_list
from clinical.domain.sentences import SentenceSpan, split

if TYPE_CHECKING:
    from decimal import Decimal

    from clinical.domain.dates import WrittenDate
    from clinical.domain.gate.mention import Mention
    from clinical.domain.lexicon.words import Token
    from clinical.domain.passages import Passage

_VISIT = word_list("visit")
_PREFIX = 7  # "w:" and the five letters that forms of a word share
_OVER = frozenset({"stopped"})
_NOT_YET = frozenset({"planned", "hypothetical", "uncertain", "negated"})
_PATIENT = frozenset({"she", "he", "patient", "they"})
_UNSAID = frozenset({"negated", "avoid", "stopped", "uncertain", "hypothetical"})


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """One sentence of a passage: where it is, what it says, and the headings it stands under.

    `parts` are the statements it makes, each read on its own, where it makes several; `words` those of the
    whole sentence where `reading` is only a part of it. `on_its_own` says that it is a whole statement, which
    needs no heading to be understood.
    """

    span: SentenceSpan
    reading: Reading
    headings: tuple[Mention, ...]
    parts: tuple[Reading, ...] = ()
    words: tuple[Token, ...] = ()
    on_its_own: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """One sentence of evidence, or two that follow each other, with the headings they stand under.

    `keys` are those of all it speaks of with what they are kinds of, `exact` without, `prefixes` the beginnings of
    plain words; `readings` the sentences as read and `values` their numbers. `visit` are the dates of the record and
    of the visit it tells of; `later_stopped` the keys of what this passage says, there or further on, was stopped;
    `denied` those of plain words that it denies, plans or doubts; `order` is that of day and month in its numeric
    dates, "" where they do not tell.
    """

    sentences: tuple[SourceSentence, ...]
    mentions: tuple[Mention, ...]
    sexes: frozenset[str]
    named: frozenset[str]
    visit: tuple[WrittenDate, ...]
    later_stopped: frozenset[str]
    keys: frozenset[str]
    stems: frozenset[str]
    exact: frozenset[str]
    prefixes: frozenset[str]
    readings: tuple[Reading, ...]
    values: frozenset[Decimal]
    computed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    order: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, read once for any number of sentences to be checked against."""

    passage: Passage
    sentences: tuple[SourceSentence, ...]
    sexes: frozenset[str]
    named: frozenset[str]
    denied: frozenset[str]
    order: str = ""

    def windows(self) -> list[Window]:
        """Return each sentence, and each two neighbours, that a statement may rest on."""
        stopped = self._stopped()
        visit = tuple(find_dates(self.passage.effective)) + self._visit()
        parts = [
            self._window((replace(sentence, reading=part, words=sentence.reading.words),), stopped[place:], visit)
            for place, sentence in enumerate(self.sentences)
            for part in sentence.parts
        ]
        return parts + [
            self._window(self.sentences[first : first + size], stopped[first:], visit)
            for size in (1, 2)
            for first in range(len(self.sentences) - size + 1)
        ]

    def window_of(self, sentence: SourceSentence) -> Window:
        """Return the window of one sentence alone."""
        return self._window((sentence,), [frozenset()], ())

    def _window(
        self, sentences: tuple[SourceSentence, ...], stopped: list[frozenset[str]], visit: tuple[WrittenDate, ...]
    ) -> Window:
        own = tuple(one for sentence in sentences for one in sentence.reading.mentions)
        mentions = own + sentences[0].headings
        if len(sentences) > 1:
            mentions = _referred_to(sentences[0].reading, sentences[1].reading) + mentions
        return Window(
            sentences=sentences,
            mentions=mentions,
            sexes=self.sexes,
            named=self.named,
            visit=visit,
            later_stopped=frozenset().union(*stopped),
            keys=frozenset(key for one in mentions for key in one.keys),
            exact=frozenset(one.key for one in mentions),
            readings=tuple(one.reading for one in sentences),
            values=frozenset(figure.quantity.value for one in sentences for figure in one.reading.figures),
            prefixes=frozenset(one.key[:_PREFIX] for one in mentions if one.key.startswith("w:")),
            denied=self.denied,
            order=self.order,
            stems=frozenset(word.stem for one in sentences for word in (one.words or one.reading.words)),
        )

    def _stopped(self) -> list[frozenset[str]]:
        """Return, for each sentence, what it says was stopped, by name or as "it"."""
        found = []
        for place, sentence in enumerate(self.sentences):
            mentions = sentence.reading.mentions
            if place:
                mentions += _referred_to(self.sentences[place - 1].reading, sentence.reading)
            stopped = (
                one.key
                for one in mentions
                if one.clinical and one.attributes >= _OVER and not one.attributes & _NOT_YET
            )
            found.append(replaced(sentence.reading).union(stopped))
        return found

    def _visit(self) -> tuple[WrittenDate, ...]:
        """Return the date of the visit if the first sentence gives it ("Seen in clinic on 3 March 2024")."""
        first = self.sentences[0].reading if self.sentences else None
        if first is None or not (_VISIT & {word.low for word in first.words} or is_title(first)):
            return ()
        return tuple(place.date for place in first.dates)


def with_change(claim: Reading, window: Window) -> Window:
    """Return the window with the rise or fall that its dated values amount to, if the sentence tells of one."""
    found = computed(claim, window.readings)
    if not found:
        return window
    mentions = found + window.mentions
    return replace(
        window,
        mentions=mentions,
        computed=frozenset(one.key for one in found),
        keys=window.keys.union(*(one.keys for one in found)),
        exact=window.exact | {one.key for one in found},
    )


def _referred_to(before: Reading, after: Reading) -> tuple[Mention, ...]:
    """Return what "it" stands for, with what is said of it: the first drug, or else concept, named before."""
    clinical = [one for one in before.mentions if one.clinical]
    drugs = [one for one in clinical if one.kind is Kind.DRUG]
    if after.back is None or not clinical:
        return ()
    meant = (drugs or clinical)[0]
    # "X-rays of the right ankle ... These show": what the thing is of goes with it, what was done to it does not.
    described = [
        one
        for one in before.mentions
        if one.segment == meant.segment and (one.key.startswith("w:") or one.key in SIDES)
    ]
    return tuple(replace(one, attributes=after.back, segment=-1) for one in (meant, *described))


def read_passage(passage: Passage) -> Source:
    """Read the sentences of a passage under their headings."""
    reader = _Reader(section_attributes(passage.section), plain_heading(passage.section))
    text = passage.text
    spans = table_lines(text, split(text))
    for number, span in enumerate(spans):
        before = text[spans[number - 1].end : span.start] if number else "\n"
        after = text[span.end : spans[number + 1].start] if number + 1 < len(spans) else "\n"
        reader.take(text[span.start : span.end], span, starts_line="\n" in before, ends_line="\n" in after)
    sentences = tuple(reader.sentences)
    return Source(
        passage,
        sentences,
        frozenset().union(*(one.reading.sexes for one in sentences)),
        frozenset(word.stem for one in sentences for word in one.reading.words if word.text[:1].isupper()),
        frozenset(
            mention.key
            for one in sentences
            for mention in one.reading.mentions
            if mention.kind is Kind.WORD and mention.attributes & _UNSAID
        ),
        order_of(text),
    )


@dataclass(slots=True)
class _Reader:
    """Reads sentence after sentence and keeps what their section, title, topic line and label say of the next."""

    section: frozenset[str]
    section_mentions: tuple[Mention, ...]
    sentences: list[SourceSentence] = field(default_factory=list)
    title: tuple[Mention, ...] = ()
    topic: tuple[Mention, ...] = ()
    line: frozenset[str] = frozenset()
    line_topic: tuple[Mention, ...] = ()

    def take(self, words: str, span: SentenceSpan, *, starts_line: bool, ends_line: bool) -> None:
        heading = heading_of(words)
        if heading is not None:
            self.section, self.topic, self.section_mentions = section_attributes(heading), (), plain_heading(heading)
            return
        self._label(words, starts_line=starts_line)
        line = self.line if starts_line or begins_with_label(words) else self.line - {"planned"}
        given = own_attributes(words, self.section | line)
        words = as_one_statement(words)
        reading = read(words, section=given)
        headings = self.topic + self.section_mentions + self.title + (() if starts_line else self.line_topic)
        parts = tuple(read(part, section=given) for part in statements(words))
        if not self.sentences and is_title(reading):
            self.title = tuple(bare(one) for one in reading.mentions)
        self.sentences.append(SourceSentence(span, reading, headings, parts, on_its_own=is_statement(words)))
        if starts_line and ends_line and is_topic(reading, given):
            self.topic = tuple(bare(one) for one in reading.mentions)

    def _label(self, words: str, *, starts_line: bool) -> None:
        if starts_line or begins_with_label(words):
            self.line, named = label(words)
            self.line_topic = named if starts_line else ()
        self.line_topic = regarding(words) or self.line_topic
        if not starts_line and words.split(" ", 1)[0].lower() in _PATIENT:
            self.line -= {"family:any"}  # "FH: mother had gout. She herself has had none."
