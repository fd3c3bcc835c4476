"""The wheelhouse: every wheel of an environment, fetched once into a cache, pinned by sha256.

The locks give several hashes a package (one for each platform's wheel). The list made here has exactly one, that of the
wheel on the medium, so that the machine installs this file or nothing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.config import environment
from appliance.model_server.manifest import file_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class WheelError(Exception):
    """A wheel cannot be had, or is not the one that is pinned."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel: name and version as it states them itself, licence as far as it says, licence texts."""

    path: Path
    name: str
    version: str
    sha256: str
    licence: str
    texts: tuple[str, ...]


def fetch(steps: Iterable[tuple[str, ...]], into: Path, say: Callable[[str], None]) -> list[Wheel]:
    """Return the wheels that the given lists of pip arguments ask for; fetches what the cache lacks.

    Args:
        steps: pip arguments, as `("--no-deps", "--require-hashes", "-r", LOCK)`.
        into: the cache folder of this environment; other wheels in it stay and are not returned.
        say: where progress goes.

    Raises:
        WheelError: pip failed, or a wheel is not the pinned one.
    """
    into.mkdir(parents=True, exist_ok=True)
    paths: set[Path] = set()
    for step in steps:
        pins = _pins(step)
        found = _all_cached(pins, into)
        if found:
            say(f"{into.name}: {len(found)} wheels are in the cache")
        else:
            say(f"{into.name}: fetching {len(pins) or 'several'} wheels")
            found = _download(step, into)
        paths.update(found)
    return [read_wheel(path) for path in sorted(paths)]


def requirements(wheels: Iterable[Wheel]) -> str:
    """Return the list to install from: one version and one hash a package."""
    return "".join(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n" for wheel in wheels)


def read_wheel(path: Path) -> Wheel:
    """Return what a wheel says of itself.

    Raises:
        WheelError: it is not a wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.namelist()
            metadata = next(name for name in entries if name.count("/") == 1 and name.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(metadata).decode("utf-8", "replace"))
            folder = metadata.rpartition("/")[0]
            texts = tuple(
                archive.read(name).decode("utf-8", "replace")
                for name in entries
                if name.startswith(f"{folder}/")
                and re.search(r"(?i)licen[cs]e|copying|notice|authors", name[len(folder) :])
            )
    except (zipfile.BadZipFile, StopIteration):
        raise WheelError(f"{path.name} is not a wheel") from None
    name, version = str(headers["Name"]), str(headers["Version"])
    return Wheel(
        path, name, version, file_digest(path), _licence(dict(headers.items()), headers.get_all("Classifier")), texts
    )


def _licence(headers: dict[str, str], classifiers: list[str] | None) -> str:
    if expression := headers.get("License-Expression"):
        return expression
    named = [one.rpartition(" :: ")[2] for one in classifiers or [] if one.startswith("License ::")]
    if named:
        return "; ".join(named)
    first = (headers.get("License") or "").strip().splitlines()
    return first[0][:80] if first else "not stated"


def _pins(step: tuple[str, ...]) -> dict[tuple[str, str], frozenset[str]]:
    """Return name and version to the hashes allowed (none: any), of the lock file or the pins among pip's arguments.

    Empty where pip is to find versions and dependencies itself.
    """
    if "-r" not in step:
        exact = [match for word in step if (match := _PIN.fullmatch(word))]
        return {(_normal(match[1]), match[2]): frozenset() for match in exact} if "--no-deps" in step else {}
    text = Path(step[step.index("-r") + 1]).read_text()
    found = list(_PIN.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {
        (_normal(match[1]), match[2]): frozenset(_HASH.findall(text[match.start() : end]))
        for match, end in zip(found, ends, strict=True)
    }


def _all_cached(pins: dict[tuple[str, str], frozenset[str]], folder: Path) -> list[Path]:
    """Return the wheels of all pins, or none when one is lacking; a build's own mark (`+cpu`) does not count."""
    cached: dict[tuple[str, str], list[Path]] = {}
    for path in folder.glob("*.whl"):
        name, version = path.name.split("-")[:2]
        cached.setdefault((_normal(name), version.partition("+")[0]), []).append(path)
    found = []
    for pin, hashes in pins.items():
        fit = (path for path in cached.get(pin, []) if not hashes or file_digest(path) in hashes)
        first = next(fit, None)
        if first is None:
            return []
        found.append(first)
    return found


def _download(step: tuple[str, ...], into: Path) -> list[Path]:
    before = {path: path.stat().st_mtime_ns for path in into.glob("*.whl")}
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--only-binary=:all:", *step]
    ran = subprocess.run(
        [*command, "--dest", str(into)], env=environment(), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise WheelError((ran.stderr.strip().splitlines() or ["pip failed"])[-1])
    named = set(re.findall(r"(?:Saved|already downloaded) \S*?([^/\s]+\.whl)", ran.stdout))
    found = [path for path in into.glob("*.whl") if path.name in named or path not in before]
    if not found:
        raise WheelError("pip fetched nothing")
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
