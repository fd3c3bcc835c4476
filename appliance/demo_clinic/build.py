"""Writes the clinic's files into a folder."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.demo_clinic.bundles import dates_of, record, transaction, updates
from appliance.demo_clinic.notes import notes_of
from appliance.demo_clinic.pdf import text_pdf
from appliance.demo_clinic.tables import REFERENCE_DATE, TABLES, people

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from appliance.demo_clinic.tables import Json

LOAD_ORDER = ("patients", "notes", "updates", "guidelines")
"""Sub-folders in the order in which they are to be taken in."""

PDF_PROVENANCE = {
    "title": "Falls at home in older people",
    "edition": "2026-1",
    "source": "Riverside Clinic frailty group",
    "approver": "Dr Beatrix Lund, old-age medicine",
    "jurisdiction": "clinic.example",
    "expires": "2030-12-31",
}
"""What has to be said of the PDF in `guidelines_pdf/` when it is taken in: a PDF has no front matter."""

_PDF_COLUMNS = 88


class RecordAfterReferenceError(ValueError):
    """A record of the clinic is dated after the reference day."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written. `resources` counts version 1 by type; notes and later versions are not in it."""

    patients: int
    resources: dict[str, int]
    updates: int
    notes: int
    note_words: int
    guidelines: int


def build(folder: Path, *, reference: date = REFERENCE_DATE) -> Summary:
    """Write the clinic below `folder`; existing files of the same name are replaced.

    Args:
        folder: receives `patients/`, `notes/`, `updates/`, `guidelines/` and `guidelines_pdf/`.
        reference: the day the clinic is looked at. The tables' dates are fixed; none may lie after it.

    Returns:
        Counts of what was written.

    Raises:
        RecordAfterReferenceError: `reference` lies before the last record.
    """
    for name in LOAD_ORDER:
        (folder / name).mkdir(parents=True, exist_ok=True)
    resources: Counter[str] = Counter()
    changed = words = written = 0
    everyone = people()
    for person in everyone:
        first = record(person)
        later = updates(person, first)
        resources.update(item["resourceType"] for item in first)
        changed += len(later)
        _refuse_later_than(reference, [day for item in first + later for day in dates_of(item)])
        _write_bundle(folder / "patients" / f"{person['id']}.json", first)
        if later:
            _write_bundle(folder / "updates" / f"{person['id']}.json", later)
        for note in notes_of(person["id"]):
            _refuse_later_than(reference, [note.day])
            (folder / "notes" / note.file_name).write_text(note.text(), encoding="utf-8")
            written += 1
            words += len(note.body.split())
    guidelines = _write_guidelines(folder)
    return Summary(len(everyone), dict(sorted(resources.items())), changed, written, words, guidelines)


def _write_bundle(path: Path, resources: list[Json]) -> None:
    text = json.dumps(transaction(resources), ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def _refuse_later_than(reference: date, days: list[str]) -> None:
    # ISO dates compare as texts, partial ones too: "2019" and "2019-05" sort before any day within them
    if any(day[:10] > reference.isoformat() for day in days):
        raise RecordAfterReferenceError(reference.isoformat())


def _write_guidelines(folder: Path) -> int:
    (folder / "guidelines_pdf").mkdir(exist_ok=True)
    sources = sorted((TABLES / "guidelines").iterdir())
    for path in sources:
        text = path.read_text(encoding="utf-8")
        if path.name.endswith(".pdf.txt"):
            lines = [row for line in text.splitlines() for row in textwrap.wrap(line, _PDF_COLUMNS) or [""]]
            (folder / "guidelines_pdf" / path.name.removesuffix(".txt")).write_bytes(text_pdf(lines))
        else:
            (folder / "guidelines" / path.name).write_text(text, encoding="utf-8")
    return len(sources)
