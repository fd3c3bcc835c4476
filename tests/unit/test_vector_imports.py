"""Heavy libraries are loaded by who needs them, when they need them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from appliance.config import ROOT, environment


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("appliance.backends.qdrant", ("qdrant_client", "llama_index", "httpx")),
        ("appliance.backends.qdrant_schema", ("llama_index",)),
        ("appliance.vector_service.__main__", ("django", "llama_index", "qdrant_client", "onnxruntime")),
    ],
)
def test_importing_it_does_not_load(module: str, absent: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print(*(name for name in {absent!r} if name in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment(), cwd=ROOT, capture_output=True, check=True, timeout=60
    )

    assert ended.stdout.decode().split() == []
