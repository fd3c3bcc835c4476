"""The signer's fingerprint: what an engineer reads from paper and types in.

It is the sha256, cut to 160 bits, over the public keys that may sign the root and how many of them must. It is made
from the keys themselves: key ids in the metadata are labels that whoever writes the metadata may choose.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuf.api.metadata import Root

# Crockford's alphabet: no I, L, O, U, so that nothing read from paper is taken for something else.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BYTES: Final = 20  # 160 bits: a second set of keys with the same fingerprint is out of reach
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})


class WeakRootError(ValueError):
    """One key stands under several ids in the root, so that one signer could pass for several."""


def fingerprint(root: Root) -> str:
    """Return the fingerprint as eight groups of four characters.

    Raises:
        WeakRootError: the same public key is listed twice.
    """
    role = root.roles["root"]
    keys = [(key.keytype, key.scheme, str(key.keyval["public"])) for key in map(root.keys.__getitem__, role.keyids)]
    if len(set(keys)) != len(keys):
        raise WeakRootError("the root lists one key under several ids")
    stated = json.dumps({"keys": sorted(keys), "threshold": role.threshold}, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(stated.encode()).digest()[:_BYTES], "big")
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(_BYTES * 8 - 5, -1, -5))
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def same(typed: str, true: str) -> bool:
    """Return whether what was typed is this fingerprint; case, blanks and dashes do not count."""
    return _plain(typed) == _plain(true)


def _plain(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper().translate(_MISREAD)
