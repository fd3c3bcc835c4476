"""One collection: an engine shard with its spec, written durably and compacted aside."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import qdrant_edge as edge

from appliance.vector_service import compaction
from appliance.vector_service.spec import (
    Spec,
    engine_config,
    engine_index,
    read_spec,
    sync_folder,
    write_spec,
)

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.vector_service.spec import FieldSchema

COMPACT_AFTER: Final = 20_000  # points written or deleted since the last compaction
MAX_JOURNAL: Final = 200  # writes while a compaction runs; more, and it is given up until later


class Collection:
    """The only owner of one shard. Reads run in parallel; writes follow one another."""

    def __init__(self, folder: Path) -> None:
        """Open the shard; one that refuses to load is moved aside and recreated empty.

        Args:
            folder: the collection's folder, with its spec.
        """
        self.folder = folder
        self.spec = read_spec(folder)
        self.recreated = False
        self.failed = False
        self._write = threading.Lock()
        self._flush = threading.Lock()
        self._written = 0
        self._flushed = 0
        self._dirty = 0
        self._journal: list[edge.UpdateOperation] | None = None  # set while a compaction runs
        self._remove_leftovers()
        self.shard = self._open()

    @classmethod
    def create(cls, folder: Path, spec: Spec) -> Collection:
        """Make a collection that survives a crash at any moment: the spec is written first."""
        folder.mkdir(parents=True)
        write_spec(folder, spec)
        sync_folder(folder.parent)
        return cls(folder)

    @property
    def _path(self) -> Path:
        return self.folder / f"shard-{self.spec.generation}"

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob("shard-*"):
            if path != self._path:
                shutil.rmtree(path, ignore_errors=True)

    def _open(self) -> edge.EdgeShard:
        refused = self.folder / "refused"
        if (self._path / "edge_config.json").exists():
            try:
                shard = edge.EdgeShard.load(str(self._path))
                shard.count(edge.CountRequest(exact=True))
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:
                # Kept for an engineer until the next clean start; it may hold deleted patients' vectors.
                shutil.rmtree(refused, ignore_errors=True)
                self._path.rename(refused)
                self.recreated = True
            else:
                shutil.rmtree(refused, ignore_errors=True)
                return shard
        elif self._path.exists():  # the process ended while making it: nothing was acknowledged
            shutil.rmtree(self._path)
        self._path.mkdir()
        shard = edge.EdgeShard.create(str(self._path), engine_config(self.spec.create))
        for field, schema in self.spec.indexes.items():
            shard.update(engine_index(field, schema))
        shard.flush()
        sync_folder(self.folder)
        return shard

    def add_index(self, field: str, schema: FieldSchema) -> None:
        """Build a payload index and remember it; the same again is harmless."""
        operation = engine_index(field, schema)
        with self._write:
            self.shard.update(operation)
            if self._journal is not None:
                self._journal.append(operation)
            self.spec = self.spec.with_index(field, schema)
            write_spec(self.folder, self.spec)
        self.flush()

    def write(self, operation: edge.UpdateOperation, *, size: int, wait: bool) -> int:
        """Apply a change of about `size` points; with `wait` return only when it is on disk.

        Returns:
            A number that grows with each write of this process.
        """
        with self._write:
            try:
                self.shard.update(operation)
            except BaseException:  # the engine panics with a class outside Exception
                self.failed = True
                raise
            self._written += 1
            ticket = self._written
            self._dirty += size
            if self._journal is not None:
                self._journal.append(operation)
        if wait:
            self.flush(ticket)
        return ticket

    def flush(self, ticket: int | None = None) -> None:
        """Flush to disk; writers who waited for the same flush share it."""
        with self._flush:
            if ticket is not None and self._flushed >= ticket:
                return
            reached = self._written
            self.shard.flush()
            self._flushed = reached

    @property
    def wants_compaction(self) -> bool:
        """Return whether enough has changed to rewrite the shard."""
        return self._dirty >= COMPACT_AFTER

    def compact(self) -> bool:
        """Build graphs and drop deleted vectors in a copy, in a process of its own, then change over.

        The engine holds the interpreter while it optimises (seconds to minutes), so it must not run
        here. Reads go on all the time; writes wait only for the copy and for the change-over.

        Returns:
            Whether the shard was replaced.
        """
        target = self.folder / f"shard-{self.spec.generation + 1}"
        with self._write, self._flush:
            self.shard.flush()
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(self._path, target)
            self._journal = []
            self._dirty = 0
        try:
            optimised = compaction.run(target)
            with self._write, self._flush:
                journal = self._journal
                if not optimised or len(journal) > MAX_JOURNAL:
                    return False
                self._change_over(target, journal)
                return True
        finally:
            self._journal = None
            with suppress(FileNotFoundError):
                if self._path != target:
                    shutil.rmtree(target)

    def _change_over(self, target: Path, journal: list[edge.UpdateOperation]) -> None:
        shard = edge.EdgeShard.load(str(target))
        for operation in journal:
            shard.update(operation)
        shard.flush()
        os.sync()  # the copied files that the optimiser left as they were
        old = self._path
        self.spec = self.spec.with_generation(self.spec.generation + 1)
        write_spec(self.folder, self.spec)
        # Queries under way keep the old shard alive until the last of them ends.
        self.shard = shard
        shutil.rmtree(old, ignore_errors=True)

    def close(self) -> None:
        """Flush and let go of the shard."""
        with self._write, self._flush:
            self.shard.flush()
            self.shard.close()
