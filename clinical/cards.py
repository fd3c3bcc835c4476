"""What is read of cards given and of what was said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.keys import cipher_of

if TYPE_CHECKING:
    from clinical.models import CardFeedback


def comment_binding(feedback: CardFeedback) -> str:
    """Return what a comment's ciphertext is bound to."""
    return feedback.binding


def comment_of(feedback: CardFeedback) -> str:
    """Return the clinician's words, "" without any; the caller holds the grant to read them."""
    if not feedback.comment:
        return ""
    return cipher_of(feedback.card.patient).decrypt(feedback.comment, binding=comment_binding(feedback)).decode()
