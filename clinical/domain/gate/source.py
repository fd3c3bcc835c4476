"""Evidence read: the sentences of a passage with what their section and heading say of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clinical.domain.chunks import heading_of
from clinical.domain.dates import find_dates
from clinical.domain.gate.binding import SIDES
from clinical.domain.gate.changes import computed
from clinical.domain.gate.clauses import is_statement, statements
from clinical.domain.gate.reading import Reading, read
from clinical.domain.lexicon.tables import Kind, section_titles, word_list
from clinical.domain.sentences import SentenceSpan, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.dates import WrittenDate
    from clinical.domain.gate.mention import Mention
    from clinical.domain.lexicon.words import Token
    from clinical.domain.passages import Passage

_LABEL_LENGTH = 60
_REGARDING = re.compile(
    r"(?:Regarding|Concerning|In terms of|With (?:regards?|respect) to|As (?:for|regards)|In regards? to)"
    r"\s+(?P<topic>[^,.;:]{3,60}),"
)
_TOPIC_WORDS = 7
_VISIT = word_list("visit")
_LABEL = re.compile(r"[A-Z][\w/&]*(?: [\w/&]+){0,2}: ")
_FIELDS = word_list("fields")
_CELL = re.compile(r"(?P<label>[A-Z][\w/&]*(?: [\w/&]+){0,2}): [^.:;\n]{1,60}\.?(?=\s|$)")
_DONE = re.compile(
    r"\b(?:given|done|performed|completed|administered|obtained|provided) (?:today|in|by|on|to|at)\b", re.IGNORECASE
)
_UNSAID = frozenset({"negated", "avoid", "stopped", "uncertain", "hypothetical"})
_PATIENT = frozenset({"she", "he", "patient", "they"})
_FINITE = frozenset({"is", "are", "was", "were", "has", "had", "have", "denies", "reports", "will", "shows"})
_ORDERS = word_list("orders")


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

    `visit` are the dates of the record and of the visit it tells of; `later_stopped` the keys of what this
    passage says, there or further on, was stopped; `denied` those of plain words that it denies, plans or doubts.
    """

    sentences: tuple[SourceSentence, ...]
    mentions: tuple[Mention, ...]
    sexes: frozenset[str]
    named: frozenset[str]
    visit: tuple[WrittenDate, ...]
    later_stopped: frozenset[str]
    keys: frozenset[str]
    stems: frozenset[str]
    computed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The sentences as read."""
        return tuple(one.reading for one in self.sentences)


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, read once for any number of sentences to be checked against."""

    passage: Passage
    sentences: tuple[SourceSentence, ...]
    sexes: frozenset[str]
    named: frozenset[str]
    denied: frozenset[str]

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
            denied=self.denied,
            stems=frozenset(word.stem for one in sentences for word in (one.words or one.reading.words)),
        )

    def _stopped(self) -> list[frozenset[str]]:
        """Return, for each sentence, what it says was stopped, by name or as "it"."""
        found = []
        for place, sentence in enumerate(self.sentences):
            mentions = sentence.reading.mentions
            if place:
                mentions += _referred_to(self.sentences[place - 1].reading, sentence.reading)
            found.append(frozenset(one.key for one in mentions if one.clinical and "stopped" in one.attributes))
        return found

    def _visit(self) -> tuple[WrittenDate, ...]:
        """Return the date of the visit if the first sentence gives it ("Seen in clinic on 3 March 2024")."""
        first = self.sentences[0].reading if self.sentences else None
        if first is None or not _VISIT & {word.low for word in first.words}:
            return ()
        return tuple(place.date for place in first.dates)


