"""A site's Qdrant server is started with its key and no telemetry, and reached through the socket of the index.

No server binary is to be had here: a stand-in shows how it is started, and the embedded service, which speaks the same
API, stands behind the proxy.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import yaml

from appliance.backends.qdrant import QdrantBackend
from clinical.ports import BackendUnavailableError
from tests.contracts.test_vector_contract import EMBEDDER, point
from tests.contracts.two_nodes import NGINX, Nginx
from tests.contracts.vector_engines import KEY, Service
from tests.site_variables import answers, rendered, variables

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "5a" * 32
AMINA = UUID(int=1)


def site(**given: Any) -> dict[str, Any]:
    chosen = {"vector_engine": "qdrant", "vector_qdrant_sha256": DIGEST}
    return variables({**answers("site.example.yml"), **chosen, **given})


def test_the_unit_starts_the_approved_binary_with_its_key_and_without_telemetry(tmp_path: Path) -> None:
    unit = rendered("vector", "appliance-qdrant.service.j2", site(vector_qdrant_folder=str(tmp_path)))
    binary = tmp_path / DIGEST[:12] / "qdrant"
    binary.parent.mkdir()
    binary.write_text('#!/bin/sh\necho "$QDRANT__SERVICE__API_KEY $*"\n')
    binary.chmod(0o755)
    (tmp_path / "appliance_vector_api_key").write_text(KEY)
    found = re.search(r"^ExecStart=((?:.*\\\n)*.*)$", unit, re.MULTILINE)
    assert found
    # As systemd reads it: a backslash at a line's end joins, two dollars are one.
    words = shlex.split(found[1].replace("\\\n", " ").replace("$$", "$"))
    said = subprocess.run(
        words, env={"CREDENTIALS_DIRECTORY": str(tmp_path), "PATH": "/bin"}, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{KEY} --config-path /etc/appliance/qdrant.yaml --disable-telemetry\n"
    assert KEY not in unit


def test_its_configuration_listens_on_loopback_and_reports_to_nobody() -> None:
    held = yaml.safe_load(rendered("vector", "qdrant.yaml.j2", site()))
    assert held["service"]["host"] == "127.0.0.1"
    assert held["telemetry_disabled"] is True
    assert held["cluster"] == {"enabled": False}
    assert held["storage"]["storage_path"] == "/var/lib/appliance/qdrant/storage"


def test_server_and_proxy_share_a_network_without_a_way_out() -> None:
    server = rendered("vector", "appliance-qdrant.service.j2", site())
    proxy = rendered("vector", "appliance-vectors.service.j2", site())
    assert "JoinsNamespaceOf=appliance-qdrant.service" in proxy
    for unit in (server, proxy):
        assert re.findall(r"^PrivateNetwork=(.*)$", unit, re.MULTILINE) == ["yes"]
        assert re.findall(r"^IPAddressAllow=(.*)$", unit, re.MULTILINE) == ["localhost"]
    embedded = rendered("vector", "appliance-vectors.service.j2", site(vector_engine="embedded"))
    assert "qdrant" not in embedded and "IPAddressAllow" not in embedded


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian package nginx-light)")
def test_the_index_is_written_and_searched_through_the_proxy(tmp_path: Path) -> None:
    server = Service(tmp_path / "index")
    place = tmp_path / "vectors.sock"
    given = {
        "vector_qdrant_port": int(server.url.rpartition(":")[2]),
        "appliance_vector_socket": str(place),
        "vector_proxy_runtime": str(tmp_path),
    }
    proxy = Nginx(tmp_path, rendered("vector", "qdrant-proxy.conf.j2", site(**given)), str(place))
    try:
        backend = QdrantBackend(f"unix://{place}", KEY, EMBEDDER)
        backend.ensure_collections()
        points = [point(f"note number {number} of this patient", AMINA, number=number) for number in range(600)]
        backend.upsert_passages(points)
        assert backend.held() == (600, 0)
        assert {passage for passage, _ in backend.passage_ids()} == {one.passage_id for one in points}
        with pytest.raises(BackendUnavailableError):
            QdrantBackend(f"unix://{place}", "another key", EMBEDDER).ensure_collections()
    finally:
        proxy.stop()
        server.close()
