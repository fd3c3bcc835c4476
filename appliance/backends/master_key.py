"""The site's master key, from the configuration's secret."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class ConfiguredMasterKey:
    """Implements clinical.ports.MasterKey with a 32-byte secret given as 64 hex digits."""

    def __init__(self, secret_hex: str) -> None:
        key = bytes.fromhex(secret_hex)
        if len(key) != 32:
            raise ValueError("the master key needs 64 hex digits")
        self._aead = AESGCM(hashlib.sha256(b"wrap" + key).digest())
        self._digest_key = hashlib.sha256(b"digest" + key).digest()

    def wrap(self, key: bytes, *, binding: str) -> bytes:
        """Return the key encrypted and bound to `binding`."""
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, key, binding.encode())

    def unwrap(self, wrapped: bytes, *, binding: str) -> bytes:
        """Return the key; raises InvalidTag when it was not wrapped so."""
        return self._aead.decrypt(wrapped[:12], wrapped[12:], binding.encode())

    def digest(self, text: str, *, purpose: str) -> str:
        """Return a keyed digest by which equal texts of one purpose can be found again."""
        return hmac.new(self._digest_key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()
