"""Each drafted sentence before the gate: shown with its sources, or withheld with a reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from clinical.answering.events import By, SentenceReady, SentenceWithheld
from clinical.answering.stored import citation_json
from clinical.domain.gate import Gate, GateEvidence, Reason, Verdict
from clinical.domain.instructions import without_instructions
from clinical.domain.sentences import SentenceStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clinical.answering.events import AnswerEvent
    from clinical.domain.facts import Fact
    from clinical.domain.passages import Citation
    from clinical.domain.prompt import Labelled

    Tell = Callable[[Fact], SentenceReady]

# A draft that has lost its way does not find it again: it is ended, and the model's slot is free.
MOST_WITHHELD_IN_A_ROW: Final = 3
# What a spreadsheet would compute, at the start of a sentence or of a cell (OWASP, "CSV injection").
_FORMULA: Final = re.compile(r"(?:\A|[;,\t|])\s*[=+@](?=\S)")
_FORMULA_VERDICT: Final = Verdict(shown=False, reason=Reason.MARKUP)
# Numbers of the prompt's list, not of the page's; the citations themselves say where the words stand.
_MARKER: Final = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Judged:
    """One drafted sentence with the gate's verdict; `reason` is "" when it was shown."""

    text: str
    shown: bool
    reason: str
    citations: tuple[Citation, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept, and compared, for replay."""
        return {
            "text": self.text,
            "shown": self.shown,
            "reason": self.reason,
            "citations": [citation_json(one) for one in self.citations],
        }


class Judge:
    """Puts each different sentence before the gate and notes the verdict in `judged`.

    Sentences of a source that are meant for a machine bear nothing out.
    """

    def __init__(
        self,
        sources: Sequence[Labelled],
        question: str,
        judged: list[Judged],
        *,
        facts: Sequence[Fact] = (),
        tell: Tell | None = None,
    ) -> None:
        self._sources = {source.label: source.passage for source in sources}
        evidence = [
            GateEvidence(label, replace(passage, text=without_instructions(passage.text)))
            for label, passage in self._sources.items()
        ]
        self._gate = Gate(evidence, question=question, facts=facts)
        self._tell = tell
        self._judged = judged
        self._seen: set[str] = set()
        self._withheld_in_a_row = 0

    @property
    def has_lost_its_way(self) -> bool:
        """Whether so many sentences in a row were withheld that the draft should end."""
        return self._withheld_in_a_row >= MOST_WITHHELD_IN_A_ROW

    def of(self, sentence: str) -> Iterator[AnswerEvent]:
        """Yield the sentence or its withheld place; a repetition yields nothing."""
        folded = " ".join(sentence.casefold().split())
        if not folded or folded in self._seen or folded.rstrip(".") == "not stated":
            return
        self._seen.add(folded)
        verdict = _FORMULA_VERDICT if _FORMULA.search(sentence) else self._gate.check(sentence)
        citations = tuple(filter(self._stands_in_record, verdict.citations))
        shown = verdict.shown and citations == verdict.citations
        reason = "" if shown else str(verdict.reason or Reason.NOT_BORNE_OUT)
        self._judged.append(Judged(sentence, shown, reason, citations))
        if shown:
            self._withheld_in_a_row = 0
            yield SentenceReady(_MARKER.sub("", sentence), By.MODEL, citations)
        else:
            self._withheld_in_a_row += 1
            yield SentenceWithheld(reason, citations, sentence)
            yield from self._instead(verdict)

    def _instead(self, verdict: Verdict) -> Iterator[AnswerEvent]:
        """Yield what the record says otherwise, once."""
        if verdict.against is not None and self._tell is not None:
            told = self._tell(verdict.against)
            if told.text not in self._seen:
                self._seen.add(told.text)
                yield told

    def _stands_in_record(self, citation: Citation) -> bool:
        """Whether the quote is the record's own words: one that spans what was left out is not."""
        cited = citation.span
        return any(
            citation.quote == passage.text[cited.start - passage.span.start : cited.end - passage.span.start]
            for passage in self._sources.values()
            if (passage.span.resource, passage.span.version) == (cited.resource, cited.version)
        )


def sentences_of(text: str) -> list[str]:
    """Return the sentences that a draft of this text is judged by."""
    stream = SentenceStream()
    return [*stream.feed(text), *whole(stream.close())]


def whole(rest: Sequence[str]) -> list[str]:
    """Return what is left at the end of a draft that is a sentence."""
    # What the token limit cut off is no sentence: its end, which may change its meaning, was never written.
    return [one for one in rest if one.rstrip().endswith((".", "!", "?", "]"))]
