"""Whole record ingest by the product's own command: bytes kept, checked, versioned, projected, indexed.

Bundles of structured resources and notes go into a throwaway record and index, with the real embedder;
a second run of the same files shows what an unchanged ingest costs.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from appliance.bench.fhir_read import BUNDLES, make_bundle
from appliance.bench.row import Row, print_rows
from appliance.config import ROOT
from appliance.processes.throwaway import throwaway_environment

NOTES = 300
_SENTENCES = (
    "Seen in clinic for follow-up of blood pressure and kidney function.",
    "Reports no chest pain and no shortness of breath on exertion.",
    "Ankle swelling has improved since the dose of furosemide was raised.",
    "Plan: repeat potassium and creatinine in two weeks and review the result by telephone.",
    "Sleeps with two pillows, walks to the shops, and weighs himself every morning.",
    "Medication was reviewed with the patient and his daughter; nothing was changed today.",
)


def run() -> list[Row]:
    """Measure resources and notes a second, then the same files again."""
    with TemporaryDirectory() as folder, throwaway_environment(lambda _line: None) as environment:
        structured, notes = Path(folder) / "structured", Path(folder) / "notes"
        structured.mkdir()
        notes.mkdir()
        for number, content in enumerate(map(make_bundle, range(BUNDLES * 2))):
            (structured / f"{number}.json").write_bytes(content)
        (notes / "notes.ndjson").write_text("\n".join(_note(number) for number in range(NOTES)) + "\n")
        for database in ("default", "audit"):
            _manage(environment, "migrate", "--verbosity", "0", "--database", database)
        idle = _ingest(environment, Path(folder) / "nothing")[1]
        first, first_s = _ingest(environment, structured)
        again, again_s = _ingest(environment, structured)
        written, notes_s = _ingest(environment, notes)
    rate = first["stored"] / (first_s - idle)
    repeat = again["unchanged"] / (again_s - idle)
    return [
        Row("record ingest, structured resources", rate, "resources/s", note="start of the command taken off"),
        Row("unchanged ingest of the same", repeat, "resources/s", rate, repeat / rate, "", "ratio to the first"),
        Row("record ingest, notes with embedding", written["stored"] / (notes_s - idle), "notes/s"),
    ]


def _note(number: int) -> str:
    lines = [_SENTENCES[(number + step) % len(_SENTENCES)] for step in range(4)]
    text = f"Visit {number}. " + " ".join(lines)
    return json.dumps(
        {
            "resourceType": "DocumentReference",
            "id": f"note-{number}",
            "status": "current",
            "subject": {"reference": f"Patient/p{number % 20}"},
            "content": [
                {"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}
            ],
        }
    )


def _ingest(environment: dict[str, str], folder: Path) -> tuple[dict[str, Any], float]:
    folder.mkdir(exist_ok=True)
    begun = perf_counter()
    output = _manage(environment, "ingest", str(folder), "--wait", "--json")
    return json.loads(output), perf_counter() - begun


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print_rows(run())
