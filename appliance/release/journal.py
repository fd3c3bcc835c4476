"""What is on disk about switching: the switch under way, and the one before. Each file is replaced in one step."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

Step = Literal["migrate", "flip", "restart", "health"]
PENDING: Final = "pending.json"
LAST: Final = "last.json"


@dataclass(frozen=True, slots=True)
class Commands:
    """What the switch runs; `{version}` and `{release}` stand for the release that is to serve. Empty: nothing."""

    migrate: str = ""
    restart: str = ""
    health: str = ""


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch from one release to another; `former` is empty on the first."""

    former: str
    to: str
    step: Step
    commands: Commands


def read(folder: Path, name: str) -> Switch | None:
    """Return the switch recorded under a name, or None."""
    try:
        content = json.loads((folder / name).read_text())
    except FileNotFoundError:
        return None
    return Switch(content["former"], content["to"], content["step"], Commands(**content["commands"]))


def write(folder: Path, name: str, switch: Switch) -> None:
    """Record a switch so that it survives a power cut from here on."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = folder / f"{name}.partial"
    with partial.open("w") as file:
        json.dump(asdict(switch), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / name)
    _sync(folder)


def clear(folder: Path, name: str) -> None:
    """Forget a switch, durably."""
    (folder / name).unlink(missing_ok=True)
    if folder.exists():
        _sync(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
