"""The engines the vector contract is run against, and the embedded service as a real process."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
from qdrant_client import QdrantClient, models

from appliance.backends.qdrant import QdrantBackend
from appliance.backends.qdrant_schema import LeanClient
from appliance.config import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clinical.ports import Embedder

KEY = "contract-key"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Service:
    """The embedded vector service as its own process on a free loopback port."""

    def __init__(self, data: Path, *, unix: bool = False) -> None:
        self.data = data
        self.listen = f"unix:{data.parent / 'socket'}" if unix else f"127.0.0.1:{free_port()}"
        self.url = self.listen if unix else f"http://{self.listen}"
        self.process = self.spawn()
        self.wait_until_ready()

    def spawn(self) -> subprocess.Popen[bytes]:
        given = {"APPLIANCE_VECTOR_API_KEY": KEY, "APPLIANCE_VAR": str(self.data.parent)}
        command = [sys.executable, "-m", "appliance.vector_service", "--data", str(self.data)]
        return subprocess.Popen(
            [*command, "--listen", self.listen],
            env={**environment(), **given},
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )

    def wire(self) -> httpx.Client:
        if self.url.startswith("unix:"):
            transport = httpx.HTTPTransport(uds=self.url.removeprefix("unix:"))
            return httpx.Client(transport=transport, base_url="http://localhost", timeout=10)
        return httpx.Client(trust_env=False, base_url=self.url, timeout=10)

    def wait_until_ready(self) -> None:
        for _ in range(400):
            assert self.process.poll() is None, self.process.communicate()[1].decode()
            if self.url.startswith("unix:") and not self.data.with_name("socket").exists():
                time.sleep(0.05)
                continue
            try:
                self.ready()
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the vector service did not become ready")

    def ready(self) -> dict[str, object]:
        with self.wire() as client:
            document: dict[str, object] = client.get("/readyz").json()
            return document

    def kill(self) -> None:
        """As when the power of the process goes: SIGKILL."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode

    def restart(self) -> None:
        self.process = self.spawn()
        self.wait_until_ready()

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()

    def post(self, path: str, body: object, *, key: str = KEY, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.send("POST", path, body, key=key, headers=headers)

    def send(
        self, method: str, path: str, body: object, *, key: str = KEY, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        given = {"api-key": key, **(headers or {})}
        with self.wire() as client:
            return client.request(method, path, json=body, headers=given)


class LocalClient(LeanClient):
    """Local mode has no wire: the same calls through the client's models."""

    def upsert_lean(self, collection: str, points: Sequence[dict[str, Any]]) -> None:
        self.upsert(collection, [models.PointStruct(**one) for one in points])

    query_batch_points = QdrantClient.query_batch_points


class LocalBackend(QdrantBackend):
    """The oracle: qdrant-client's own pure-Python engine, in memory, one thread."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__("http://127.0.0.1:1", "", embedder)
        self._memory = LocalClient(":memory:")

    @property
    def client(self) -> LeanClient:
        return self._memory

    @property
    def searcher(self) -> LeanClient:
        return self._memory
