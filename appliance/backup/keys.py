"""The two keys of a backup: one the box signs with, one that only its owner can open it with.

Encryption is age (X25519, ChaCha20-Poly1305), so that a backup can be opened without this program:
`age -d -i IDENTITY sealed.age | tar x`.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pyrage import IdentityError, RecipientError, x25519

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.config import Config

SIGNATURE_SUFFIX: Final = ".sig"
_IDENTITY: Final = "backup_identity"


class KeyRefusedError(Exception):
    """A key is missing or is not one. `reason`: `no-recipient`, `bad-recipient`, `bad-identity`, `exists`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Signer:
    """Signs with the installation's own key."""

    def __init__(self, seed_hex: str) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed_hex))

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """Return the public key and the signature, 96 bytes."""
        return self.public + self._key.sign(content)


def fingerprint(public: bytes) -> str:
    """Return what a person compares: sha256 of the public key, in eight groups of four hex digits."""
    digest = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def signed_by(content: bytes, signature: bytes) -> str | None:
    """Return the fingerprint of the key that signed the content; None when the signature does not hold."""
    public, value = signature[:32], signature[32:]
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, content)
    except (InvalidSignature, ValueError):
        return None
    return fingerprint(public)


def recipient_of(settings: Config) -> x25519.Recipient:
    """Return whom backups are encrypted to; the embedded profile makes an identity of its own once.

    Raises:
        KeyRefusedError: `no-recipient` on a site that names none, `bad-recipient`.
    """
    if settings.backup_recipient:
        try:
            return x25519.Recipient.from_str(settings.backup_recipient)
        except RecipientError:
            raise KeyRefusedError("bad-recipient") from None
    if settings.profile == "site":
        raise KeyRefusedError("no-recipient")
    path = own_identity(settings)
    if not path.exists():
        new_identity(path)
    return read_identity(path).to_public()


def own_identity(settings: Config) -> Path:
    """Return where the embedded profile keeps the identity that it made."""
    return settings.var / "secrets" / _IDENTITY


def new_identity(path: Path) -> str:
    """Write a new identity (0600) and return its public key.

    Raises:
        KeyRefusedError: `exists`.
    """
    identity = x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{identity}\n")
    except FileExistsError:
        raise KeyRefusedError("exists") from None
    return str(identity.to_public())


def read_identity(path: Path) -> x25519.Identity:
    """Return the identity in a file; lines that begin with # are skipped, as age does.

    Raises:
        KeyRefusedError: `bad-identity`.
    """
    try:
        lines = path.read_text().splitlines()
        return x25519.Identity.from_str(next(line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")))
    except (OSError, ValueError, StopIteration, IdentityError):
        raise KeyRefusedError("bad-identity") from None
