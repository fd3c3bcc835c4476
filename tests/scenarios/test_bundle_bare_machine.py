"""The program on the medium runs on a bare Python, and the script that runs first executes nothing unverified."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from appliance.release.build.parts import INSTALLER
from appliance.release.build.program import LIBRARIES, pack
from appliance.release.build.wheels import read_wheel
from tests.unit.release_media import FILES, VERSION, Builder, flip_a_byte


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The packed program, its libraries taken from what is installed here."""
    folder = tmp_path_factory.mktemp("wheels")
    wheels = [read_wheel(_as_wheel(name, folder)) for name in LIBRARIES]
    pack(folder / "release.pyz", wheels)
    return (folder / "release.pyz").read_bytes()


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "builder")


def _as_wheel(name: str, folder: Path) -> Path:
    """Put an installed package back into the form of a wheel."""
    distribution = importlib.metadata.distribution(name)
    path = folder / f"{name}-{distribution.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in distribution.files or []:
            if ".." not in file.parts and not file.name.endswith(".pyc"):
                archive.write(Path(str(file.locate())), str(file))
    return path


def _run(program: Path, machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program without any installed package (-S), as on a machine that has Python and nothing else."""
    command = [
        sys.executable,
        "-I",
        "-S",
        str(program),
        "--root",
        str(machine / "opt"),
        "--state",
        str(machine / "var"),
    ]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, env={})


def test_a_bare_python_verifies_stages_and_finds_changes(builder: Builder, program: bytes, tmp_path: Path) -> None:
    medium = builder.release("one", files=FILES | {"bootstrap/release.pyz": program})
    packed = tmp_path / "release.pyz"
    packed.write_bytes(program)
    wrong = _run(packed, tmp_path, "stage", str(medium), "--fingerprint", "AAAA-" * 7 + "AAAA")
    assert wrong.returncode == 1 and "REFUSED (fingerprint)" in wrong.stderr
    assert not (tmp_path / "opt").exists()
    staged = _run(packed, tmp_path, "stage", str(medium), "--fingerprint", builder.fingerprint)
    assert staged.returncode == 0, staged.stderr
    own = tmp_path / "opt/bin/release"
    assert _run(own, tmp_path, "verify", str(medium)).stdout.startswith(f"genuine: {len(FILES)} files")
    assert f"{len(FILES) + 2} files are what was verified" in _run(own, tmp_path, "check", VERSION).stdout
    flip_a_byte(tmp_path / "opt/bundles" / VERSION / "release.json")
    changed = _run(own, tmp_path, "check", VERSION)
    assert changed.returncode == 1 and "release.json is not what was signed" in changed.stderr


def test_the_same_sources_give_the_same_program(program: bytes, tmp_path: Path) -> None:
    wheels = [read_wheel(_as_wheel(name, tmp_path)) for name in LIBRARIES]
    pack(tmp_path / "again.pyz", wheels)
    assert (tmp_path / "again.pyz").read_bytes() == program


def test_the_program_holds_nothing_that_reaches_beyond_its_libraries(program: bytes, tmp_path: Path) -> None:
    (tmp_path / "release.pyz").write_bytes(program)
    with zipfile.ZipFile(tmp_path / "release.pyz") as archive:
        tops = {name.partition("/")[0].partition("-")[0] for name in archive.namelist()}
        shipped = {name for name in archive.namelist() if name.startswith("appliance/")}
    assert tops == {"__main__.py", "appliance", *LIBRARIES}
    assert not any("build" in name or "models" in name for name in shipped)


def _script(medium: Path, program: bytes) -> Path:
    """Write the script that runs first, as the builder does."""
    text = (INSTALLER / "install.sh").read_text()
    marks = {"@VERSION@": VERSION, "@DEBS@": "", "@PROGRAM_SHA256@": hashlib.sha256(program).hexdigest()}
    for mark, value in marks.items():
        text = text.replace(mark, value)
    (medium / "install").write_text(text)
    return medium / "install"


@pytest.mark.skipif(os.geteuid() != 0, reason="the script installs, and so refuses to run without being root")
def test_a_changed_program_is_not_run(builder: Builder, tmp_path: Path) -> None:
    # Whatever it is that was put in the program's place, it leaves a trace when it runs.
    trace = tmp_path / "it-ran"
    genuine, planted = b"genuine", f"open({str(trace)!r}, 'w')\nraise SystemExit(1)\n".encode()
    medium = builder.release("one", files=FILES | {"bootstrap/release.pyz": planted})
    script = _script(medium, genuine)
    ran = subprocess.run(["sh", str(script), "--fingerprint", "x"], capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and "REFUSED: bootstrap/release.pyz" in ran.stderr
    assert not trace.exists()
    assert _script(medium, planted).exists()
    taken = subprocess.run(["sh", str(script), "--fingerprint", "x"], capture_output=True, text=True, check=False)
    assert trace.exists(), taken.stderr  # the same program is run once the script names it: the check can fail


@pytest.mark.skipif(shutil.which("dash") is None, reason="dash is the shell that a bare Debian has")
@pytest.mark.parametrize("name", ["install.sh", "continue.sh"])
def test_the_scripts_are_plain_sh(name: str) -> None:
    checked = subprocess.run(["dash", "-n", str(INSTALLER / name)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_the_unit_that_resumes_an_interrupted_switch_is_sandboxed() -> None:
    unit = INSTALLER / "appliance-resume.service"
    most = "20"  # tenths: an exposure of at most 2.0
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={most}", str(unit)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-200:] + ran.stderr
