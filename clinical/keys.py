"""Encryption of the record: AES-256-GCM under the patient's key, bound to the row it stands in."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinical.models import DataKey, Patient
from clinical.ports import backends

if TYPE_CHECKING:
    from datetime import datetime

NONCE_BYTES: Final = 12
KEPT_S: Final = 600.0
"""Seconds after which a process drops the unwrapped keys it holds, at the next use of any."""
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
        stored = ciphertext if isinstance(ciphertext, bytes) else bytes(ciphertext)
        return self.aead.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], binding.encode())

    def digest(self, text: str) -> str:
        """Return a digest of a text that means nothing without this patient's key."""
        return hmac.new(self.digest_key, text.encode(), hashlib.sha256).hexdigest()


def new_data_key() -> DataKey:
    """Make and store a data key."""
    row = DataKey()
    row.wrapped = backends().master_key.wrap(AESGCM.generate_key(bit_length=256), binding=str(row.id))
    row.save(force_insert=True)
    return row


def new_data_keys(count: int) -> list[DataKey]:
    """Make and store so many data keys with one statement."""
    rows = [DataKey() for _ in range(count)]
    for row in rows:
        row.wrapped = backends().master_key.wrap(AESGCM.generate_key(bit_length=256), binding=str(row.id))
    return DataKey.objects.bulk_create(rows)


@lru_cache(maxsize=4096)
def _cipher(key_id: UUID, _period: int) -> Cipher:
    row = DataKey.objects.get(id=key_id)
    if not row.wrapped:
        raise KeyDestroyedError
    return _unwrapped(row)


def _unwrapped(row: DataKey) -> Cipher:
    key = backends().master_key.unwrap(bytes(row.wrapped), binding=str(row.id))
    return Cipher(AESGCM(key), hashlib.sha256(b"digest" + key).digest())


def _usable(key_id: UUID, destroyed_at: datetime | None) -> Cipher:
    """Return the cipher unless the key is destroyed; `destroyed_at` was read from the database just now.

    Another process may have destroyed a key that this one has unwrapped. So the state is asked for at each
    use (one look at one row), and only the unwrapping is remembered.
    """
    if destroyed_at is not None:
        forget_keys()
        raise KeyDestroyedError
    return _cipher(key_id, _period())


def _period() -> int:
    """Return the number of the current period; what was unwrapped in an earlier one is dropped."""
    period = int(time.monotonic() / KEPT_S)
    if period != _periods[-1]:
        forget_keys()
        _periods[-1] = period
    return period


_periods = [0]


def cipher_of(patient: Patient) -> Cipher:
    """Return the patient's cipher.

    A patient who was loaded together with his key (`select_related`) is taken at that; he is not asked for again.

    Raises:
        KeyDestroyedError: the patient was erased.
    """
    if "data_key" in patient._state.fields_cache:
        return _usable(patient.data_key_id, patient.data_key.destroyed_at)
    states = DataKey.objects.filter(id=patient.data_key_id).values_list("destroyed_at", flat=True)
    return _usable(patient.data_key_id, states.get())


def cipher_of_id(patient_id: UUID) -> Cipher:
    """Return the cipher of the patient with this id.

    Raises:
        KeyDestroyedError: the patient was erased.
        Patient.DoesNotExist: as before, and nothing of him is held.
    """
    key_id, destroyed_at = Patient.objects.values_list("data_key_id", "data_key__destroyed_at").get(id=patient_id)
    return _usable(key_id, destroyed_at)


def cipher_for_erasing(key: DataKey) -> Cipher | None:
    """Return the cipher of a patient who is being erased, to find him in what he shares; None when it is gone.

    A key is marked destroyed first, which ends every use of it, and its bytes go last.
    """
    return _unwrapped(key) if key.wrapped else None


def site_cipher() -> Cipher:
    """Return the cipher of resources that belong to no patient; makes its key on first use.

    Its id is the same everywhere, its key is not: what was made in a transaction that was taken back, or stood here
    before a restore, must not be used again. So what is remembered is remembered by the wrapped key that is held now.
    """
    wrapped = _site_key()
    if wrapped is None:
        made = backends().master_key.wrap(AESGCM.generate_key(bit_length=256), binding=str(SITE_KEY_ID))
        # Another process may be making it just now: the first one counts.
        DataKey.objects.bulk_create([DataKey(id=SITE_KEY_ID, wrapped=made)], ignore_conflicts=True)
        wrapped = _site_key()
    if not wrapped:
        raise KeyDestroyedError
    return _site_cipher(bytes(wrapped), _period())


def _site_key() -> bytes | memoryview | None:
    return DataKey.objects.filter(id=SITE_KEY_ID).values_list("wrapped", flat=True).first()


@lru_cache(maxsize=1)
def _site_cipher(wrapped: bytes, _period: int) -> Cipher:
    return _unwrapped(DataKey(id=SITE_KEY_ID, wrapped=wrapped))


def forget_keys() -> None:
    """Drop the unwrapped keys held in memory: after a key was destroyed, and between tests."""
    _cipher.cache_clear()
    _site_cipher.cache_clear()
