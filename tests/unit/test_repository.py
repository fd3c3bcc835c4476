"""Promises of the repository as a whole: no network in tests, no telemetry, lazy imports, one way out."""

from __future__ import annotations

import ast
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError

from appliance.config import QUIET, ROOT, Config, environment

PRODUCT = [path for folder in ("appliance", "clinical", "ingestion") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_the_network_is_off_in_tests() -> None:
    with (
        pytest.warns(UserWarning, match="tried to use socket"),
        pytest.raises((SocketBlockedError, SocketConnectBlockedError)),
    ):
        socket.create_connection(("192.0.2.1", 9), timeout=0.1)


class TestTelemetry:
    @pytest.mark.parametrize("name", sorted(QUIET))
    def test_every_switch_is_off_in_the_environment_of_every_child(self, name: str) -> None:
        assert environment()[name] == QUIET[name]

    @pytest.mark.parametrize(
        "name",
        ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK", "VLLM_NO_USAGE_STATS", "ANONYMIZED_TELEMETRY"],
    )
    def test_the_known_switches_are_among_them(self, name: str) -> None:
        assert name in QUIET


def loaded_after(code: str) -> set[str]:
    """Return the top-level modules a fresh interpreter has loaded after running the code."""
    script = f"{code}\nimport sys\nprint(' '.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


MANAGE_CHECK = """
from appliance.config import use_settings_module
use_settings_module()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""
HEAVY = {"llama_index", "onnxruntime", "torch", "vllm", "transformers", "tokenizers", "openai", "qdrant_client"}


@pytest.mark.parametrize(
    "code",
    [
        MANAGE_CHECK,
        "import appliance.wsgi\nfrom clinical.ports import backends; backends()",
        "import appliance.celery; appliance.celery.app.loader.import_default_modules()\nimport ingestion.tasks",
    ],
    ids=["manage.py check", "web", "worker"],
)
def test_no_process_loads_an_ai_library_before_it_is_needed(code: str) -> None:
    assert not loaded_after(code) & HEAVY


def test_web_and_workers_cannot_load_torch_or_vllm_at_all() -> None:
    found = loaded_after(
        "import importlib.util\nassert not [n for n in ('torch', 'vllm') if importlib.util.find_spec(n)]"
    )
    assert "importlib" in found


class TestOneWayOut:
    MAY_CONNECT = ("appliance/egress.py", "appliance/backends/", "appliance/bench/", "appliance/vector_service/")

    def test_only_the_box_imports_a_network_library(self) -> None:
        libraries = re.compile(r"^(httpx|requests|urllib3|urllib\.request|http\.client|socket|ftplib|smtplib)\b")
        offenders = []
        for path in PRODUCT:
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                name = path.relative_to(ROOT).as_posix()
                if any(map(libraries.match, names)) and not name.startswith(self.MAY_CONNECT):
                    offenders.append(name)
        # These look at a socket or translate an error, and open nothing to anywhere but this machine.
        listens_only = {"ingestion/mllp/server.py", "ingestion/mllp/connection.py"}
        # The egress proof: canaries try to get out on purpose, callers knock at the run's own doors, the rest watches.
        proof = {f"appliance/proof/{name}.py" for name in ("canary", "callers", "capture", "world")}
        assert set(offenders) <= listens_only | proof | {
            f"appliance/processes/{name}.py" for name in ("catalogue", "throwaway", "model_server", "watchdog")
        }
        for name in listens_only:
            assert "connect(" not in (ROOT / name).read_text()
            assert "create_connection" not in (ROOT / name).read_text()

    @pytest.mark.parametrize(
        "url", ["http://example.com:8000", "https://8.8.8.8", "http://qdrant.example.org", "redis://1.2.3.4"]
    )
    def test_an_off_site_address_is_a_start_up_error(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"not on this site|public address"):
            Config(vllm_url=url)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://10.1.2.3:1", "http://model.internal:1"])
    def test_an_on_site_address_is_accepted(self, url: str) -> None:
        assert Config(vllm_url=url).vllm_url == url


class TestTheLocks:
    @pytest.mark.parametrize("name", ["web.txt", "dev.txt", "model-cpu.txt"])
    def test_name_versions_and_no_addresses(self, name: str) -> None:
        text = (ROOT / "appliance" / "locks" / name).read_text()

        assert re.search(r"^\S+==\S+", text, re.MULTILINE)
        assert "://" not in text
        assert not re.search(r"^-", text, re.MULTILINE)

    def test_every_dependency_says_what_it_is_for(self) -> None:
        text = (ROOT / "pyproject.toml").read_text()
        listed = re.findall(r'^    "[a-zA-Z][^"]*[=~<>][^"]*",(.*)$', text, re.MULTILINE)

        assert len(listed) > 30
        assert all("#" in comment for comment in listed)


def test_a_site_without_its_secrets_does_not_start() -> None:
    with pytest.raises(ValueError, match="master_key"):
        Config(profile="site", secret_key="x", vector_api_key="x", vllm_api_key="x")


def test_secrets_do_not_show_in_the_settings() -> None:
    assert "hush" not in repr(Config(vllm_api_key="hush"))


def test_the_sources_name_no_registry_and_no_machine() -> None:
    forbidden = re.compile("|".join(["pypi" + r"\.org", "python" + "hosted", r"registry\.npm" + "js", "/wo" + "rk/"]))
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    offenders = [
        name
        for name in listed.splitlines()
        if (path := Path(ROOT, name)).suffix in {".py", ".toml", ".md", ".txt", ".sh", ".yml", ""}
        and path.is_file()
        and forbidden.search(path.read_text(errors="replace"))
    ]
    assert offenders == []
