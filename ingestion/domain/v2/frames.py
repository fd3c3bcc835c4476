"""MLLP framing: messages out of a byte stream, however the network cut it.

Source: HL7 v2 Transport Specification, Minimal Lower Layer Protocol release 1: `<VT> message <FS><CR>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c"
_AFTER_END: Final = b"\r\n"
_HEADER_BYTES: Final = 4096


class FrameTooLongError(Exception):
    """A message passed the size limit before its end block; the connection cannot be trusted any more."""


@dataclass(slots=True)
class Deframer:
    """Collects bytes as they arrive and gives whole messages, in order.

    Tolerant where senders are sloppy: a missing CR after the end block, CR or LF between messages, and a
    new start block before the end block of the former (whose message is then given as it stands).
    `limit` is the largest message in bytes.
    """

    limit: int = 16 * 2**20
    noise: int = 0  # bytes outside any frame, line ends aside
    _buffer: bytearray = field(default_factory=bytearray)
    _inside: bool = False

    @property
    def pending(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._inside

    def begun(self) -> bytes:
        """Return what has come of the message that has not ended, at most 4 kB: enough for its header."""
        return bytes(self._buffer[:_HEADER_BYTES]) if self._inside else b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take in bytes and return the messages they complete.

        Raises:
            FrameTooLongError: the message that is being received is larger than the limit.
        """
        self._buffer += data
        found: list[bytes] = []
        while (message := self._next()) is not None:
            if message.strip():
                found.append(message)
        if self._inside and len(self._buffer) > self.limit:
            raise FrameTooLongError
        return found

    def _next(self) -> bytes | None:
        if not self._inside and not self._enter():
            return None
        end, restart = self._buffer.find(END), self._buffer.find(START)
        if restart != -1 and (end == -1 or restart < end):
            return self._take(restart, restart)  # the next message begins: the end block was lost
        if end == -1:
            return None
        return self._take(end, end + 1)

    def _enter(self) -> bool:
        start = self._buffer.find(START)
        skipped = self._buffer if start == -1 else self._buffer[:start]
        self.noise += sum(byte not in _AFTER_END for byte in skipped)
        del self._buffer[: len(skipped)]
        if start == -1:
            return False
        del self._buffer[:1]
        self._inside = True
        return True

    def _take(self, end: int, rest: int) -> bytes:
        if end > self.limit:
            raise FrameTooLongError
        message = bytes(self._buffer[:end])
        del self._buffer[:rest]
        self._inside = False
        return message


def frame(message: bytes) -> bytes:
    """Return a message between start block and end block."""
    return START + message + END + b"\r"
