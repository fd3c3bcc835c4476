"""Every library that would speak to its makers is listed, its switch is off, and the library knows that switch."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from appliance.config import QUIET, ROOT, environment
from appliance.proof.telemetry import left_on, libraries, listed, no_telemetry

LISTED = {row["library"] for row in libraries()}
MODEL_ENVIRONMENT = next(iter((ROOT / ".venv-vllm").glob("lib/python3*/site-packages")), None)
WORDS = (b"telemetry", b"TELEMETRY", b"usage_stats", b"posthog", b"sentry_sdk", b"DO_NOT_TRACK")
COLLECTORS = (b"OneCollector", b"events.data.microsoft", b"posthog", b"sentry.io", b"telemetry.qdrant", b"segment.io")


def locked(name: str) -> list[str]:
    return re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "appliance" / "locks" / name).read_text(), re.MULTILINE)


def files_of(library: str) -> list[Path]:
    held = distribution(library)
    return [Path(str(held.locate_file(one))) for one in held.files or ()]


def speaking_files(library: str) -> list[str]:
    """Return the files with words by which such libraries are known."""
    found = []
    for path in files_of(library):
        words = WORDS if path.suffix == ".py" else COLLECTORS if ".so" in path.suffixes else ()
        if words and path.is_file():
            content = path.read_bytes()
            found += [path.name] if any(word in content for word in words) else []
    return found


def test_every_switch_of_the_table_is_set_and_every_variable_set_is_explained() -> None:
    named = {name for row in libraries() for name in row["switches"]}
    assert named | no_telemetry().keys() == QUIET.keys()
    assert left_on(environment()) == []


def test_a_switch_that_is_not_set_is_named() -> None:
    without = {name: value for name, value in environment().items() if name != "ORT_DISABLE_TELEMETRY"}
    assert left_on(without) == ["ORT_DISABLE_TELEMETRY"]
    assert left_on({**environment(), "DO_NOT_TRACK": "0"}) == ["DO_NOT_TRACK"]


def test_the_report_shows_each_with_its_value() -> None:
    assert {row["library"]: row["switches"] for row in listed()}["onnxruntime"] == "ORT_DISABLE_TELEMETRY=1"


def test_every_library_whose_files_speak_of_telemetry_is_in_the_table() -> None:
    """A new or newer dependency that begins to phone home fails here before it does so anywhere."""
    found = {one: speaking for one in locked("web.txt") if (speaking := speaking_files(one))}
    assert {name: files[:3] for name, files in found.items() if name not in LISTED} == {}
    assert "onnxruntime" in found, "the search finds what is known to be there"


def test_the_embedder_s_engine_is_told_before_it_is_loaded() -> None:
    """It reads its switch when it starts, once: setting it later is of no use."""
    code = (
        "from appliance.config import use_settings_module; import os; use_settings_module();"
        "print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    engine = [path for path in files_of("onnxruntime") if path.name.startswith("libonnxruntime.so")]
    assert any(b"ORT_DISABLE_TELEMETRY" in path.read_bytes() for path in engine), "the switch has another name now"


@pytest.mark.parametrize("switch", ["HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"])
def test_the_hub_s_library_reads_its_switches(switch: str) -> None:
    code = f"import huggingface_hub.constants as c; print(c.{switch})"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.skipif(MODEL_ENVIRONMENT is None, reason="the model server's environment is not there")
@pytest.mark.parametrize(
    ("file", "switch"),
    [
        ("vllm/envs.py", "VLLM_NO_USAGE_STATS"),
        ("vllm/envs.py", "VLLM_DO_NOT_TRACK"),
        ("vllm/envs.py", "DO_NOT_TRACK"),
        ("huggingface_hub/constants.py", "HF_HUB_OFFLINE"),
        ("opentelemetry/sdk/environment_variables/__init__.py", "OTEL_SDK_DISABLED"),
    ],
)
def test_the_model_server_s_libraries_still_read_their_switches(file: str, switch: str) -> None:
    assert MODEL_ENVIRONMENT is not None
    assert re.search(rf'"{switch}"', (MODEL_ENVIRONMENT / file).read_text())


@pytest.mark.skipif(MODEL_ENVIRONMENT is None, reason="the model server's environment is not there")
def test_vllm_s_usage_statistics_are_off_in_its_environment() -> None:
    assert MODEL_ENVIRONMENT is not None
    path = f"{MODEL_ENVIRONMENT}/vllm/envs.py"  # by itself: the package would load torch
    script = (
        "import importlib.util as u, sys, types; sys.modules['vllm'] = types.ModuleType('vllm')\n"
        f"s = u.spec_from_file_location('envs', {path!r}); m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        "print(m.VLLM_NO_USAGE_STATS, m.VLLM_DO_NOT_TRACK)"
    )
    python = MODEL_ENVIRONMENT.parents[2] / "bin" / "python"
    done = subprocess.run([python, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
