"""Encryption of the record: AES-256-GCM under the patient's key, bound to the row it stands in."""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinical.models import DataKey, Patient
from clinical.ports import backends

if TYPE_CHECKING:
    from django.db.models import QuerySet

NONCE_BYTES: Final = 12
# The key of resources that belong to no patient (Practitioner, Organization, Medication ...).
SITE_KEY_ID: Final = UUID("00000000-0000-4000-8000-000000000001")


class KeyDestroyedError(Exception):
    """The key was destroyed; what stood under it is erased."""


@dataclass(frozen=True, slots=True)
class Cipher:
    """Encrypts and decrypts under one data key."""

    aead: AESGCM
    digest_key: bytes

    def encrypt(self, plaintext: bytes, *, binding: str) -> bytes:
        """Return nonce and ciphertext; `binding` names the row, so that rows cannot be swapped."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.aead.encrypt(nonce, plaintext, binding.encode())

    def decrypt(self, ciphertext: bytes | memoryview, *, binding: str) -> bytes:
        """Return the plaintext.

        Raises:
            cryptography.exceptions.InvalidTag: altered, swapped, or another key.
        """
        stored = bytes(ciphertext)
        return self.aead.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], binding.encode())

    def digest(self, text: str) -> str:
        """Return a digest of a text that means nothing without this patient's key."""
        return hmac.new(self.digest_key, text.encode(), hashlib.sha256).hexdigest()


def new_data_key(key_id: UUID | None = None) -> DataKey:
    """Make and store a data key."""
    row = DataKey(id=key_id) if key_id else DataKey()
    row.wrapped = backends().master_key.wrap(AESGCM.generate_key(bit_length=256), binding=str(row.id))
    row.save(force_insert=True)
    return row


@lru_cache(maxsize=4096)
def _cipher(key_id: UUID) -> Cipher:
    row = DataKey.objects.get(id=key_id)
    if row.destroyed_at is not None:
        raise KeyDestroyedError
    key = backends().master_key.unwrap(bytes(row.wrapped), binding=str(row.id))
    return Cipher(AESGCM(key), hashlib.sha256(b"digest" + key).digest())


def cipher_of(patient: Patient) -> Cipher:
    """Return the patient's cipher.

    Raises:
        KeyDestroyedError: the patient was erased.
    """
    return _cipher(patient.data_key_id)


def cipher_of_id(patient_id: UUID) -> Cipher:
    """Return the cipher of the patient with this id."""
    keys: QuerySet[Patient, UUID] = Patient.objects.values_list("data_key_id", flat=True)
    return _cipher(keys.get(id=patient_id))


def site_cipher() -> Cipher:
    """Return the cipher of resources that belong to no patient; makes its key on first use."""
    if not DataKey.objects.filter(id=SITE_KEY_ID).exists():
        new_data_key(SITE_KEY_ID)
    return _cipher(SITE_KEY_ID)


def forget_keys() -> None:
    """Drop the unwrapped keys held in memory: after a key was destroyed, and between tests."""
    _cipher.cache_clear()