def with_change(claim: Reading, window: Window) -> Window:
    """Return the window with the rise or fall that its dated values amount to, if the sentence tells of one."""
    found = computed(claim, window.readings)
    if not found:
        return window
    return replace(window, mentions=found + window.mentions, computed=frozenset(one.key for one in found))


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
    text = passage.text
    section = _section_attributes(passage.section)
    section_mentions = _plain_heading(passage.section)
    topic: tuple[Mention, ...] = ()
    sentences: list[SourceSentence] = []
    line_attributes: frozenset[str] = frozenset()
    line_topic: tuple[Mention, ...] = ()
    spans = _table_lines(text, split(text))
    for number, span in enumerate(spans):
        words = text[span.start : span.end]
        starts_line = "\n" in text[spans[number - 1].end : span.start] if number else True
        title = heading_of(words)
        if title is not None:
            section, topic, section_mentions = _section_attributes(title), (), _plain_heading(title)
            continue
        if starts_line or _LABEL.match(words):
            line_attributes, line_topic = _label(words)
            line_topic = line_topic if starts_line else ()
        if (opening := _REGARDING.match(words.lstrip("-*\u2022 "))) is not None:
            line_topic = _plain_heading(opening["topic"])
        if not starts_line and words.split(" ", 1)[0].lower() in _PATIENT:
            line_attributes -= {"family:any"}  # "FH: mother had gout. She herself has had none."
        own = section | line_attributes
        if "order" in own and (is_statement(words) or _DONE.search(words)):
            own -= {"order"}  # "Plan: she remains on ramipril" tells a fact
        own |= _order(words)
        reading = read(words, section=own)
        headings = topic + section_mentions + (() if starts_line else line_topic)
        parts = tuple(read(part, section=own) for part in statements(words))
        alone = is_statement(words)
        sentences.append(SourceSentence(span, reading, headings, parts, on_its_own=alone))
        ends_line = "\n" in text[span.end : spans[number + 1].start] if number + 1 < len(spans) else True
        if starts_line and ends_line and _is_topic(reading, own):
            topic = tuple(_bare(one) for one in reading.mentions)
    return Source(
        passage,
        tuple(sentences),
        frozenset().union(*(one.reading.sexes for one in sentences)),
        frozenset(word.stem for one in sentences for word in one.reading.words if word.text[:1].isupper()),
        frozenset(
            mention.key
            for one in sentences
            for mention in one.reading.mentions
            if mention.kind is Kind.WORD and mention.attributes & _UNSAID
        ),
    )


def _table_lines(text: str, spans: Sequence[SentenceSpan]) -> list[SentenceSpan]:
    """Return the sentences with a line of labels and values as one: "Substance: codeine. Reaction: rash."."""
    joined: list[SentenceSpan] = []
    for span in spans:
        if (
            joined
            and "\n" not in text[joined[-1].end : span.start]
            and _is_cell(text, joined[-1])
            and _is_cell(text, span)
        ):
            joined[-1] = replace(joined[-1], end=span.end)
        else:
            joined.append(span)
    return joined


def _is_cell(text: str, span: SentenceSpan) -> bool:
    label = _CELL.match(text, span.start)
    return label is not None and bool(_FIELDS & set(label["label"].lower().split()))


def _section_attributes(title: str) -> frozenset[str]:
    plain = title.strip().lower().rstrip(":").replace("/", " ").replace("&", "and")
    attribute = section_titles().get("plan" if plain.endswith(" plan") else plain)
    return frozenset() if attribute is None else frozenset({attribute})


def label_attributes(words: str) -> frozenset[str]:
    """Return what a label at its beginning ("FH: ...") says of the rest of a sentence."""
    return _label(words)[0]


def _label(words: str) -> tuple[frozenset[str], tuple[Mention, ...]]:
    """Return what a label ("Chest X-ray: ...") says of the rest of its line."""
    label, colon, _ = words.lstrip("-*\u2022 ").partition(":")
    if not colon or len(label) > _LABEL_LENGTH:
        return frozenset(), ()
    return _section_attributes(label), _plain_heading(label)


def _order(words: str) -> frozenset[str]:
    """An instruction ("Start aspirin") is neither done nor merely planned; it bears out both."""
    for part in words.split(":", 1)[::-1]:
        first = part.strip(" -*\u2022").split(" ", 1)[0].lower()
        if first in _ORDERS or first == "to":
            return frozenset({"order"})
    return frozenset()


def _plain_heading(title: str) -> tuple[Mention, ...]:
    return tuple(_bare(one) for one in read(title).mentions) if title else ()


def _bare(mention: Mention) -> Mention:
    return replace(mention, segment=-1, attributes=mention.attributes & {"allergy"} | {"heading"})


def _is_topic(reading: Reading, section: frozenset[str]) -> bool:
    words: Sequence[str] = [word.low for word in reading.words if word.is_word]
    return (
        0 < len(words) <= _TOPIC_WORDS
        and not reading.figures
        and not reading.dates
        and bool(reading.mentions)
        and not _FINITE & set(words)
        and not any((one.attributes - section) & {"negated", "stopped", "planned", "order"} for one in reading.mentions)
        and not any(word.low == ":" for word in reading.words)
    )
