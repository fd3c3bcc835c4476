"""A collection through compaction: nothing written meanwhile is lost, nothing deleted comes back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import pytest
import qdrant_edge as edge

from appliance.vector_service import compaction, points
from appliance.vector_service.collection import MAX_JOURNAL, Collection
from appliance.vector_service.spec import Create, Dense, Metadata, SparseParams, Spec, read_spec
from appliance.vector_service.wire import Point, Sparse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = Spec(
    create=Create(
        vectors={"dense": Dense(size=8, distance="Cosine")},
        sparse_vectors={"sparse": SparseParams(modifier="idf")},
        metadata=Metadata(tenant="patient_id"),
    )
)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    made = Collection.create(tmp_path / "passages-1", SPEC)
    made.add_index("patient_id", "keyword")
    yield made
    made.close()


def write(collection: Collection, first: int, count: int) -> None:
    made = [
        Point(
            id=number,
            vector={"dense": [1.0] * 7 + [float(number)], "sparse": Sparse(indices=[number], values=[1.0])},
            payload={"patient_id": "amina"},
        )
        for number in range(first, first + count)
    ]
    points.check(made, collection.spec)
    collection.write(points.upsert(made), size=count, wait=True)


def delete(collection: Collection, first: int, count: int) -> None:
    ids = cast("list[edge.PointId]", [*range(first, first + count)])
    collection.write(edge.UpdateOperation.delete_points(ids), size=count, wait=True)


def held(collection: Collection) -> set[int]:
    found, _ = collection.shard.scroll(edge.ScrollRequest(limit=100_000))
    return {cast("int", one.id) for one in found}


def test_writes_during_a_compaction_survive_it(collection: Collection) -> None:
    write(collection, 0, 4000)
    done: list[bool] = []
    running = threading.Thread(target=lambda: done.append(collection.compact()))
    running.start()
    rounds = 0
    while running.is_alive() and rounds < MAX_JOURNAL // 2:
        write(collection, 10_000 + rounds * 10, 10)
        delete(collection, rounds * 10, 10)
        rounds += 1
    running.join()
    expected = set(range(rounds * 10, 4000)) | set(range(10_000, 10_000 + rounds * 10))

    assert done == [True]
    assert rounds > 0
    assert held(collection) == expected
    assert read_spec(collection.folder).generation == 2
    assert not (collection.folder / "shard-1").exists()
    collection.close()
    again = Collection(collection.folder)
    assert held(again) == expected
    assert not again.recreated
    collection.shard = again.shard  # closed by the fixture


def test_too_many_writes_meanwhile_put_the_compaction_off(collection: Collection) -> None:
    write(collection, 0, 100)
    copied = threading.Event()
    real = compaction.run

    def slow(shard: Path) -> bool:
        copied.set()
        finished.wait(20)
        return real(shard)

    finished = threading.Event()
    done: list[bool] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compaction, "run", slow)
        running = threading.Thread(target=lambda: done.append(collection.compact()))
        running.start()
        assert copied.wait(20)
        for number in range(MAX_JOURNAL + 1):
            write(collection, 1000 + number, 1)
        finished.set()
        running.join()

    assert done == [False]
    assert len(held(collection)) == 100 + MAX_JOURNAL + 1
    assert [path.name for path in collection.folder.glob("shard-*")] == ["shard-1"]


def test_parallel_writers_and_a_reopened_shard_agree(collection: Collection) -> None:
    def write_many(start: int) -> None:
        for batch in range(20):
            write(collection, start + batch * 20, 20)

    writers = [threading.Thread(target=write_many, args=(start,)) for start in (0, 1000, 2000, 3000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    collection.close()
    collection.shard = Collection(collection.folder).shard

    assert held(collection) == {start + n for start in (0, 1000, 2000, 3000) for n in range(400)}


def test_an_interrupted_creation_is_made_good_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "passages-1"
    Collection.create(folder, SPEC).close()
    (folder / "shard-1" / "edge_config.json").unlink()
    (folder / "shard-9").mkdir()
    collection = Collection(folder)

    assert held(collection) == set()
    assert not collection.recreated
    assert [path.name for path in folder.glob("shard-*")] == ["shard-1"]
    collection.close()
