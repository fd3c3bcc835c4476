"""What a name or a sentence is about, in the lexicon's ids: the thing itself, and what it is a kind of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.domain.lexicon.match import find_concepts
from clinical.domain.lexicon.words import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.gate.mention import Mention
    from clinical.domain.lexicon.tables import Kind


@dataclass(frozen=True, slots=True)
class Matter:
    """`own` are the ids named themselves, `wider` these and all they are kinds of."""

    own: frozenset[str] = frozenset()
    wider: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.own)

    def overlaps(self, other: Matter) -> bool:
        """Return whether one of the two names the other or a kind of it: not two kinds of a third thing."""
        return bool(self.own & other.wider or other.own & self.wider)

    def named_by(self, mention: Mention) -> bool:
        """Return whether a mention in a sentence names this, a kind of it, or what it is a kind of."""
        return mention.key in self.wider or bool(self.own & mention.keys)


def matter_of(names: Iterable[str], kind: Kind, *, loose: bool = False) -> Matter:
    """Return what the names name of one kind. `loose` takes abbreviations in any case, as questions do."""
    found = [
        one.concept for name in names for one in find_concepts(tokens(name), loose=loose) if one.concept.kind is kind
    ]
    return Matter(frozenset(one.id for one in found), frozenset(key for one in found for key in one.wider))
