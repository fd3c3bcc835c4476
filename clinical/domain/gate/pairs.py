"""Gate pairs: does this evidence bear this sentence out? Read, judged, counted, and set beside two baselines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from clinical.domain.gate.check import Gate
from clinical.domain.gate.form import MARKER
from clinical.domain.gate.verdict import GateEvidence, Verdict
from clinical.domain.passages import Part, Passage, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
_FIELDS = {"id": str, "evidence": str, "sentence": str, "supported": bool}


class BadPairError(Exception):
    """A line is not a pair. `line` counts from 1; `reason` says what is wrong and quotes nothing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pair:
    """One case: plain evidence text, a sentence, and whether the one bears the other out.

    `kind` names what an unsupported sentence changes, or how a supported one is worded ("" where not told).
    """

    id: str
    evidence: str
    sentence: str
    supported: bool
    kind: str = ""


def read_pairs(lines: Iterable[str]) -> Iterator[Pair]:
    """Yield the pairs of JSON lines; blank lines are skipped.

    Raises:
        BadPairError: a line is not a JSON object with the four fields, or an id comes twice.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadPairError(number, "not JSON") from error
        if not isinstance(row, dict):
            raise BadPairError(number, "not a JSON object")
        for name, kind in _FIELDS.items():
            if not isinstance(row.get(name), kind):
                raise BadPairError(number, f'"{name}" is missing or not a {kind.__name__}')
        if row["id"] in seen:
            raise BadPairError(number, "an id that was there before")
        seen.add(row["id"])
        named = row.get("class")
        change = named if isinstance(named, str) else ""
        yield Pair(row["id"], row["evidence"], row["sentence"], row["supported"], change)


def judge(pair: Pair) -> Verdict:
    """Return the gate's verdict on one pair."""
    return _gate(pair.evidence).check(pair.sentence)


@lru_cache(maxsize=4)
def _gate(evidence: str) -> Gate:
    """Return a gate over one text: pairs that follow each other mostly share their evidence."""
    if not evidence.strip():
        return Gate([])
    span = Span("DocumentReference/pair", "1", Part.TEXT, 0, len(evidence))
    return Gate([GateEvidence(1, Passage(UUID(int=0), span, evidence, "DocumentReference"))])


def is_substring(pair: Pair) -> bool:
    """Baseline: the sentence stands in the evidence as it is, letter case and final stop aside."""
    return _plain(pair.sentence).rstrip(".") in _plain(pair.evidence)


def all_words_occur(pair: Pair) -> bool:
    """Baseline: each word of the sentence stands somewhere in the evidence."""
    return set(_WORD.findall(_plain(pair.sentence))) <= set(_WORD.findall(_plain(pair.evidence)))


def counts(pairs: Sequence[Pair], shown: Callable[[Pair], bool]) -> dict[str, int]:
    """Count right and wrong decisions of any judge of pairs."""
    found = dict.fromkeys(("supported_shown", "supported_withheld", "unsupported_shown", "unsupported_withheld"), 0)
    for pair in pairs:
        kind = "supported" if pair.supported else "unsupported"
        found[f"{kind}_{'shown' if shown(pair) else 'withheld'}"] += 1
    return found


def counts_by_kind(pairs: Sequence[Pair], shown: Callable[[Pair], bool]) -> dict[str, dict[str, int]]:
    """Count shown and withheld pairs for each class, supported ones under `supported` and what their class says.

    Unsupported pairs are under the name of what they change; "unnamed" where their class is not told.
    """
    found: dict[str, dict[str, int]] = {}
    for pair in pairs:
        name = f"supported {pair.kind}".strip() if pair.supported else pair.kind or "unnamed"
        row = found.setdefault(name, {"shown": 0, "withheld": 0})
        row["shown" if shown(pair) else "withheld"] += 1
    return dict(sorted(found.items()))


def share_wrong(found: dict[str, int]) -> float:
    """Return the share of wrong decisions in counts, 0 to 1; 0 of no pairs."""
    total = sum(found.values())
    return (found["supported_withheld"] + found["unsupported_shown"]) / total if total else 0.0


def _plain(text: str) -> str:
    return " ".join(MARKER.sub(" ", text).lower().split())
