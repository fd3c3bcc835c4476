"""Does the evidence bear this sentence out? Every rule can withhold; none can release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.gate.clauses import statements
from clinical.domain.gate.form import MARKER, cited_labels, ill_formed
from clinical.domain.gate.headings import label_attributes
from clinical.domain.gate.languages import has_rules_for
from clinical.domain.gate.reading import read
from clinical.domain.gate.rules import RULES, holds_all
from clinical.domain.gate.softening import relaxed
from clinical.domain.gate.source import read_passage, with_change
from clinical.domain.gate.superseded import Facts
from clinical.domain.gate.synonyms import partners
from clinical.domain.gate.topic import Topic, about, topic_of
from clinical.domain.gate.two_way import both_ways
from clinical.domain.gate.values import numbers
from clinical.domain.gate.verdict import GateEvidence, Reason, Verdict
from clinical.domain.passages import Citation, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clinical.domain.facts.fact import Fact
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source, SourceSentence, Window

_MOST_WINDOWS = 8
_OTHERWISE = frozenset(
    {
        Reason.NEGATION_DIFFERS,
        Reason.SUBJECT_DIFFERS,
        Reason.CERTAINTY_DIFFERS,
        Reason.TIME_DIFFERS,
        Reason.LATERALITY_DIFFERS,
        Reason.RELATION_DIFFERS,
        Reason.VALUE_OF_ANOTHER,
    }
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    reason: Reason | None
    citations: tuple[Citation, ...]
    nearness: tuple[float, int]


class Gate:
    """The evidence of one question, read once; then each sentence of the draft is checked against it.

    `facts` are the patient's typed facts: where a later or corrected one says otherwise, a sentence is withheld with
    `Reason.SUPERSEDED` and the fact. Evidence in a language the gate has no rules for bears nothing out.
    """

    def __init__(self, evidence: Sequence[GateEvidence], *, question: str = "", facts: Sequence[Fact] = ()) -> None:
        self._labels = tuple(one.label for one in evidence)
        self._sources = {one.label: read_passage(one.passage) for one in evidence if has_rules_for(one.passage.text)}
        self._written = {one.passage.span.resource: one.passage.effective for one in evidence}
        self._windows = {label: source.windows() for label, source in self._sources.items()}
        self._topic = topic_of(question)
        self._facts = Facts(facts)
        self._verbatim = {
            " ".join(_bare(one.reading.text).split()): (label, one)
            for label, source in self._sources.items()
            for one in source.sentences
        }

    def check(self, sentence: str) -> Verdict:
        """Return whether this sentence may be shown, why not, and the words it rests on."""
        bare = _bare(sentence)
        quoted = self._verbatim.get(" ".join(bare.split()))
        reason = ill_formed(sentence, frozenset(self._labels), quoted=quoted is not None)
        if reason is not None:
            return Verdict(shown=False, reason=reason)
        if quoted is not None and quoted[1].on_its_own:
            return self._as_quoted(*quoted)
        if not self._sources:
            return Verdict(shown=False, reason=Reason.NO_SOURCE)
        cited = [label for label in dict.fromkeys(cited_labels(sentence)) if label in self._sources]
        section = label_attributes(bare)
        claim = read(bare, section=section)
        outcome = self._anywhere(claim, cited)
        if outcome.reason is not None:
            outcome = self._in_parts(bare, section, cited) or outcome
        return self._against_facts(claim, outcome)

    def _against_facts(self, claim: Reading, outcome: _Outcome) -> Verdict:
        """Return the verdict on a sentence the evidence bears out, once set against the typed facts."""
        if outcome.reason is not None:
            return Verdict(shown=False, reason=outcome.reason, citations=outcome.citations)
        resources = {one.span.resource for one in outcome.citations}
        written = max((self._written.get(one, "") for one in resources), default="")
        fact = self._facts.against(claim, written=written, resource=next(iter(resources), ""))
        if fact is not None:
            return Verdict(shown=False, reason=Reason.SUPERSEDED, citations=outcome.citations, against=fact)
        return Verdict(shown=True, reason=None, citations=outcome.citations)

    def _as_quoted(self, label: int, sentence: SourceSentence) -> Verdict:
        """Return the verdict on the record's own sentence, word for word, which no heading gives another meaning."""
        window = self._sources[label].window_of(sentence)
        citation = _citation(self._sources[label], window)
        if not about(sentence.reading, window, self._topic):
            return Verdict(shown=False, reason=Reason.OFF_TOPIC, citations=(citation,))
        return self._against_facts(sentence.reading, _Outcome(None, (citation,), (0.0, 0)))

    def _in_parts(self, sentence: str, section: frozenset[str], cited: Sequence[int]) -> _Outcome | None:
        """Return what bears out each statement of a sentence that makes several, None if one is not borne out."""
        citations: list[Citation] = []
        for part in statements(sentence):
            outcome = self._anywhere(read(part, section=section), cited)
            if outcome.reason is not None:
                return None
            citations += [one for one in outcome.citations if one not in citations]
        return _Outcome(None, tuple(citations), (0.0, 0)) if citations else None

    def _anywhere(self, claim: Reading, cited: Sequence[int]) -> _Outcome:
        """Return whether a passage bears it out, those it cites first."""
        outcome = self._among(claim, cited) if cited else None
        if outcome is None or outcome.reason is not None:
            elsewhere = self._among(claim, [label for label in self._sources if label not in cited])
            if outcome is None or elsewhere.reason is None:
                outcome = elsewhere
        return outcome

    def _among(self, claim: Reading, labels: Sequence[int]) -> _Outcome:
        """Try the passages one after the other; keep the first that bears it out, else the nearest failure."""
        failure: _Outcome | None = None
        for label in labels:
            outcome = self._within(claim, label)
            if outcome.reason is None:
                return outcome
            if failure is None or outcome.nearness > failure.nearness:
                failure = outcome
        return failure or _Outcome(Reason.NOT_BORNE_OUT, (), (0.0, 0))

    def _within(self, claim: Reading, label: int) -> _Outcome:
        """Return whether one passage bears it out, by the nearest of its windows that does."""
        source = self._sources[label]
        ranked = sorted(
            ((_nearness(claim, window), window) for window in self._windows[label]),
            key=lambda pair: pair[0],
            reverse=True,
        )[:_MOST_WINDOWS]
        failure: _Outcome | None = None
        for nearness, window in ranked:
            if len(window.sentences) > 1 and any(holds_all(claim, one) for one in window.sentences):
                continue  # one of the two says it all: what it says decides
            reason = _first_reason(claim, with_change(claim, window), self._topic)
            outcome = _Outcome(reason, (_citation(source, window),), nearness)
            if reason is None:
                return failure if failure is not None and _contradicts(failure, outcome) else outcome
            failure = failure or outcome
        return failure or _Outcome(Reason.NOT_BORNE_OUT, (), (0.0, 0))


