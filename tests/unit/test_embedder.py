"""The embedder against the demo's own model; skipped where it was not prepared."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from appliance.backends.embedder import OnnxEmbedder
from appliance.config import ROOT
from clinical.ports import BackendUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

MODEL = ROOT / "var" / "models" / "embedder"
TEXTS = ["Potassium 5.2 mmol/L on admission.", "The cat sleeps.", "word " * 400, "", "The potassium was high at 5.2."]


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    if not (MODEL / "manifest.json").exists():
        pytest.skip("the demo's embedder is not prepared: run make demo once")
    return OnnxEmbedder(MODEL)


def test_vectors_have_unit_length_and_keep_the_order_of_their_texts(embedder: OnnxEmbedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[4] > 0.5 > vectors[0] @ vectors[1]


def test_a_text_has_the_same_vector_whatever_else_is_embedded(embedder: OnnxEmbedder) -> None:
    together = embedder.embed([*TEXTS, *TEXTS, *TEXTS, *TEXTS])
    for number, text in enumerate(TEXTS):
        assert together[number] @ embedder.embed([text])[0] > 0.999


def test_text_beyond_the_window_is_cut(embedder: OnnxEmbedder) -> None:
    cut, longer = embedder.embed(["word " * 400, "word " * 400 + "potassium"])
    assert cut @ longer > 0.999


def test_nothing_gives_no_rows(embedder: OnnxEmbedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_sparse_vectors_share_the_stems_of_question_and_record(embedder: OnnxEmbedder) -> None:
    (document,) = embedder.sparse_documents(["Apixaban was stopped on 3 May"])
    query = embedder.sparse_query("why was apixaban stopped?")
    assert len(set(query.indices) & set(document.indices)) == 2
    assert set(query.values) == {1.0}
    assert len(document.indices) == len(document.values)


def test_the_digest_is_that_of_the_manifest(embedder: OnnxEmbedder) -> None:
    assert len(embedder.digest) == 64


def test_a_missing_model_is_unavailable_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="not_prepared"):
        OnnxEmbedder(tmp_path).embed(["text"])


def test_making_an_embedder_loads_no_model_library() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from appliance.backends.embedder import OnnxEmbedder\n"
        "OnnxEmbedder(Path('nowhere'))\n"
        "print({'onnxruntime', 'tokenizers', 'qdrant_edge', 'torch'} & set(sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "set()"
