"""Does the evidence bear this sentence out? Every rule can withhold; none can release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.form import MARKER, cited_labels, ill_formed
from clinical.domain.gate.reading import read
from clinical.domain.gate.rules import RULES
from clinical.domain.gate.source import read_passage
from clinical.domain.gate.topic import Topic, about, topic_of
from clinical.domain.gate.verdict import GateEvidence, Reason, Verdict
from clinical.domain.passages import Citation, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source, Window

_MOST_WINDOWS = 8


class Gate:
    """The evidence of one question, read once; then each sentence of the draft is checked against it."""

    def __init__(self, evidence: Sequence[GateEvidence], *, question: str = "") -> None:
        self._labels = tuple(one.label for one in evidence)
        self._sources = {one.label: read_passage(one.passage) for one in evidence}
        self._windows = {label: source.windows() for label, source in self._sources.items()}
        self._topic = topic_of(question)

    def check(self, sentence: str) -> Verdict:
        """Return whether this sentence may be shown, why not, and the words it rests on."""
        reason = ill_formed(sentence, frozenset(self._labels))
        if reason is not None:
            return Verdict(shown=False, reason=reason)
        if not self._sources:
            return Verdict(shown=False, reason=Reason.NO_SOURCE)
        claim = read(_bare(sentence))
        cited = [label for label in dict.fromkeys(cited_labels(sentence)) if label in self._sources]
        others = [label for label in self._labels if label not in cited]
        first: tuple[Reason, tuple[Citation, ...]] | None = None
        for labels in ([label] for label in cited) if cited else ():
            verdict, failure = self._among(claim, labels)
            if verdict is not None:
                return verdict
            first = first or failure
        verdict, failure = self._among(claim, others)
        if verdict is not None:
            return verdict
        reason, citations = first or failure or (Reason.NOT_BORNE_OUT, ())
        return Verdict(shown=False, reason=reason, citations=citations)

    def _among(
        self, claim: Reading, labels: Sequence[int]
    ) -> tuple[Verdict | None, tuple[Reason, tuple[Citation, ...]] | None]:
        """Return a verdict that shows it, or the reason of the window that came nearest."""
        ranked = sorted(
            (
                (_nearness(claim, window), -len(window.sentences), -label, number)
                for label in labels
                for number, window in enumerate(self._windows[label])
            ),
            reverse=True,
        )[:_MOST_WINDOWS]
        failure: tuple[Reason, tuple[Citation, ...]] | None = None
        for _, _, minus_label, number in ranked:
            source = self._sources[-minus_label]
            window = self._windows[-minus_label][number]
            reason = _first_reason(claim, window, self._topic)
            citations = (_citation(source, window),)
            if reason is None:
                return Verdict(shown=True, reason=None, citations=citations), None
            failure = failure or (reason, citations)
        return None, failure


def check_sentence(sentence: str, evidence: Sequence[GateEvidence], *, question: str = "") -> Verdict:
    """Check one sentence; to check several against the same evidence, make one `Gate`."""
    return Gate(evidence, question=question).check(sentence)


def _first_reason(claim: Reading, window: Window, topic: Topic) -> Reason | None:
    for rule in RULES:
        reason = rule(claim, window)
        if reason is not None:
            return reason
    return None if about(claim, window, topic) else Reason.OFF_TOPIC


def _nearness(claim: Reading, window: Window) -> float:
    """How much of the sentence's wording a window holds; only the order in which windows are tried."""
    keys = window.keys
    values = {figure.quantity.value for reading in window.readings for figure in reading.figures}
    hits = sum(2 if mention.clinical else 1 for mention in claim.mentions if mention.key in keys)
    return hits + sum(2 for figure in claim.figures if figure.quantity.value in values)


def _citation(source: Source, window: Window) -> Citation:
    start, end = window.sentences[0].span.start, window.sentences[-1].span.end
    whole = source.passage.span
    span = Span(whole.resource, whole.version, whole.part, whole.start + start, whole.start + end)
    return Citation(span, source.passage.text[start:end])


def _bare(sentence: str) -> str:
    return MARKER.sub(" ", sentence).strip().lstrip("-*\u2022 ").strip()
