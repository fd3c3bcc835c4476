"""Facts by code: pure questions to typed rows, each answer resting on the rows it returns."""

from clinical.domain.facts.fact import Fact, MeasureKey, measure_key
from clinical.domain.facts.render import NotAFactError, render

__all__ = ["Fact", "MeasureKey", "NotAFactError", "measure_key", "render"]
