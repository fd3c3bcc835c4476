"""Fails when a Python file is longer than 300 lines (migrations excepted)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median

LONGEST = 300


def main() -> int:
    """Print the longest files and the median; return the number of files over the limit."""
    root = Path(__file__).resolve().parent.parent
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.split() if "/migrations/" not in name and (root / name).exists()]
    lengths = {name: len((root / name).read_text().splitlines()) for name in names}
    over = {name: lines for name, lines in lengths.items() if lines > LONGEST}
    for name, lines in sorted(over.items()):
        print(f"{name}: {lines} lines; find the second reason to change in it")  # noqa: T201
    product = [lines for name, lines in lengths.items() if not name.startswith("tests/") and lines > 0]
    print(f"{len(lengths)} files, median of the product {median(product):.0f} lines")  # noqa: T201
    return len(over)


if __name__ == "__main__":
    sys.exit(main())
