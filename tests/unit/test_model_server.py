"""How the model server is started: no secret in the arguments, no prompt in a log, nothing unverified."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from appliance.config import QUIET, Config
from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, write_manifest
from appliance.model_server.serve import ModelServerError, StartCommand, start_command

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef"


@pytest.fixture
def box(tmp_path: Path) -> Config:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    write_manifest(folder, name="", licence="", source="", allowed=LANGUAGE_MODEL_FILES)
    return Config.model_validate({"var": tmp_path / "var", "model_dir": folder, "vllm_api_key": KEY})


@pytest.fixture
def python(tmp_path: Path) -> Path:
    torch = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "torch"
    torch.mkdir(parents=True)
    (torch / "version.py").write_text("cuda: Optional[str] = None\n")
    (tmp_path / "env" / "bin").mkdir()
    (tmp_path / "env" / "bin" / "python").touch()
    return tmp_path / "env" / "bin" / "python"


def cpu(box: Config, python: Path) -> StartCommand:
    return start_command(box, python=python, gpu=False)


def test_the_key_is_in_the_environment_and_not_in_the_arguments(box: Config, python: Path) -> None:
    start = cpu(box, python)
    assert start.environment["VLLM_API_KEY"] == KEY
    assert not any(KEY in word for word in start.argv)


def test_every_library_is_told_not_to_call_home(box: Config, python: Path) -> None:
    environment = cpu(box, python).environment
    assert QUIET.items() <= environment.items()


def test_requests_are_not_logged(box: Config, python: Path) -> None:
    argv = cpu(box, python).argv
    assert "--disable-uvicorn-access-log" in argv
    assert "--enable-log-requests" not in argv


def test_it_serves_the_configured_folder_at_the_configured_address(box: Config, python: Path) -> None:
    argv = cpu(box, python).argv
    options = dict(pairwise(argv))
    assert options["--model"] == str(box.model_path)
    assert (options["--host"], options["--port"]) == ("127.0.0.1", "8017")


def test_a_unix_socket_is_served_where_the_url_says_so(box: Config, python: Path) -> None:
    unix = box.model_copy(update={"vllm_url": "unix:///run/model.sock"})
    argv = cpu(unix, python).argv
    assert dict(pairwise(argv))["--uds"] == "/run/model.sock"


def test_only_the_processor_runs_without_compilation(box: Config, python: Path) -> None:
    on_gpu = start_command(box, python=python, gpu=True)
    assert "--enforce-eager" in cpu(box, python).argv
    assert "--enforce-eager" not in on_gpu.argv
    assert "VLLM_CPU_KVCACHE_SPACE" not in on_gpu.environment


def test_changed_weights_are_not_served(box: Config, python: Path) -> None:
    (box.model_path / "config.json").write_text('{"x": 1}')
    with pytest.raises(ModelServerError) as refused:
        cpu(box, python)
    assert refused.value.code == "changed_file"


def test_a_missing_environment_names_the_command_that_makes_it(box: Config, tmp_path: Path) -> None:
    with pytest.raises(ModelServerError, match="make setup-model") as refused:
        cpu(box, tmp_path / "nowhere" / "bin" / "python")
    assert refused.value.code == "no_environment"


def test_the_cuda_build_of_torch_is_refused_without_a_gpu(box: Config, python: Path) -> None:
    version = python.parent.parent / "lib" / "python3.11" / "site-packages" / "torch" / "version.py"
    version.write_text("cuda: Optional[str] = '13.0'\n")
    with pytest.raises(ModelServerError, match="find-links") as refused:
        cpu(box, python)
    assert refused.value.code == "wrong_torch"
    start_command(box, python=python, gpu=True)
