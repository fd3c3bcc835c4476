"""Gate pairs made at run time from real notes: sentences as they stand, said otherwise, and changed in one thing.

A changed sentence is kept only where the change is sure to make it unsupported: the new value, unit, name or side
occurs nowhere in the evidence. Nothing is drawn by lot, so a note always gives the same pairs.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from clinical.domain.chunks import chunk, heading_of
from clinical.domain.gate.pairs import Pair
from clinical.domain.sentences import split
from clinical.evaluation.note_changes import CHANGES
from clinical.evaluation.note_rewordings import REWORDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FEWEST_WORDS, _MOST_WORDS = 5, 40
_LEAST_EVIDENCE = 80  # characters


def pairs_of_notes(notes: Iterable[tuple[str, str]], *, most_a_passage: int = 6) -> Iterator[Pair]:
    """Yield the pairs of (note id, text); `most_a_passage` is how many sentences of a passage are used."""
    for note_id, text in notes:
        for number, passage in enumerate(chunk(text)):
            evidence = text[passage.start : passage.end]
            if len(evidence) < _LEAST_EVIDENCE:
                continue
            for place, sentence in enumerate(_sentences(evidence)[:most_a_passage]):
                yield from _pairs(f"{note_id}-{number}-{place}", evidence, sentence)


def notes_of(path: Path) -> list[tuple[str, str]]:
    """Read the notes of a CSV file with the columns `encounter_id` (or none) and `note`, or of one text file.

    Raises:
        OSError: the file cannot be read.
        ValueError: a CSV file without a column `note`.
    """
    if path.suffix.lower() != ".csv":
        return [(path.stem, path.read_text(encoding="utf-8"))]
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames is None or "note" not in rows.fieldnames:
            raise ValueError("no column named note")
        return [(row.get("encounter_id") or str(number), row["note"]) for number, row in enumerate(rows)]


def _sentences(evidence: str) -> list[str]:
    found = []
    for span in split(evidence):
        words = " ".join(evidence[span.start : span.end].lstrip("-*\u2022 ").split())
        if heading_of(words) is None and _FEWEST_WORDS <= len(words.split()) <= _MOST_WORDS and words.endswith("."):
            found.append(words)
    return found


def _pairs(name: str, evidence: str, sentence: str) -> Iterator[Pair]:
    yield Pair(f"{name}-same", evidence, sentence, supported=True, kind="same")
    for kind, reword in REWORDINGS:
        said = reword(sentence)
        if said is not None and said != sentence:
            yield Pair(f"{name}-{kind}", evidence, said, supported=True, kind=kind)
    for kind, change in CHANGES:
        said = change(sentence, evidence)
        if said is not None and said != sentence:
            yield Pair(f"{name}-{kind}", evidence, said, supported=False, kind=kind)
