"""Public samples as further inputs to damage, where they lie beside the checkout; elsewhere there are fewer inputs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST_BYTES: Final = 64 * 1024
SHARE: Final = 0.3


@cache
def samples(pattern: str) -> tuple[bytes, ...]:
    """Return the samples of a kind that are not too large to be sent thousands of times."""
    return tuple(one.read_bytes() for one in sorted(_FOLDER.glob(pattern)) if one.stat().st_size <= MOST_BYTES)


def one_of(pattern: str, chance: Random) -> bytes | None:
    """Return a sample; None most of the time, and where there are none."""
    found = samples(pattern)
    return chance.choice(found) if found and chance.random() < SHARE else None
