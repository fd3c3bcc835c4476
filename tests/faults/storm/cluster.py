"""A PostgreSQL cluster of a test's own, as a process that can be killed; on a Unix socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from appliance.config import environment
from appliance.processes.spec import ProcessSpec

BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
DATABASES = ("record", "audit")


def available() -> bool:
    """Return whether PostgreSQL's programs are here and can be run."""
    return bool(BIN) and (os.geteuid() != 0 or shutil.which("setpriv") is not None)


class Cluster:
    """Its data stand in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self._as: tuple[str, ...] = ()
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
            self._as = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        self._run("initdb", "-D", str(folder / "data"), "-U", "appliance", "-A", "trust", "-E", "UTF8", "--no-locale")

    @property
    def spec(self) -> ProcessSpec:
        """The server; a commit need not wait for the disk, since processes are killed here and not machines."""
        options = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "",
            "fsync": "off",
            "max_wal_size": "64MB",
            "shared_buffers": "64MB",
        }
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        argv = (*self._as, str(BIN[0] / "postgres"), "-D", str(self.folder / "data"), *given)
        return ProcessSpec(
            "postgres", argv, environment(), "", lambda: self._quietly("pg_isready") == 0, folder=Path("/")
        )

    def create_databases(self) -> None:
        """Make both, once the server answers."""
        for name in DATABASES:
            self._run("createdb", "-h", str(self.folder), "-U", "appliance", name)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://appliance@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(BIN[0] / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def _quietly(self, program: str) -> int:
        command = [str(BIN[0] / program), "-h", str(self.folder), "-U", "appliance", "-d", "postgres"]
        return subprocess.run(command, check=False, capture_output=True, cwd="/").returncode
