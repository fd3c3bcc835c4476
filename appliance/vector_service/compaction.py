"""Optimises a closed shard: graphs are built and deleted vectors dropped. Runs as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from appliance.config import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


def run(shard: Path) -> bool:
    """Optimise the shard at this path in a child process at low priority.

    Returns:
        Whether it ended well; False also when `stop` was called.
    """
    if _stopping.is_set():
        return False
    command = [sys.executable, "-m", "appliance.vector_service.compaction", str(shard.resolve())]
    child = subprocess.Popen(command, cwd=ROOT)
    _running.add(child)
    try:
        return child.wait() == 0
    finally:
        _running.discard(child)


def stop() -> None:
    """End running compactions; the shards in use are not touched by that."""
    _stopping.set()
    for child in tuple(_running):
        child.terminate()


def main(path: str) -> None:
    """Load, optimise, flush."""
    import os

    import qdrant_edge as edge

    os.nice(10)
    shard = edge.EdgeShard.load(path)
    shard.optimize()
    shard.flush()
    shard.close()


if __name__ == "__main__":
    main(sys.argv[1])
