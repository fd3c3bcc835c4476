"""Gate pairs: does this evidence bear this sentence out? Loading, counting, and two simple rivals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.evaluation.json_lines import CaseFileError, flag, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class GatePair:
    """Evidence, a sentence resting on it, and whether a careful reader finds it borne out."""

    pair_id: str
    evidence: str
    sentence: str
    supported: bool


@dataclass(frozen=True, slots=True)
class GateCounts:
    """How a gate did. The worst fault is `unsupported_shown`, the next is `supported_withheld`."""

    supported_shown: int
    supported_withheld: int
    unsupported_shown: int
    unsupported_withheld: int

    @property
    def wrong(self) -> int:
        """Pairs decided wrongly in either direction."""
        return self.unsupported_shown + self.supported_withheld

    def as_json(self) -> dict[str, int]:
        """Return the `counts` object of `gate`."""
        return {
            "supported_shown": self.supported_shown,
            "supported_withheld": self.supported_withheld,
            "unsupported_shown": self.unsupported_shown,
            "unsupported_withheld": self.unsupported_withheld,
        }


def load_pairs(lines: Iterable[str]) -> list[GatePair]:
    """Return the pairs of a JSON-lines file; blank lines and unknown keys are passed over.

    Raises:
        CaseFileError: a line cannot be used (its number and the key at fault), or there is no pair at all.
    """
    pairs = [
        GatePair(
            pair_id=text(row, "id", line),
            evidence=text(row, "evidence", line),
            sentence=text(row, "sentence", line),
            supported=flag(row, "supported", line),
        )
        for line, row in objects(lines)
    ]
    if not pairs:
        raise CaseFileError(0, "no-cases")
    return pairs


def count(pairs: Iterable[GatePair], shown: Mapping[str, bool]) -> GateCounts:
    """Count the verdicts of a gate; `shown` says for each pair id whether the sentence passed.

    Raises:
        KeyError: a pair has no verdict.
    """
    outcomes = [(pair.supported, shown[pair.pair_id]) for pair in pairs]
    return GateCounts(
        supported_shown=outcomes.count((True, True)),
        supported_withheld=outcomes.count((True, False)),
        unsupported_shown=outcomes.count((False, True)),
        unsupported_withheld=outcomes.count((False, False)),
    )


def substring_baseline(pair: GatePair) -> bool:
    """Show a sentence only when its words stand in the evidence one after the other."""
    wanted, held = _words(pair.sentence), _words(pair.evidence)
    return any(held[start : start + len(wanted)] == wanted for start in range(len(held) - len(wanted) + 1))


def all_words_baseline(pair: GatePair) -> bool:
    """Show a sentence only when each of its words occurs somewhere in the evidence."""
    return set(_words(pair.sentence)) <= set(_words(pair.evidence))


def _words(sentence: str) -> list[str]:
    return _WORD.findall(sentence.casefold())
