"""The notes of the clinic: one table file a patient, one text file with front matter a note."""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.demo_clinic.tables import TABLES, codes, compact

_HEADING = re.compile(r"^=== (\d{4}-\d{2}-\d{2}) \| (\w+) \| (.+) \| (.+)$", re.MULTILINE)
_PLAIN_TEXT = frozenset({"phone", "nurse", "emergency"})


@dataclass(frozen=True, slots=True)
class Note:
    """One note as the clinic wrote it. `kind` is a key of the note types; `day` is an ISO date."""

    patient: str
    day: str
    kind: str
    title: str
    author: str
    body: str

    @property
    def note_id(self) -> str:
        """The id of the DocumentReference the note becomes."""
        return f"{self.patient}-note-{compact(self.day)}"

    @property
    def file_name(self) -> str:
        """Plain text for calls, nurses and the emergency department, Markdown for the rest."""
        return f"{self.note_id}.{'txt' if self.kind in _PLAIN_TEXT else 'md'}"

    def text(self) -> str:
        """Return the file's text: front matter, then the note."""
        return (
            f"---\nid: {self.note_id}\npatient: {self.patient}\ndate: {self.day}\ntitle: {self.title}\n"
            f'type: "{codes()["note_types"][self.kind]}"\nauthor: {self.author}\n---\n\n{self.body}\n'
        )


def notes_of(patient: str) -> list[Note]:
    """Return the patient's notes, oldest first; none where the table has no file for them."""
    path = TABLES / "notes" / f"{patient}.md"
    if not path.exists():
        return []
    pieces = _HEADING.split(path.read_text(encoding="utf-8"))[1:]
    rows = zip(*(pieces[index::5] for index in range(5)), strict=True)
    return [Note(patient, day, kind, title, author, body.strip()) for day, kind, title, author, body in rows]
