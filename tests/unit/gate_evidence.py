"""Evidence and verdicts for the tests of the gate."""

from collections.abc import Sequence
from uuid import UUID

from clinical.domain.facts.fact import Fact
from clinical.domain.gate import GateEvidence, Reason, check_sentence
from clinical.domain.passages import Part, Passage, Span


def of_text(*texts: str, written: str = "") -> list[GateEvidence]:
    """Return each text as a passage of a note of its own; `written` is the ISO date of the notes."""
    return [
        GateEvidence(
            label,
            Passage(
                UUID(int=label),
                Span(f"DocumentReference/{label}", "1", Part.TEXT, 0, len(text)),
                text,
                "DocumentReference",
                written,
            ),
        )
        for label, text in enumerate(texts, 1)
    ]


def reason_for(
    sentence: str, evidence: Sequence[GateEvidence], *, question: str = "", facts: Sequence[Fact] = ()
) -> Reason | None:
    """Return why a sentence is withheld, None when it is shown."""
    return check_sentence(sentence, evidence, question=question, facts=facts).reason
