"""What the record itself says to a question: verbatim sentences, or the finding that there are none."""

from clinical.domain.quotes.select import QuoteResult, Sufficiency, best_quotes

__all__ = ["QuoteResult", "Sufficiency", "best_quotes"]
