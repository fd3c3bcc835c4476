"""A valid input, damaged a little: by value, by place, by byte."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any, Final

# Words of a patient who is nobody: they stand in every input, and may stand in no log and no row of the trail.
CANARY: Final = "Quixacanary"
ODD: Final[tuple[Any, ...]] = (
    None, "", " ", [], {}, 0, -1, 1e308, 1e400, 10**40, True, "x", "\u202e", "\x00", "\ud800", "x" * 5000, [None],
    {"a": None}, [[[]]], "2026-02-30", "2026-13-45T25:61:00Z", "NaN", "Patient/x", "#", f"{CANARY} {CANARY}",
    {"resourceType": "OperationOutcome"}, {"resourceType": "Bundle", "entry": {}}, {"reference": 7}, {"coding": "x"},
)  # fmt: skip
_PIECES: Final = (b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J", b"\xe2\x80\xae", b"<!ENTITY", b"%", b"{" * 300)
Place = tuple[Any, ...]


def places(value: Any, path: Place = ()) -> list[Place]:
    """Return the path of every value below."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in below for place in places(inner, (*path, key)))]


def altered_value(value: Any, chance: Random, *, odd: tuple[Any, ...] = ODD) -> Any:
    """Return a copy with one to three of its values changed, dropped, doubled or moved."""
    changed = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        found = [place for place in places(changed) if place]
        if not found:
            return chance.choice(odd)
        *above, last = chance.choice(found)
        holder = changed
        for key in above:
            holder = holder[key]
        what = chance.random()
        if what < 0.2:
            del holder[last]
        elif what < 0.3 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        elif what < 0.4:
            holder[last] = copy.deepcopy(_at(changed, chance.choice(found)))
        elif what < 0.5 and isinstance(holder, dict):
            holder[chance.choice(("extension", "id", "", "x" * 300, CANARY))] = holder.pop(last)
        else:
            holder[last] = copy.deepcopy(chance.choice(odd))
    return changed


def _at(value: Any, place: Place) -> Any:
    for key in place:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def altered_json(value: Any, chance: Random, *, odd: tuple[Any, ...] = ODD) -> bytes:
    """Return JSON with values changed; a fifth of the time with damaged bytes too."""
    content = json.dumps(altered_value(value, chance, odd=odd)).encode()
    return altered_bytes(content, chance) if chance.random() < 0.2 else content


def altered_bytes(content: bytes, chance: Random, *, from_: int = 0) -> bytes:
    """Return bytes with one to six of them flipped, cut, doubled, or something put between."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 6))):
        at = chance.randrange(from_, len(changed) + 1) if len(changed) > from_ else len(changed)
        match chance.randrange(5):
            case 0 if at < len(changed):
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.choice((1, 3, 40, 2000))]
            case 2:
                changed[at:at] = changed[at : at + chance.choice((1, 20, 400))] * chance.choice((1, 2, 9))
            case 3:
                changed[at:at] = chance.choice(_PIECES)
            case _:
                changed[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 4))))
    return bytes(changed[: 4 * len(content) + 4096])


def altered_text(content: bytes, chance: Random, tokens: tuple[bytes, ...], *, from_: int = 0) -> bytes:
    """Return a text of a grammar with its tokens swapped, doubled or taken out: most of it stays readable."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        token, other = chance.choice(tokens), chance.choice(tokens)
        found = [at for at in _found(changed, token) if at >= from_]
        if not found:
            continue
        at = chance.choice(found)
        put = {0: b"", 1: other, 2: token * chance.choice((2, 3, 50)), 3: token + other}[chance.randrange(4)]
        changed[at : at + len(token)] = put
    return bytes(changed)


def _found(content: bytearray, token: bytes) -> list[int]:
    found, at = [], content.find(token)
    while at >= 0:
        found.append(at)
        at = content.find(token, at + 1)
    return found
