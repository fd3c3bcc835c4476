"""Evidence read: the sentences of a passage with what their section and heading say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.chunks import heading_of
from clinical.domain.gate.reading import Mention, Reading, read
from clinical.domain.lexicon.tables import section_titles
from clinical.domain.sentences import SentenceSpan, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.passages import Passage

_LABEL_LENGTH = 60
_TOPIC_WORDS = 7
_FINITE = frozenset({"is", "are", "was", "were", "has", "had", "have", "denies", "reports", "will", "shows"})
_ORDERS = frozenset(
    [
        "start",
        "continue",
        "stop",
        "increase",
        "decrease",
        "begin",
        "take",
        "order",
        "check",
        "recheck",
        "repeat",
        "refer",
        "hold",
        "switch",
        "initiate",
        "discontinue",
        "add",
        "resume",
        "schedule",
        "obtain",
        "monitor",
        "follow",
        "return",
        "give",
        "administer",
        "prescribe",
        "apply",
        "use",
    ]
)


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """One sentence of a passage: where it is, what it says, and the headings it stands under."""

    span: SentenceSpan
    reading: Reading
    headings: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One sentence of evidence, or two that follow each other, with the headings they stand under."""

    sentences: tuple[SourceSentence, ...]
    sexes: frozenset[str]
    named: frozenset[str]
    effective: str

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The sentences as read."""
        return tuple(one.reading for one in self.sentences)

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """Everything mentioned, headings last."""
        own = tuple(one for sentence in self.sentences for one in sentence.reading.mentions)
        return own + self.sentences[0].headings

    @property
    def keys(self) -> frozenset[str]:
        """The keys of everything mentioned, headings included."""
        return frozenset(key for one in self.mentions for key in one.keys)


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, read once for any number of sentences to be checked against."""

    passage: Passage
    sentences: tuple[SourceSentence, ...]
    sexes: frozenset[str]
    named: frozenset[str]

    def windows(self) -> list[Window]:
        """Return each sentence, and each two neighbours, that a statement may rest on."""
        effective = self.passage.effective
        single = [Window((one,), self.sexes, self.named, effective) for one in self.sentences]
        pairs = [
            Window((one, two), self.sexes, self.named, effective)
            for one, two in zip(self.sentences, self.sentences[1:], strict=False)
        ]
        return single + pairs


def read_passage(passage: Passage) -> Source:
    """Read the sentences of a passage under their headings."""
    text = passage.text
    section = _section_attributes(passage.section)
    section_mentions = _plain_heading(passage.section)
    topic: tuple[Mention, ...] = ()
    sentences: list[SourceSentence] = []
    line_attributes: frozenset[str] = frozenset()
    spans = split(text)
    for number, span in enumerate(spans):
        words = text[span.start : span.end]
        starts_line = "\n" in text[spans[number - 1].end : span.start] if number else True
        title = heading_of(words)
        if title is not None:
            section, topic, section_mentions = _section_attributes(title), (), _plain_heading(title)
            continue
        if starts_line:
            line_attributes = _label_attributes(words)
        own = section | line_attributes | _order(words)
        reading = read(words, section=own)
        sentences.append(SourceSentence(span, reading, topic + section_mentions))
        ends_line = "\n" in text[span.end : spans[number + 1].start] if number + 1 < len(spans) else True
        if starts_line and ends_line and _is_topic(reading):
            topic = tuple(_bare(one) for one in reading.mentions)
    return Source(
        passage,
        tuple(sentences),
        frozenset().union(*(one.reading.sexes for one in sentences)),
        frozenset(word.stem for one in sentences for word in one.reading.words if word.text[:1].isupper()),
    )


def _section_attributes(title: str) -> frozenset[str]:
    attribute = section_titles().get(title.strip().lower().rstrip(":").replace("/", " ").replace("&", "and"))
    return frozenset() if attribute is None else frozenset({attribute})


def _label_attributes(words: str) -> frozenset[str]:
    label, colon, _ = words.lstrip("-*\u2022 ").partition(":")
    return _section_attributes(label) if colon and len(label) <= _LABEL_LENGTH else frozenset()


def _order(words: str) -> frozenset[str]:
    """An instruction ("Start aspirin") is neither done nor merely planned; it bears out both."""
    for part in words.split(":", 1)[::-1]:
        first = part.strip(" -*\u2022").split(" ", 1)[0].lower()
        if first in _ORDERS:
            return frozenset({"order"})
    return frozenset()


def _plain_heading(title: str) -> tuple[Mention, ...]:
    return tuple(_bare(one) for one in read(title).mentions) if title else ()


def _bare(mention: Mention) -> Mention:
    return Mention(
        mention.key, mention.keys, mention.kind, mention.first, mention.last, -1,
        mention.attributes & {"allergy"} | {"heading"}, mention.text,
    )  # fmt: skip


def _is_topic(reading: Reading) -> bool:
    words: Sequence[str] = [word.low for word in reading.words if word.is_word]
    return (
        0 < len(words) <= _TOPIC_WORDS
        and not reading.figures
        and not reading.dates
        and bool(reading.mentions)
        and not _FINITE & set(words)
        and not any(one.attributes & {"negated", "stopped", "planned", "order"} for one in reading.mentions)
        and not any(word.low == ":" for word in reading.words)
    )
