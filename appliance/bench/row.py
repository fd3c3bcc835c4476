"""One line of the benchmark's table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside what it is compared with, both measured in the same run on the same work.

    `ratio` is value against baseline as `note` says; `target` reads like "<= 2", empty where none is set.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    target: str = ""
    note: str = ""


def print_rows(rows: Iterable[Row]) -> None:
    """Print each row as one JSON object a line."""
    for row in rows:
        print(json.dumps(asdict(row)), flush=True)
