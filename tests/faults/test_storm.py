"""SIGKILL of every process at random points amid messages at every door: nothing acknowledged is lost or doubled.

The short storm is among the ordinary tests; the long one has a stage of its own: `pytest -m faults -s`, made harder
or milder by FAULTS_MESSAGES, FAULTS_KILLS, FAULTS_SEED and FAULTS_MINUTES.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from appliance.config import environment
from tests.faults.storm import cluster
from tests.faults.storm.clinic import Clinic
from tests.faults.storm.run import Plan, Storm, check

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="apt-get install redis-server")
needs_postgres = pytest.mark.skipif(not cluster.available(), reason="apt-get install postgresql")
ENGINES = [pytest.param(False, id="sqlite"), pytest.param(True, id="postgres", marks=needs_postgres)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can reach, and a path short enough for a Unix socket."""
    path = Path(tempfile.mkdtemp(prefix="storm-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def number(name: str, default: int) -> int:
    return int(environment().get(f"FAULTS_{name}", default))


@pytest.mark.timeout(400)
def test_a_short_storm_loses_and_doubles_nothing(folder: Path) -> None:
    plan = Plan(deliveries=600, kills=12, seed=number("SEED", secrets.randbelow(10**6)), within_s=300)
    with Clinic(folder, postgres=False, disk_bytes=256 << 20) as clinic:
        told = Storm(clinic, plan).run()

    print(told.table())  # noqa: T201 - the seed of a failure
    check(told)


@pytest.mark.faults
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("postgres", ENGINES)
def test_a_long_storm_loses_and_doubles_nothing(folder: Path, *, postgres: bool) -> None:
    plan = Plan(
        deliveries=number("MESSAGES", 20_000),
        kills=number("KILLS", 200),
        seed=number("SEED", secrets.randbelow(10**6)),
        flushes=5,
        full_disks=2,
        hangs=4,
        within_s=60.0 * number("MINUTES", 60),
    )
    with Clinic(folder, postgres=postgres, disk_bytes=2 << 30) as clinic:
        told = Storm(clinic, plan).run()

    print(told.table())  # noqa: T201 - the report of the stage
    check(told)
