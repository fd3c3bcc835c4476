"""The answer gate: a sentence is shown only if the record bears it out."""

from clinical.domain.gate.check import Gate, check_sentence
from clinical.domain.gate.languages import has_rules_for
from clinical.domain.gate.verdict import GateEvidence, Reason, Verdict

__all__ = ["Gate", "GateEvidence", "Reason", "Verdict", "check_sentence", "has_rules_for"]
