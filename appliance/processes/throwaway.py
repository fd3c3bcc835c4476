"""A record and an index that exist for one command only."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from appliance.config import Config, config
from appliance.processes import catalogue
from appliance.processes.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARKER: Final = "this-record-may-be-emptied"


def is_throwaway(settings: Config) -> bool:
    """Return whether this process's record was made here, and so may be emptied."""
    return (settings.var / MARKER).exists()


@contextmanager
def throwaway_environment(say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Start a vector service over an empty folder and yield the environment that points at it.

    Weights, embedder and model server stay this installation's; record, trail, originals, keys and
    vectors are new, and gone afterwards.
    """
    ours = config()
    with TemporaryDirectory(prefix="appliance-") as folder:
        (Path(folder) / MARKER).touch()
        url = f"http://127.0.0.1:{_free_port()}"
        changed = {
            "APPLIANCE_VAR": folder,
            "APPLIANCE_PROFILE": "embedded",
            "APPLIANCE_KNOWN_AUTHORITIES": "",  # its records name no server of the site
            "APPLIANCE_DATABASE_URL": "",
            "APPLIANCE_AUDIT_DATABASE_URL": "",
            "APPLIANCE_VECTOR_URL": url,
            "APPLIANCE_EMBEDDER_DIR": str(ours.embedder_path.resolve()),
            "APPLIANCE_MODEL_DIR": str(ours.model_path.resolve()),
            "APPLIANCE_VLLM_API_KEY": ours.secret("vllm_api_key"),
            "APPLIANCE_VECTOR_API_KEY": ours.secret("vector_api_key"),
        }
        theirs = Config(var=Path(folder), vector_url=url, vector_api_key=changed["APPLIANCE_VECTOR_API_KEY"])
        with Supervisor(Path(folder) / "log", say) as supervisor:
            spec = catalogue.vectors(theirs)
            supervisor.start(replace(spec, environment={**spec.environment, **changed}))
            supervisor.wait_ready("vectors")
            yield {**catalogue.child_environment(), **changed}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
