"""The data folder: every collection in it, owned by one process."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from typing import TYPE_CHECKING, Final

from appliance.vector_service import compaction
from appliance.vector_service.collection import Collection
from appliance.vector_service.spec import NAME, Create, Spec, check_create
from appliance.vector_service.wire import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

LOOK_EVERY_S: Final = 5.0  # how often the background thread looks for work


class FolderInUseError(Exception):
    """Another process owns the data folder."""


class Folder:
    """Opens every collection below a data folder and keeps a lock on it until closed."""

    def __init__(self, path: Path) -> None:
        """Take the lock and open what is there.

        Raises:
            FolderInUseError: another vector service owns this folder.
        """
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = (path / "lock").open("a+")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock_file.seek(0)
            owner = self._lock_file.read().strip() or "unknown"
            self._lock_file.close()
            raise FolderInUseError(f"{path} is owned by another vector service (process {owner})") from None
        self._lock_file.truncate(0)
        self._lock_file.write(str(os.getpid()))
        self._lock_file.flush()
        self._path = path / "collections"
        self._path.mkdir(exist_ok=True)
        self._change = threading.Lock()
        self._stop = threading.Event()
        for remains in self._path.glob("*.deleted"):
            shutil.rmtree(remains, ignore_errors=True)
        self._open: dict[str, Collection] = {}
        for entry in sorted(self._path.iterdir()):
            if (entry / "spec.json").exists():
                self._open[entry.name] = Collection(entry)
            else:  # the process ended while creating it: nothing was acknowledged
                shutil.rmtree(entry)
        self._background = threading.Thread(target=self._compact_when_needed, name="compaction", daemon=True)
        self._background.start()

    def __contains__(self, name: object) -> bool:
        """Return whether the collection exists."""
        return name in self._open

    @property
    def names(self) -> list[str]:
        """Names of the collections."""
        return sorted(self._open)

    @property
    def recreated(self) -> list[str]:
        """Collections whose shard refused to load at this start: they are empty until indexed again."""
        return sorted(name for name, one in self._open.items() if one.recreated)

    @property
    def failed(self) -> list[str]:
        """Collections whose engine failed at a write: restart the service, then verify the index."""
        return sorted(name for name, one in self._open.items() if one.failed)

    def get(self, name: str) -> Collection:
        """Return a collection.

        Raises:
            RefusedError: 404.
        """
        try:
            return self._open[name]
        except KeyError:
            raise RefusedError(404, "Not found: Collection doesn't exist!") from None

    def create(self, name: str, create: Create) -> None:
        """Create a collection.

        Raises:
            RefusedError: 400 for a bad name or a bad definition, 409 when it already exists.
        """
        if not NAME.fullmatch(name):
            raise RefusedError(400, "a collection name has 1..64 of A-Z a-z 0-9 _ -")
        check_create(name, create)
        with self._change:
            if name in self._open:
                raise RefusedError(409, "Wrong input: Collection already exists!")
            folder = self._path / name
            if folder.exists():  # a creation that failed, on a full disk say: nothing was acknowledged
                shutil.rmtree(folder)
            self._open[name] = Collection.create(folder, Spec(create=create))

    def delete(self, name: str) -> bool:
        """Delete a collection and its files; returns whether there was one."""
        with self._change:
            gone = self._open.pop(name, None)
            if gone is None:
                return False
            remains = gone.folder.with_name(f"{name}.deleted")
            shutil.rmtree(remains, ignore_errors=True)
            gone.folder.rename(remains)
            shutil.rmtree(remains, ignore_errors=True)
            return True

    def _compact_when_needed(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            for name in self.names:
                collection = self._open.get(name)
                if collection is not None and collection.wants_compaction and not self._stop.is_set():
                    collection.compact()

    def close(self) -> None:
        """Flush everything, then give up the lock."""
        self._stop.set()
        compaction.stop()
        self._background.join()
        for collection in self._open.values():
            collection.close()
        self._lock_file.close()
