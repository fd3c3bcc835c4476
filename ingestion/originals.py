"""Original bytes: encrypted under a key each, in frames, so that a file of any size can be streamed."""

from __future__ import annotations

import hashlib
import io
import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinical.ports import backends
from ingestion.models import Original

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

FRAME_BYTES: Final = 1 << 20
INLINE_BYTES: Final = 64 * 1024
"""Up to this size an original may stand in its own row."""
_NONCE_BYTES: Final = 12
_LENGTH = struct.Struct(">I")


class OriginalDamagedError(Exception):
    """The stored object ends early or was altered."""


class FileChangedError(OSError):
    """The file was written to while it was being kept; nothing of it is held."""


def digest_of(file: BinaryIO) -> tuple[str, int]:
    """Return sha256 (hex) and size in bytes of a file, read from where it stands."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(FRAME_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def keep(file: BinaryIO, *, now: datetime) -> Original:
    """Store a file's bytes durably and return its row; bytes that are held already are not stored again.

    Raises:
        FileChangedError: the file changed between its two readings.
    """
    sha256, size = digest_of(file)
    held = Original.objects.filter(sha256=sha256).first()
    if held is not None:
        return held
    file.seek(0)
    key = AESGCM.generate_key(bit_length=256)
    wrapped = backends().master_key.wrap(key, binding=sha256)
    name = object_name(sha256, wrapped)
    backends().originals.put(name, _frames(file, AESGCM(key), sha256))
    row, created = Original.objects.get_or_create(
        sha256=sha256, defaults={"size": size, "wrapped_key": wrapped, "received_at": now}
    )
    if not created:  # another process kept the same bytes meanwhile, under its own key
        backends().originals.delete(name)
    return row


def sealed_row(content: bytes, *, now: datetime) -> Original:
    """Return the unsaved row of a small original, its bytes encrypted inside under a key of their own.

    It is durable when the caller's transaction is; deleting the row deletes the bytes.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    key = AESGCM.generate_key(bit_length=256)
    nonce = os.urandom(_NONCE_BYTES)
    return Original(
        sha256=sha256,
        size=len(content),
        wrapped_key=backends().master_key.wrap(key, binding=sha256),
        received_at=now,
        sealed=nonce + AESGCM(key).encrypt(nonce, content, _binding(sha256, 0, last=True)),
    )


def open_original(original: Original) -> BinaryIO:
    """Return the decrypted bytes as a buffered, forward-reading file."""
    key = backends().master_key.unwrap(bytes(original.wrapped_key), binding=original.sha256)
    if original.sealed:
        stood = bytes(original.sealed)
        binding = _binding(original.sha256, 0, last=True)
        return io.BytesIO(AESGCM(key).decrypt(stood[:_NONCE_BYTES], stood[_NONCE_BYTES:], binding))
    store = backends().originals
    try:
        stored = store.open(object_name(original.sha256, bytes(original.wrapped_key)))
    except KeyError:
        stored = store.open(original.sha256)  # kept before objects were named by their key too
    return io.BufferedReader(_Decrypting(stored, AESGCM(key), original.sha256), FRAME_BYTES)


def objects_of(original: Original) -> list[str]:
    """Return the names under which an original's bytes may lie in the store; none where the row has them."""
    if original.sealed:
        return []
    return [object_name(original.sha256, bytes(original.wrapped_key)), original.sha256]


def object_name(sha256: str, wrapped_key: bytes) -> str:
    """Name the object by its bytes and its key, so that two processes never overwrite each other's."""
    return f"{sha256}-{hashlib.sha256(wrapped_key).hexdigest()[:16]}"


def _frames(file: BinaryIO, aead: AESGCM, sha256: str) -> Iterator[bytes]:
    index, chunk, seen = 0, file.read(FRAME_BYTES), hashlib.sha256()
    while True:
        following = file.read(FRAME_BYTES) if chunk else b""
        seen.update(chunk)
        if not following and seen.hexdigest() != sha256:  # raised inside `put`, which then keeps nothing
            raise FileChangedError
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + aead.encrypt(nonce, chunk, _binding(sha256, index, last=not following))
        yield _LENGTH.pack(len(sealed)) + sealed
        if not following:
            return
        index, chunk = index + 1, following


def _binding(sha256: str, index: int, *, last: bool) -> bytes:
    return f"{sha256}:{index}:{int(last)}".encode()


class _Decrypting(io.RawIOBase):
    """Reads frames and yields plaintext; a missing last frame is an error, not an end.

    It can be read forward, and rewound to its beginning.
    """

    def __init__(self, stored: BinaryIO, aead: AESGCM, sha256: str) -> None:
        self._stored, self._aead, self._sha256 = stored, aead, sha256
        self._rewind()

    def _rewind(self) -> None:
        self._stored.seek(0)
        self._index, self._rest, self._ended, self._position = 0, b"", False, 0
        self._next = self._read_frame()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset == 0 and whence == io.SEEK_SET:
            self._rewind()
        elif not (offset == 0 and whence == io.SEEK_CUR) and not (offset == self._position and whence == io.SEEK_SET):
            raise io.UnsupportedOperation("an original is read forward, from its beginning")
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # writable buffer
        while not self._rest and not self._ended:
            self._rest = self._decrypt_next()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self._position += size
        return size

    def close(self) -> None:
        self._stored.close()
        super().close()

    def _read_frame(self) -> bytes:
        header = self._stored.read(_LENGTH.size)
        if not header:
            return b""
        return self._stored.read(_LENGTH.unpack(header)[0])

    def _decrypt_next(self) -> bytes:
        frame, self._next = self._next, self._read_frame()
        if not frame:
            raise OriginalDamagedError(self._sha256)
        self._ended = not self._next
        binding = _binding(self._sha256, self._index, last=self._ended)
        self._index += 1
        return self._aead.decrypt(frame[:_NONCE_BYTES], frame[_NONCE_BYTES:], binding)