def check_sentence(
    sentence: str, evidence: Sequence[GateEvidence], *, question: str = "", facts: Sequence[Fact] = ()
) -> Verdict:
    """Check one sentence; to check several against the same evidence, make one `Gate`."""
    return Gate(evidence, question=question, facts=facts).check(sentence)


def _first_reason(claim: Reading, window: Window, topic: Topic) -> Reason | None:
    if numbers(claim, window) is Reason.NUMBER_NOT_IN_SOURCE:
        return Reason.NUMBER_NOT_IN_SOURCE  # however it is worded
    whole = claim
    claim = relaxed(claim, window)
    for rule in RULES:
        reason = rule(claim, window)
        if reason is not None:
            return reason
    return both_ways(whole, claim, window) or (None if about(claim, window, topic) else Reason.OFF_TOPIC)


def _nearness(claim: Reading, window: Window) -> tuple[float, int]:
    """How much of the sentence's content, then of its very words, a window holds; a single sentence first."""
    keys = window.keys
    hits = sum(
        2 if mention.clinical else 1
        for mention in claim.mentions
        if mention.key in keys or not keys.isdisjoint(partners().get(mention.key, ()))
    )
    hits += sum(2 for figure in claim.figures if figure.quantity.value in window.values)
    shared = len(claim.stems & window.stems)
    return (hits - 0.5 * (len(window.sentences) - 1), shared)


def _contradicts(nearer: _Outcome, found: _Outcome) -> bool:
    """Whether a sentence much nearer in wording says otherwise than the one that seems to bear this out."""
    return (
        nearer.reason in _OTHERWISE
        and nearer.nearness[0] >= found.nearness[0]
        and nearer.nearness[1] > found.nearness[1] + 1
    )


def _citation(source: Source, window: Window) -> Citation:
    start, end = window.sentences[0].span.start, window.sentences[-1].span.end
    whole = source.passage.span
    span = Span(whole.resource, whole.version, whole.part, whole.start + start, whole.start + end)
    return Citation(span, source.passage.text[start:end])


def _bare(sentence: str) -> str:
    return MARKER.sub(" ", sentence).strip().lstrip("-*\u2022 ").strip()
