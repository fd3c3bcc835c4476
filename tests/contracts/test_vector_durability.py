"""What the embedded service has acknowledged survives; what is damaged comes back empty and says so."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from qdrant_client import QdrantClient, models

from appliance.backends.qdrant import QdrantBackend
from clinical.domain.passages import PassagePoint
from tests.contracts.vector_engines import KEY, Service
from tests.fakes import HashEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AMINA = UUID(int=1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    running = Service(tmp_path / "data")
    yield running
    running.close()


@pytest.fixture
def backend(service: Service) -> Iterator[QdrantBackend]:
    made = QdrantBackend(service.url, KEY, HashEmbedder())
    made.ensure_collections()
    yield made
    made.client.close()


def points(first: int, count: int) -> list[PassagePoint]:
    return [
        PassagePoint(UUID(int=n + 1), AMINA, "DocumentReference", (), (0.1,) * 31 + (n + 1.0,), (n,), (1.0,))
        for n in range(first, first + count)
    ]


def held(backend: QdrantBackend) -> set[int]:
    return {point.int - 1 for point, _ in backend.passage_ids()}


def test_killed_right_after_an_acknowledgement_nothing_is_lost(service: Service, backend: QdrantBackend) -> None:
    backend.upsert_passages(points(0, 600))
    backend.delete_passages([UUID(int=1)])
    service.kill()
    service.restart()

    assert held(backend) == set(range(1, 600))


def test_killed_while_writing_every_acknowledged_batch_is_there(service: Service, backend: QdrantBackend) -> None:
    acknowledged: list[int] = []

    def write(client: QdrantBackend, start: int) -> None:
        for first in range(start, start + 100_000, 50):
            try:
                client.upsert_passages(points(first, 50))
            except Exception:
                return
            acknowledged.extend(range(first, first + 50))

    writers = [threading.Thread(target=write, args=(backend, n * 100_000)) for n in range(3)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 2000:
        threading.Event().wait(0.01)
    service.kill()
    for writer in writers:
        writer.join()
    service.restart()

    assert set(acknowledged) <= held(backend)


def test_a_clean_stop_keeps_what_was_not_waited_for(service: Service, backend: QdrantBackend) -> None:
    from appliance.backends.qdrant_schema import passage_json

    backend.client.upsert(
        backend.passages, [models.PointStruct(**passage_json(one)) for one in points(0, 100)], wait=False
    )

    assert service.stop() == 0
    service.restart()
    assert held(backend) == set(range(100))


def test_a_damaged_shard_is_put_aside_and_comes_back_empty(service: Service, backend: QdrantBackend) -> None:
    backend.upsert_passages(points(0, 300))
    service.stop()
    folder = service.data / "collections" / backend.passages
    for part in (folder / "shard-1" / "segments").rglob("*"):
        if part.is_file():
            part.write_bytes(b"damaged")
    service.restart()

    assert service.ready()["recreated"] == [backend.passages]
    assert held(backend) == set()
    assert set(backend.client.get_collection(backend.passages).payload_schema) == {
        "patient_id",
        "resource_type",
        "labels",
    }
    assert (folder / "refused").exists()
    backend.upsert_passages(points(0, 10))
    service.stop()
    service.restart()
    assert held(backend) == set(range(10))
    assert not (folder / "refused").exists()


def test_a_second_process_on_the_same_folder_says_who_owns_it(service: Service) -> None:
    second = service.spawn()
    _, complaint = second.communicate(timeout=20)

    assert second.returncode == 1
    assert f"owned by another vector service (process {service.process.pid})" in complaint.decode()
    assert service.ready()["recreated"] == []


def test_the_service_refuses_to_listen_beyond_this_machine(service: Service) -> None:
    import subprocess
    import sys

    from appliance.config import ROOT

    command = [
        sys.executable,
        "-m",
        "appliance.vector_service",
        "--data",
        str(service.data / "x"),
        "--listen",
    ]
    ended = subprocess.run([*command, "0.0.0.0:6335"], capture_output=True, cwd=ROOT, timeout=20, check=False)

    assert ended.returncode == 1
    assert b"not loopback" in ended.stderr


def test_a_unix_socket_serves_the_same_client(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", unix=True)
    backend = QdrantBackend(service.url, KEY, HashEmbedder())
    try:
        backend.ensure_collections()
        backend.upsert_passages(points(0, 5))
        assert held(backend) == set(range(5))
        assert isinstance(backend.client, QdrantClient)
    finally:
        backend.client.close()
        service.close()
