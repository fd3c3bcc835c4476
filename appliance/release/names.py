"""Names of what lies on a medium: which are safe to be used as paths, and which group a file belongs to."""

from __future__ import annotations

import re
from typing import Final

RELEASE: Final = "release"
MODEL: Final = "model"
# A segment starts with a letter or a digit (so: no `..`, no `-option`, nothing hidden), and holds what file names of
# wheels, Debian packages and sources need. `_` may stand first: Python's own `__init__.py`.
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~=,@-]*")
_GROUP: Final = re.compile(rf"({RELEASE}|{MODEL})/[A-Za-z0-9][A-Za-z0-9.+-]{{0,63}}")
LONGEST: Final = 240  # characters of a whole name; FAT and ISO media carry no more in one path


class UnsafeNameError(ValueError):
    """A name that could lead outside its folder, or that no builder of ours gives."""


def checked(name: str) -> str:
    """Return the name if each of its segments is plain and it belongs to a group.

    Raises:
        UnsafeNameError: it is absolute, climbs, is hidden, is too long, or holds other characters.
    """
    segments = name.split("/")
    plain = all(_SEGMENT.fullmatch(one) for one in segments)
    if not plain or len(name) > LONGEST or len(segments) < 3 or not _GROUP.fullmatch(group_of(name)):
        raise UnsafeNameError(f"unsafe name: {name!r}")
    return name


def group_of(name: str) -> str:
    """Return the first two segments: `release/0.3.0`, `model/NAME`. A group lies on a medium whole or not at all."""
    return "/".join(name.split("/")[:2])


def is_version(text: str) -> bool:
    """Return whether a release may bear this version."""
    return _GROUP.fullmatch(f"{RELEASE}/{text}") is not None
