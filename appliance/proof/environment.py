"""The environment of a run: an appliance of its own, with no address, key or record of this installation's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.config import QUIET, Config, environment
from appliance.processes.throwaway import MARKER
from appliance.proof.places import bait

if TYPE_CHECKING:
    from pathlib import Path

_PREFIX: Final = "APPLIANCE_"
# Nothing else of the caller's: some libraries keep quiet where a variable says that tests or a build are running,
# and would speak on a site.
_KEPT: Final = frozenset({"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE"})


def run_environment(folder: Path, settings: Config) -> dict[str, str]:
    """Return the environment in which a run's processes are started; proxies are held out to all of them.

    Args:
        folder: of the run; record, trail, keys and vectors lie in it and go with it.
        settings: of this installation; only the models' folders are taken over.
    """
    (folder / MARKER).touch()
    kept = {name: value for name, value in environment().items() if name in _KEPT or name in QUIET}
    ours = {
        "VAR": str(folder),
        "PROFILE": "embedded",
        "EMBEDDER_DIR": str(settings.embedder_path.resolve()),
        "MODEL_DIR": str(settings.model_path.resolve()),
        "VLLM_MODEL": settings.vllm_model,
        "KNOWN_AUTHORITIES": "",
    }
    home = {"HOME": str(folder)}
    return kept | bait() | home | {f"{_PREFIX}{name}": value for name, value in ours.items()}
