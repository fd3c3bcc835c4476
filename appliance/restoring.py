"""A restore that has begun and not ended: no door opens meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance.config import config

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config import Config

_NAME: Final = "restoring"


def marker_of(settings: Config) -> Path:
    """Return the file that says so; it holds the backup's folder."""
    return settings.var / _NAME


def refuse_while_restoring() -> None:
    """End a process that would serve or write a half-restored record; called by every door and worker.

    Raises:
        SystemExit: with what to do.
    """
    marker = marker_of(config())
    if marker.exists():
        raise SystemExit(
            f"a restore from {marker.read_text().strip()} has begun and not ended: run `manage.py restore` again"
        )
