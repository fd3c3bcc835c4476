"""Packs the program that verifies, stages and switches: one file for any Python 3.11, without anything to install."""

from __future__ import annotations

import zipfile
from pathlib import Path  # noqa: TC003 - a parameter's type
from typing import TYPE_CHECKING, Final

from appliance.config import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.release.build.wheels import Wheel

# Pure Python only. python-tuf imports urllib3 for its network client, which is never used here.
LIBRARIES: Final = ("tuf", "securesystemslib", "urllib3")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_START: Final = "import sys\n\nfrom appliance.release.front import main\n\nsys.exit(main())\n"


class ProgramError(Exception):
    """A library of the program is not among the wheels."""


def pack(target: Path, wheels: Iterable[Wheel]) -> None:
    """Write the program; the same sources and wheels give the same bytes.

    Raises:
        ProgramError: a library is lacking.
    """
    by_name = {wheel.name.lower(): wheel.path for wheel in wheels}
    if lacking := [name for name in LIBRARIES if name not in by_name]:
        raise ProgramError(f"not among the wheels of the application: {', '.join(lacking)}")
    contents = {"__main__.py": _START.encode(), "appliance/__init__.py": b""}
    for source in sorted((ROOT / "appliance" / "release").glob("*.py")):
        contents[f"appliance/release/{source.name}"] = source.read_bytes()
    for name in LIBRARIES:
        contents |= _library(by_name[name])
    # Python finds no package in an archive whose folder has no file of this name.
    folders = {name.rpartition("/")[0] for name in contents if "/" in name and name.endswith(".py")}
    contents |= {f"{folder}/__init__.py": b"" for folder in folders if f"{folder}/__init__.py" not in contents}
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/env -S python3 -I\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(contents.items()):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)


def _library(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/") and (name.endswith(".py") or ".dist-info/" in name) and "/test" not in name
        }
