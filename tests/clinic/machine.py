"""The clinic's server: a Debian root file system that boots systemd in a container, without a way out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.clinic.steps import expect, say

BASE: Final = ("systemd", "systemd-sysv", "dbus", "iproute2", "openssl", "procps", "kmod", "ca-certificates")
_BOOT_S: Final = 60.0
# In the container the machine has a view of its own on control groups; what systemd needs to shut in its services.
_BOOT: Final = """
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec systemd-nspawn --boot --directory="$1" --register=no --keep-unit --private-network --console=passive \
    --link-journal=no --hostname=clinic --capability=CAP_NET_ADMIN,CAP_BPF,CAP_PERFMON --system-call-filter=bpf
"""
_ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root",
    "TERM": "dumb",
}  # fmt: skip


def base_image(archive: Path) -> None:
    """Make the minimal Debian 12 that a server's installer leaves behind, once; without Python.

    Raises:
        FailedError: mmdebstrap did not succeed.
    """
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_suffix(".partial.tar")
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(BASE)}", "bookworm", str(partial)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stderr)
    partial.rename(archive)


class Machine:
    """One server. Its disk is a folder, which outlives a power cut."""

    def __init__(self, disk: Path, log: Path) -> None:
        self.disk = disk
        self._log = log
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.leader = 0

    def make(self, archive: Path) -> None:
        """Put a fresh system onto an empty disk."""
        if self.disk.exists():
            shutil.rmtree(self.disk)
        self.disk.mkdir(parents=True)
        subprocess.run(["tar", "--extract", "--file", archive, "--directory", self.disk], check=True)

    def boot(self) -> None:
        """Start it and wait until its init answers.

        Raises:
            FailedError: it does not come up.
        """
        with self._log.open("ab") as log:
            self._nspawn = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-c", _BOOT, "boot", str(self.disk)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _BOOT_S
        while time.monotonic() < until:
            expect(self._nspawn.poll() is None, self._log.read_text(errors="replace")[-800:])
            self.leader = _child(self._nspawn.pid)
            if self.leader and self.run("systemctl is-system-running", check=False).strip() in {"running", "degraded"}:
                return
            time.sleep(0.3)
        expect(condition=False, found="the machine does not boot")

    def run(self, script: str, *, check: bool = True, stdin: str = "", timeout_s: float = 1800.0) -> str:
        """Run a shell script on the machine as its root and return what it printed, errors included.

        Raises:
            FailedError: it ended with another code than 0.
        """
        enter = ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        done = subprocess.run(
            [*enter, "--root", "--wd", "/bin/sh", "-c", script],
            input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=timeout_s, env=_ENVIRONMENT, errors="replace",
        )  # fmt: skip
        if check:
            expect(done.returncode == 0, f"{script}: {done.returncode}: {done.stdout}")
        return done.stdout

    def cut_power(self) -> None:
        """Kill every process of the machine at once, as a power cut does; nothing is flushed or told."""
        if self.leader:
            os.kill(self.leader, signal.SIGKILL)  # the init of a process namespace takes all others along
        self._gone(20)

    def shut_down(self) -> None:
        """Ask it to power off; kill it if it does not."""
        if self._nspawn is None or self._nspawn.poll() is not None:
            return
        os.kill(self.leader, signal.SIGRTMIN + 4)
        if not self._gone(60):
            say("    the machine did not shut down by itself")
            self.cut_power()

    def wipe(self) -> None:
        """Remove the disk."""
        if self.disk.exists():
            shutil.rmtree(self.disk)

    def _gone(self, seconds: float) -> bool:
        if self._nspawn is None:
            return True
        try:
            self._nspawn.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.leader = 0
        return True


def _child(pid: int) -> int:
    """Return the first child of a process, 0 if it has none."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    listed = children.read_text().split() if children.exists() else []
    return int(listed[0]) if listed else 0
