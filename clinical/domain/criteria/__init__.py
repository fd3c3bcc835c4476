"""For and against a named condition, by the criteria of an approved guideline edition; never a free differential."""

from clinical.domain.criteria.asking import Asked, asked_for, diagnosis_asked
from clinical.domain.criteria.compose import compose
from clinical.domain.criteria.edition import Edition, Standing
from clinical.domain.criteria.evaluate import weigh
from clinical.domain.criteria.parse import parse_criteria

__all__ = [
    "Asked",
    "Edition",
    "Standing",
    "asked_for",
    "compose",
    "diagnosis_asked",
    "parse_criteria",
    "weigh",
]
