"""A small clinic in real processes, backed up, to be lost and restored."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from appliance.config import ROOT, config
from appliance.processes.throwaway import throwaway_environment
from tests.factories import bundle, observation, patient

if TYPE_CHECKING:
    from collections.abc import Iterator

MANAGE = str(ROOT / "manage.py")
USERS = """
from django.contrib.auth.models import Group, User
for name, role in (("privacy", "privacy"), ("doctor", "clinician")):
    User.objects.create_user(name).groups.add(Group.objects.get_or_create(name=role)[0])
"""


@dataclass(frozen=True, slots=True)
class Box:
    """One installation: its environment, folder of data, and the folder of its backups."""

    environment: dict[str, str]
    var: Path
    medium: Path

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of the product to its end."""
        done = subprocess.run(
            [sys.executable, MANAGE, *arguments],
            env=self.environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr[-2000:]
        return done

    def killed_after(self, seconds: float, *arguments: str) -> int:
        """Run a command and kill it; returns its exit code, negative for the signal."""
        child = subprocess.Popen(
            [sys.executable, MANAGE, *arguments],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        child.kill()
        return child.wait()

    def backup(self) -> dict[str, Any]:
        """Make a backup and return what it says."""
        made: dict[str, Any] = json.loads(self.run("backup", "--json").stdout)
        return made

    def restore(self, made: dict[str, Any], identity: Path, *more: str, check: bool = True) -> dict[str, Any]:
        """Restore it and return the comparison, {} when it was refused."""
        arguments = (made["folder"], "--signer", made["signer"], "--identity", str(identity), "--json", *more)
        done = self.run("restore", *arguments, check=check)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def counted(self) -> dict[str, int]:
        """Return how many patients and current versions the record holds."""
        code = (
            "from clinical.models import Patient, ResourceVersion as V; import json; "
            "print(json.dumps({'patients': Patient.objects.count(), "
            "'current': V.objects.filter(is_current=True, deleted=False).count()}))"
        )
        counts: dict[str, int] = json.loads(self.run("shell", "-v", "0", "-c", code).stdout.splitlines()[-1])
        return counts


@contextmanager
def clinic(folder: Path) -> Iterator[Box]:
    """Set up a clinic of three patients; on PostgreSQL in databases of its own."""
    with throwaway_environment(lambda _line: None) as environment, _databases() as urls:
        given = {**environment, **urls, "APPLIANCE_BACKUP_DIR": str(folder / "medium"), "APPLIANCE_DEMO": "false"}
        box = Box(given, Path(given["APPLIANCE_VAR"]), folder / "medium")
        for database in ("default", "audit"):
            box.run("migrate", "--verbosity", "0", "--database", database)
        box.run("shell", "-v", "0", "-c", USERS)
        incoming = folder / "incoming"
        incoming.mkdir()
        for number, name in enumerate(("amina", "bruno", "chen")):
            values = [observation(f"{name}-{day}", subject=name, value=4.0 + day / 10) for day in range(5)]
            people = patient(name, birthDate=f"195{number}-05-05", gender="male" if number else "female")
            (incoming / f"{name}.json").write_text(json.dumps(bundle(people, *values)))
        box.run("ingest", str(incoming), "--wait")
        yield box


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    """Yield the database addresses of the clinic: none for SQLite, else two new ones in the stage's cluster."""
    given = django_settings.DATABASES["default"]
    if "postgresql" not in given["ENGINE"]:
        yield {}
        return
    user, host = given["USER"], given["HOST"]
    names = {"APPLIANCE_DATABASE_URL": "backed_up_record", "APPLIANCE_AUDIT_DATABASE_URL": "backed_up_trail"}
    assert urlsplit(config().database_url).scheme == "postgresql"
    for name in names.values():
        subprocess.run(["createdb", "-h", host, "-U", user, name], check=True)
    try:
        yield {key: f"postgresql://{user}@/{name}?host={host}" for key, name in names.items()}
    finally:
        for name in names.values():
            subprocess.run(["dropdb", "--force", "-h", host, "-U", user, name], check=True)
