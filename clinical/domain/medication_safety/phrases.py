"""Names of one or more words, found in a text by their first word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Meaning = TypeVar("Meaning")


class Phrases(Generic[Meaning]):
    """What each name means. A name given twice keeps its first meaning."""

    def __init__(self) -> None:
        self._meanings: dict[tuple[str, ...], Meaning] = {}
        self._longest: dict[str, int] = {}

    def add(self, words: tuple[str, ...], meaning: Meaning) -> None:
        """Add a name; one without a word is passed over."""
        if words:
            self._meanings.setdefault(words, meaning)
            self._longest[words[0]] = max(self._longest.get(words[0], 0), len(words))

    def __getitem__(self, words: tuple[str, ...]) -> Meaning:
        return self._meanings[words]

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self._meanings)

    def longest(self, words: Sequence[str], place: int) -> tuple[str, ...]:
        """Return the longest name that starts at `place`, or ()."""
        most = self._longest.get(words[place], 0)
        for length in range(min(most, len(words) - place), 0, -1):
            one = tuple(words[place : place + length])
            if one in self._meanings:
                return one
        return ()
