"""Reads what strace wrote: which process tried to reach what. Only addresses are in it, no content."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STARTS: Final = ("clone", "clone3", "fork", "vfork")
# io_uring does its calls where no tracer sees them: whoever sets one up is named.
_UNSEEN: Final = "io_uring_setup"
TRACED: Final = ("connect", "sendto", "sendmsg", "sendmmsg", *_STARTS, _UNSEEN)
_LINE: Final = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
_CHILD: Final = re.compile(r"(?:= |=> \{parent_tid=\[)(\d+)\]?\}?(?:$| )")
_FAMILY: Final = re.compile(r"sa_family=(AF_\w+)")
_FOUR: Final = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([\d.]+)"\)')
_SIX: Final = re.compile(r'sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"')
_UNIX: Final = re.compile(r'sun_path=(@?)"([^"]*)"')
_OUTCOME: Final = re.compile(r"(-?\d+)(?: (E[A-Z0-9]+))?")
UNKNOWN: Final = "a process not known"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that names an address. `place` is `127.0.0.1:80`, `[::1]:80`, `unix:PATH`, `unix:@NAME` or a family."""

    pid: int
    call: str
    place: str
    outcome: str


def attempts(lines: Iterable[str]) -> Iterator[Attempt]:
    """Yield the calls that name an address, and each set-up of an io_uring."""
    begun: dict[int, Attempt] = {}
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        pid, call, rest = int(found[1]), found[2], found[3]
        if "resumed>" in line:
            if one := begun.pop(pid, None):
                yield replace(one, outcome=_outcome(rest))
        elif call == _UNSEEN:
            yield Attempt(pid, call, _UNSEEN, "")
        elif call not in _STARTS and (place := _place(rest)):
            one = Attempt(pid, call, place, _outcome(rest))
            if rest.endswith("<unfinished ...>"):
                begun[pid] = one
            else:
                yield one
    yield from begun.values()


def parents(lines: Iterable[str]) -> dict[int, int]:
    """Return who started each process or thread."""
    found: dict[int, int] = {}
    for line in lines:
        told = _LINE.match(line)
        if told and told[2] in _STARTS and (child := _CHILD.search(told[3])):
            found.setdefault(int(child[1]), int(told[1]))
    return found


def kind_of(pid: int, kinds: Mapping[int, str], parents: Mapping[int, int]) -> str:
    """Return the kind of the nearest ancestor that is known."""
    seen: set[int] = set()
    while pid not in kinds:
        seen.add(pid)
        if pid not in parents or parents[pid] in seen:
            return UNKNOWN
        pid = parents[pid]
    return kinds[pid]


def _place(rest: str) -> str:
    family = _FAMILY.search(rest)
    if family is None:
        return ""
    if four := _FOUR.search(rest):
        return f"{four[2]}:{four[1]}"
    if six := _SIX.search(rest):
        return f"[{six[2]}]:{six[1]}"
    if unix := _UNIX.search(rest):
        return f"unix:{unix[1]}{unix[2]}"
    return family[1]


def _outcome(rest: str) -> str:
    _, returned, told = rest.rpartition(" = ")
    found = _OUTCOME.match(told) if returned else None
    return "begun" if found is None else found[2] or "done"
