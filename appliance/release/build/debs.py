"""Debian packages with everything they depend on, resolved by apt against an empty machine.

apt runs with folders of its own and an empty status file, so that nothing that happens to be installed on the builder
is taken for granted; the essential packages come along. apt checks the archive's signatures as always.
"""

from __future__ import annotations

import gzip
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from appliance.config import environment
from appliance.model_server.manifest import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ESSENTIAL: Final = "?essential"
_INSTALLED: Final = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)
_TRUSTED_ANYWAY: Final = re.compile(r"(?i)trusted\s*[=:]\s*yes|allow-insecure|allow-weak")


class DebError(Exception):
    """apt could not resolve or fetch the packages; the message is apt's own."""


@dataclass(frozen=True, slots=True)
class Deb:
    """A package file: what its control file says, and the name under which it lies on the medium."""

    path: Path
    file_name: str
    name: str
    version: str
    control: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Apt:
    """apt with a world of its own below `folder`; `sources` is the list of archives to use."""

    folder: Path
    sources: Path

    def update(self) -> None:
        """Fetch the archives' indices.

        Raises:
            DebError: an archive is not to be had, its signature is wrong, or the list asks for none.
        """
        text = self.sources.read_text()
        if _TRUSTED_ANYWAY.search(text):
            raise DebError(f"{self.sources} asks to trust an archive without its signature")
        for name in ("lists/partial", "archives/partial", "etc", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc" / self.sources.name).write_text(text)
        (self.folder / "state" / "status").write_text("")
        (self.folder / "apt.conf").write_text(self._settings())
        self._run("update", "--error-on=any")

    def order(self, packages: Sequence[str]) -> list[tuple[str, str]]:
        """Return name and version of every package to be unpacked on an empty machine, in apt's order."""
        ran = self._run("install", "--simulate", *packages)
        return [(match[1].partition(":")[0], match[2]) for match in _INSTALLED.finditer(ran)]

    def fetch(self, packages: Sequence[str]) -> list[Deb]:
        """Return the package files, fetching those that the cache lacks."""
        self._run("install", "--download-only", *packages)
        archives = self.folder / "archives"
        wanted = set(self.order(packages))
        debs = [_read(path) for path in sorted(archives.glob("*.deb")) if _named(path) in wanted]
        if len(debs) != len(wanted):
            lacking = wanted - {(deb.name, deb.version) for deb in debs}
            raise DebError(f"apt did not bring {', '.join(name for name, _ in sorted(lacking))}")
        return debs

    def _run(self, *arguments: str) -> str:
        command = ["apt-get", "-y", "-q", "--no-install-recommends", *arguments]
        env = {**environment(), "APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if ran.returncode:
            lines = [line for line in (ran.stderr + ran.stdout).splitlines() if line.strip()]
            raise DebError("\n".join(lines[-12:]))
        return ran.stdout

    def _settings(self) -> str:
        own, one_line = self.folder.resolve(), self.sources.suffix == ".list"
        values = {
            "Dir::State": own / "state",
            "Dir::State::status": own / "state" / "status",
            "Dir::State::lists": own / "lists",
            "Dir::Cache": own,
            "Dir::Cache::archives": own / "archives",
            "Dir::Etc::sourcelist": own / "etc" / self.sources.name if one_line else "/dev/null",
            "Dir::Etc::sourceparts": "/dev/null" if one_line else own / "etc",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::Languages": "none",
            "Debug::NoLocking": "true",
        }
        # The builder's own hooks and clean-up rules would remove what was fetched.
        cleared = "#clear APT::Update::Post-Invoke;\n#clear DPkg::Post-Invoke;\n#clear APT::Update::Pre-Invoke;\n"
        return (
            'APT::Architectures { "amd64"; };\n'
            + cleared
            + "".join(f'{key} "{value}";\n' for key, value in values.items())
        )


def index(debs: Iterable[Deb]) -> str:
    """Return the `Packages` file of a flat archive."""
    return "\n".join(
        f"{deb.control}\nFilename: ./{deb.file_name}\nSize: {deb.path.stat().st_size}\nSHA256: {deb.sha256}\n"
        for deb in debs
    )


def zipped(text: str) -> bytes:
    """Return the same bytes for the same text at any time."""
    return gzip.compress(text.encode(), mtime=0)


def copyright_text(deb: Deb, cache: Path) -> str:
    """Return the package's copyright file; empty where it shares another package's."""
    kept = cache / f"{deb.sha256}.txt"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb.path)], capture_output=True, check=True)
        member = f"./usr/share/doc/{deb.name}/copyright"
        read = subprocess.run(["tar", "-xOf", "-", member], input=unpacked.stdout, capture_output=True, check=False)
        kept.write_bytes(read.stdout if read.returncode == 0 else b"")
    return kept.read_text(errors="replace")


def licences_named(text: str) -> str:
    """Return the short names that a machine-readable copyright file gives, in its order; else "see copyright"."""
    names = [match.strip() for match in re.findall(r"(?m)^License:[ \t]*(\S[^\n]*)$", text)]
    return "; ".join(dict.fromkeys(names)) or "see copyright"


def _named(path: Path) -> tuple[str, str]:
    name, version, _ = path.name.split("_")
    return name, unquote(version)


def _read(path: Path) -> Deb:
    ran = subprocess.run(["dpkg-deb", "-f", str(path)], capture_output=True, text=True, check=True)
    name, version = _named(path)
    plain = version.partition(":")[2] or version
    architecture = path.name.rpartition("_")[2]
    return Deb(path, f"{name}_{plain}_{architecture}", name, version, ran.stdout.strip(), file_digest(path))
