"""The names of those who care for the patient."""

from __future__ import annotations

from functools import cache
from typing import Final

from clinical.domain.lexicon.tables import concepts, word_list

PROFESSIONS: Final = frozenset(f"word:{name}" for name in word_list("professions"))


@cache
def professions() -> frozenset[str]:
    """Return the words, lower case, that name who cares for the patient."""
    return frozenset(
        name.lower() for key in PROFESSIONS if key in concepts() for name in concepts()[key].names if name.isalpha()
    )
