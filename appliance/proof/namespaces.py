"""Whether this machine lets us make network namespaces and trace processes, and the words with which it is done."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import Final

from appliance.proof.trace import TRACED

_TRY_S: Final = 20.0
_NEW: Final = ("--net", "--mount")
_PROCESSES: Final = ("--pid", "--fork", "--kill-child", "--mount-proc")


@cache
def apart() -> tuple[str, ...]:
    """Return the words before a command that give it namespaces of its own: network, mounts, and processes if it may.

    Without root they need a user namespace, in which this user is root. A unit whose sandbox forbids a namespace of
    processes goes without: systemd ends what is left of it.
    """
    own_user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    least = ("unshare", *own_user, *_NEW)
    whole = (*least, *_PROCESSES)
    return whole if shutil.which("unshare") is None or not _failure(whole) else least


def why_not() -> str:
    """Return why namespaces cannot be had here, or "" if they can."""
    if shutil.which("unshare") is None:
        return "the program unshare (Debian package util-linux) is missing"
    return _failure(apart())


def why_not_traced() -> str:
    """Return why system calls cannot be traced in namespaces of their own, or "" if they can.

    There this user is root: a kernel that lets nobody else trace (Yama) lets it.
    """
    if shutil.which("strace") is None:
        return "the program strace (Debian package strace) is missing"
    done = subprocess.run(
        [*apart(), *tracing("/dev/null"), "true"], capture_output=True, text=True, timeout=_TRY_S, check=False
    )
    return done.stderr.strip() or f"strace ended with {done.returncode}" if done.returncode else ""


def tracing(file: str) -> list[str]:
    """Return the words before a command that trace it and all it starts.

    The kernel stops a process only at the calls named (seccomp). No content is written down: strings are cut to 0.
    """
    calls = ",".join(TRACED)
    return [
        "strace", "--follow-forks", "--seccomp-bpf", "--quiet=all", "--string-limit=0", f"--trace={calls}",
        "--signal=none", f"--output={file}",
    ]  # fmt: skip


def _failure(words: tuple[str, ...]) -> str:
    try:
        done = subprocess.run([*words, "true"], capture_output=True, text=True, timeout=_TRY_S, check=False)
    except subprocess.TimeoutExpired:
        return "making a namespace takes too long"
    return done.stderr.strip() or f"{words[0]} ended with {done.returncode}" if done.returncode else ""
