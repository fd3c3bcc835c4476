"""What the record itself says to a question: verbatim sentences, or the finding that there are none."""

from clinical.domain.quotes.result import QuoteResult, Sufficiency
from clinical.domain.quotes.select import best_quotes

__all__ = ["QuoteResult", "Sufficiency", "best_quotes"]
