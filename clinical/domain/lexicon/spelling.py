"""Misspelt names in questions: one slip in a long word, two in a very long one."""

from __future__ import annotations

from functools import cache

from clinical.domain.lexicon.tables import CLINICAL, Concept, concepts

_MIN_LENGTH = 6
_TWO_SLIPS_FROM = 9


def nearest_concept(word: str) -> Concept | None:
    """Return the clinical concept whose one-word name differs from `word` by a slip or two, if only one does."""
    word = word.lower()
    if len(word) < _MIN_LENGTH or not word.isalpha():
        return None
    allowed = 2 if len(word) >= _TWO_SLIPS_FROM else 1
    best: dict[int, set[str]] = {}
    for name, concept_id in _long_names():
        if abs(len(name) - len(word)) > allowed or name[0] != word[0]:
            continue
        slips = distance(name, word, allowed)
        if slips <= allowed:
            best.setdefault(slips, set()).add(concept_id)
    for slips in sorted(best):
        return concepts()[next(iter(best[slips]))] if len(best[slips]) == 1 else None
    return None


@cache
def _long_names() -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.lower(), concept.id)
        for concept in concepts().values()
        if concept.kind in CLINICAL
        for name in concept.names
        if name.isalpha() and len(name) >= _MIN_LENGTH - 1
    )


def distance(left: str, right: str, limit: int) -> int:
    """Return the edit distance (a swap of neighbours is one), or `limit + 1` when it is greater."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, row = row, current
    return min(row[-1], limit + 1)
