"""The signers' keys: made once on a machine without network, the root's kept apart, as PEM files.

root-1.pem root-2.pem root-3.pem    two of them must sign the root; kept apart, needed once in years
targets.pem snapshot.pem timestamp.pem    needed for every medium
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT_KEYS: Final = ("root-1", "root-2", "root-3")
ROOT_THRESHOLD: Final = 2
SIGNING_ROLES: Final = ("targets", "snapshot", "timestamp")


class KeyFileError(Exception):
    """A key file is missing, exists already, or cannot be opened with this passphrase."""


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """A folder of key files; an empty passphrase means that they are not encrypted (for tests)."""

    folder: Path
    passphrase: bytes = b""

    def make(self) -> list[Path]:
        """Make every key and return the files.

        Raises:
            KeyFileError: one exists already; it is never overwritten.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return [self._make(name) for name in (*ROOT_KEYS, *SIGNING_ROLES)]

    def signer(self, name: str) -> CryptoSigner:
        """Return what signs with one key.

        Raises:
            KeyFileError: the file is missing or does not open.
        """
        path = self.folder / f"{name}.pem"
        try:
            key = load_pem_private_key(path.read_bytes(), self.passphrase or None)
        except FileNotFoundError:
            raise KeyFileError(f"{path} is missing") from None
        except (ValueError, TypeError):
            raise KeyFileError(f"{path} does not open with this passphrase") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError(f"{path} is no Ed25519 key")
        return CryptoSigner(key)

    def signers(self, names: Sequence[str]) -> list[CryptoSigner]:
        """Return what signs with each of several keys."""
        return [self.signer(name) for name in names]

    def _make(self, name: str) -> Path:
        how = BestAvailableEncryption(self.passphrase) if self.passphrase else NoEncryption()
        content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)
        path = self.folder / f"{name}.pem"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyFileError(f"{path} exists already") from None
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return path
