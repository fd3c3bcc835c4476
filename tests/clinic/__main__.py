"""`python -m tests.clinic [--medium FOLDER ...]`: `make clinic-test`. Needs root; makes and removes everything it uses.

Without media it builds two of them, of this tree, signed with keys for the run.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from tests.clinic import machine as machines
from tests.clinic.journey import Clinic
from tests.clinic.lan import Lan
from tests.clinic.media import Media
from tests.clinic.steps import Run, say

ROOT: Final = Path(__file__).resolve().parent.parent.parent
NOT_COVERED: Final = (
    "TPM and LUKS: the kernel here has neither a TPM nor device mapper",
    "GPU: the model is served on the processor",
    "memory limits of the units: the container has no memory controller of its own",
    "kernel settings outside the network: a container has no say in them",
    "secure boot, arm64, Ubuntu, a Qdrant server, two nodes",
)


def main() -> int:
    """Run everything; 0 when no step failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.clinic", description=__doc__)
    parser.add_argument("--medium", type=Path, help="a medium that is there already")
    parser.add_argument("--next-medium", type=Path, help="one of a later version, for the update")
    parser.add_argument("--fingerprint", default="", help="of their signer")
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "clinic", help="where disks and logs lie")
    parser.add_argument("--keep", action="store_true", help="leave the machine's disk behind")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("clinic-test makes namespaces and boots a container: run it as root\n")
        return 2
    given.folder.mkdir(parents=True, exist_ok=True)
    run = Run(not_covered=list(NOT_COVERED))
    began = time.monotonic()
    lan = Lan(given.folder)
    box = machines.Machine(given.folder / "disk", given.folder / "console.log")
    try:
        with run.step("a minimal Debian 12, as its installer leaves it"):
            machines.base_image(given.folder / "debian12.tar")
            box.make(given.folder / "debian12.tar")
        media = Media(given.folder, given.medium, given.next_medium, given.fingerprint)
        with run.step("two signed media"):
            media.make()
        lan.make()
        clinic = Clinic(run, box, lan, media)
        try:
            clinic.whole()
        finally:
            clinic.telling.end()
    finally:
        box.shut_down()
        lan.remove()
        if not given.keep:
            box.wipe()
    say(f"\n{run.table()}\n{time.monotonic() - began:.0f} s in all")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
