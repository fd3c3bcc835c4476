"""A process that has read nothing yet, asked by many at once."""

from __future__ import annotations

import subprocess
import sys

from appliance.config import ROOT, environment

# Built at once without a lock, the decoders of R4 types have crashed the whole process.
_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from ingestion.domain.r4.structs import decoder
from ingestion.domain.r4.tables import tables

begin = Barrier(8)

def build(first):
    begin.wait()
    return [decoder(name, rare=rare) for rare in (False, True) for name in sorted(tables().resources)[first::8]]

with ThreadPoolExecutor(8) as pool:
    built = list(pool.map(build, range(8)))
print(sum(map(len, built)) == 2 * len(tables().resources))
"""


def test_many_first_requests_at_once_build_the_types_in_turn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AT_ONCE], capture_output=True, text=True, cwd=ROOT, env=environment(), check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr[-500:]
