"""Which gate judged a draft: a digest over the code and tables that its verdicts depend on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_DOMAIN: Final = Path(__file__).resolve().parent.parent / "domain"
# What the gate and its caller import, by folder or file of clinical/domain; a test follows the imports and compares.
PARTS: Final = (
    "gate",
    "lexicon",
    "chunks.py",
    "dates.py",
    "facts",
    "instructions.json",
    "instructions.py",
    "passages.py",
    "projection",
    "provenance.py",
    "quantity.py",
    "sentences.py",
    "visible.py",
)


@cache
def gate_digest() -> str:
    """Return the sha256 over the names and contents of those files, in order; once a process."""
    whole = hashlib.sha256()
    for path in gate_files():
        content = path.read_bytes()
        whole.update(f"{path.relative_to(_DOMAIN).as_posix()} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


def gate_files() -> list[Path]:
    """Return the files the digest covers."""
    places = [_DOMAIN / part for part in PARTS]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*"))]
    return sorted(file for file in files if file.suffix in {".py", ".json"})
