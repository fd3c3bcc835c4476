"""The whole-chart summary: by problem and by code first, sentences of the notes second, nothing ranked away."""

from clinical.domain.summary.asking import asked_for
from clinical.domain.summary.compose import compose
from clinical.domain.summary.line import Cited, Line
from clinical.domain.summary.prose import Prose, prose_of

__all__ = ["Cited", "Line", "Prose", "asked_for", "compose", "prose_of"]
