"""Erasing against the real vector service and files on disk, in a process of its own that is killed."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from appliance.backends.qdrant import QdrantBackend
from appliance.config import ROOT, environment
from tests.contracts.vector_engines import KEY, Service
from tests.factories import bundle, note, observation, patient
from tests.fakes import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The product with its own files and the real engine; only the embedder and the model are fakes.
_PROLOGUE = """
import dataclasses, sys
from pathlib import Path
from appliance.config import config, use_settings_module
use_settings_module()
import django
from django.conf import settings
django.setup()
from appliance.backends.qdrant import QdrantBackend
from appliance.backends.raw_store import FileOriginalStore
from django.core.management import call_command
from tests.backends import fake_backends
import clinical.ports
made = fake_backends()
index = QdrantBackend(sys.argv[1], sys.argv[2], made.embedder)
box = dataclasses.replace(made, index=index, retriever=index, originals=FileOriginalStore(config().var / "originals"))
sys.modules["box"] = type("Box", (), {"made": staticmethod(lambda: box)})
settings.CLINICAL_BACKENDS = "box.made"
"""
_LOAD = """
call_command("migrate", verbosity=0)
call_command("migrate", database="audit", verbosity=0)
from tests.erasing import officer
officer()
call_command("ingest", *map(Path, sys.argv[3:]), "--wait")
"""
_ERASE = """
call_command("erase", "--patient", "amina", "--reason", "request", "--as", "demo-privacy", "--json", "--wait", "10")
"""


class Clinic:
    """A record of two patients under one folder, with a vector service of its own."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service
        self.index = QdrantBackend(service.url, KEY, HashEmbedder())

    def process(self, code: str, *more: str) -> subprocess.Popen[str]:
        own = {
            "APPLIANCE_VAR": str(self.folder),
            "APPLIANCE_DATABASE_URL": "",
            "APPLIANCE_AUDIT_DATABASE_URL": "",
            "APPLIANCE_KNOWN_AUTHORITIES": "",
        }
        return subprocess.Popen(
            [sys.executable, "-c", _PROLOGUE + code, self.service.url, KEY, *more],
            cwd=ROOT,
            env={**environment(), **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, *more: str) -> str:
        child = self.process(code, *more)
        out, log = child.communicate(timeout=100)
        assert child.returncode == 0, log
        return out

    def killed_after(self, lines: int) -> None:
        """Start the erasure and SIGKILL it once it has said so many lines of its progress."""
        child = self.process(_ERASE)
        assert child.stderr is not None
        for _ in range(lines):
            if not child.stderr.readline():
                break
        child.send_signal(signal.SIGKILL)
        child.communicate()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.folder / "record.sqlite3")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def tenants(self) -> dict[UUID, int]:
        found: dict[UUID, int] = {}
        for _, tenant in self.index.passage_ids():
            found[tenant] = found.get(tenant, 0) + 1
        return found


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    service = Service(tmp_path / "vectors" / "data")
    made = Clinic(tmp_path / "var", service)
    made.folder.mkdir()
    notes = [note(f"Visit {n}: she takes apixaban.", logical_id=f"a{n}") for n in range(40)]
    others = [note(f"Visit {n}: he takes warfarin.", logical_id=f"b{n}", subject="bruno") for n in range(25)]
    mine, both = tmp_path / "amina-example.json", tmp_path / "both.json"
    mine.write_text(json.dumps(bundle(patient("amina"), observation(), *notes)))
    both.write_text(json.dumps(bundle(patient("amina"), patient("bruno", gender="male"), *others)))
    made.run(_LOAD, str(mine), str(both))
    yield made
    service.close()


@pytest.mark.parametrize("lines", [1, 2])
def test_killed_and_run_again_no_vector_and_no_byte_of_the_patient_is_left(clinic: Clinic, lines: int) -> None:
    assert sorted(clinic.tenants().values()) == [25, 40]
    (key,) = [bytes(wrapped) for (wrapped,) in clinic.rows(
        "SELECT wrapped FROM clinical_datakey k JOIN clinical_patient p ON p.data_key_id = k.id "
        "WHERE (SELECT count(*) FROM clinical_resourceversion v WHERE v.patient_id = p.id) = 42"
    )]  # fmt: skip
    clinic.killed_after(lines)

    receipt = json.loads(clinic.run(_ERASE))

    assert receipt["complete"]
    assert set(receipt["after"].values()) == {0}
    assert receipt["before"]["index_vectors"] == 40
    assert receipt["before"]["originals"] == 2
    assert UUID(receipt["patient"]) not in clinic.tenants()
    assert list(clinic.tenants().values()) == [25]
    assert clinic.rows("SELECT count(*) FROM clinical_resourceversion") == [(26,)]
    stored = b"".join(path.read_bytes() for path in clinic.folder.rglob("*") if path.is_file())
    assert key not in stored  # neither in a free page nor in the log: what it wrapped is lost for good
    assert b"amina" not in stored
    assert len([path for path in (clinic.folder / "originals").rglob("*") if path.is_file()]) == 1
