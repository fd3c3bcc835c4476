"""Which kind of process may reach what. What is not listed here is a finding."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from appliance.proof.shapes import Call
from appliance.proof.trace import attempts, kind_of, parents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from appliance.proof.trace import Attempt

CALLERS: Final = "the callers"
"""Who plays browser, EHR and supervisor in the journey: it knocks at every door."""
COMMAND: Final = "manage.py"
CANARY: Final = "canary as "
_BACKENDS: Final = ("redis", "vectors", "vllm")
_MAY: Final[dict[str, tuple[str, ...]]] = {
    "redis": (),
    "vectors": (),
    "worker": ("redis", "vectors"),
    "web": _BACKENDS,
    "machines": _BACKENDS,
    "mllp": ("redis",),
    "vllm": ("vllm",),
    COMMAND: _BACKENDS,
    CALLERS: (*_BACKENDS, "web", "machines", "mllp"),
}
_KERNEL: Final = {"AF_NETLINK": "the kernel itself", "AF_UNSPEC": "lets go of an address"}
# Local daemons that answer over sockets in the file system, which reach past a network namespace.
MASKED: Final = ("/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon", "/run/uuidd")
_NOBODY: Final = frozenset({"ENOENT", "ECONNREFUSED", "EACCES"})
_LOOPBACK: Final = ("127.", "[::1]", "[::ffff:127.")
_SCRATCH: Final = ("/tmp/", "/run/user/")  # noqa: S108 - where the model server's own parts meet


def calls(lines: Sequence[str], kinds: Mapping[int, str], endpoints: Mapping[str, str], folder: str) -> list[Call]:
    """Return every attempt to reach something, counted by kind of process and destination.

    Args:
        lines: what strace wrote.
        kinds: kinds of the processes that are known by their id.
        endpoints: address of each service of the run, to its name.
        folder: of the run; sockets in it are its own.
    """
    started = parents(lines)
    counted: Counter[tuple[str, str, bool, str, str]] = Counter()
    for one in attempts(lines):
        kind = kind_of(one.pid, kinds, started)
        allowed, about = _judged(kind, one, endpoints, folder)
        counted[kind, one.place, allowed, about, one.outcome] += 1
    return sorted(
        Call(kind, place, may, about, count, end) for (kind, place, may, about, end), count in counted.items()
    )


def _judged(kind: str, one: Attempt, endpoints: Mapping[str, str], folder: str) -> tuple[bool, str]:
    if one.place in _KERNEL:
        return True, _KERNEL[one.place]
    if one.place.startswith("unix:"):
        return _judged_socket(kind, one, folder)
    name = endpoints.get(one.place, "")
    if name in _MAY.get(_family(kind), ()):
        return True, name
    if kind == "vllm" and one.place.startswith(_LOOPBACK):
        return True, "its own parts, on loopback"
    if one.place.endswith(":0") and one.place.startswith(_LOOPBACK):
        return True, "sorts addresses; nothing is sent"
    return False, name or "not on the list"


def _judged_socket(kind: str, one: Attempt, folder: str) -> tuple[bool, str]:
    path = one.place.removeprefix("unix:")
    if path.removeprefix("/var").startswith(MASKED):
        return one.outcome in _NOBODY, "a daemon of this machine, taken away for the run"
    if path.startswith(folder):
        return True, "a socket of the run"
    if kind == "vllm" and path.startswith(_SCRATCH):
        return True, "its own parts"
    return False, "a socket not on the list"


def _family(kind: str) -> str:
    return COMMAND if kind.startswith(COMMAND) else kind
