"""One sender: frames in, acknowledgements out, in the order of the messages.

A message is acknowledged after it is on disk, or told why it is not; a frame that does not end, or is too long,
is told so and ends the connection, because what follows cannot be trusted to be a message.
"""

from __future__ import annotations

import io
import logging
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection as database

from ingestion.domain.v2.acknowledge import Verdict, acknowledge, application_acknowledge
from ingestion.domain.v2.frames import Deframer, FrameTooLongError, frame
from ingestion.mllp.application import Applications
from ingestion.mllp.judge import UNREADABLE, Judgement, judge
from ingestion.mllp.writer import NotKeptError
from ingestion.originals import INLINE_BYTES, keep
from ingestion.receive import Arrival

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from ingestion.mllp.writer import GroupWriter

_READ_BYTES: Final = 64 * 1024
_TICK_S: Final = 0.5
_SOON_S: Final = 0.05
_NOT_KEPT: Final = "not-stored"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """The bounds of a connection; times in seconds, sizes in bytes.

    `idle_s` is how long a sender may say nothing, `message_s` how long one message may take from its first
    byte to its last, `store_s` how long the disk may take before the sender is asked to send it again.
    """

    production_only: bool
    message_bytes: int = 16 * 2**20
    idle_s: float = 3600.0
    message_s: float = 30.0
    store_s: float = 20.0


class Connection:
    """Serves one connected socket until it ends, falls silent, or is asked to stop."""

    def __init__(
        self, sock: socket.socket, writer: GroupWriter, rules: Rules, *, clock: Callable[[], datetime], number: int
    ) -> None:
        """Prepare.

        Args:
            sock: connected, TLS done where there is any.
            writer: of all connections.
            rules: the bounds.
            clock: timezone-aware.
            number: of this connection since the start, for control ids and logs.
        """
        self._socket, self._writer, self._rules, self._clock = sock, writer, rules, clock
        self._number, self._sent = number, 0
        self._deframer = Deframer(limit=rules.message_bytes)
        self._applications = Applications()
        self._stopping = False

    def use(self, sock: socket.socket) -> None:
        """Go on over this socket, which wraps the one that was accepted."""
        self._socket = sock

    def stop(self) -> None:
        """End after the messages that are being worked on."""
        self._stopping = True

    def serve(self) -> None:
        """Serve to the end; closes the socket."""
        try:
            self._socket.settimeout(_TICK_S)
            self._serve()
        except OSError as error:
            logger.info("connection %d ended (%s)", self._number, type(error).__name__)
        finally:
            self._socket.close()
            database.close()

    def _serve(self) -> None:
        heard, begun = time.monotonic(), None
        while not self._stopping:
            now = time.monotonic()
            if begun is not None and now - begun > self._rules.message_s:
                self._refuse(Verdict.ERROR, "incomplete-message")
                return
            if now - heard > self._rules.idle_s:
                logger.info("connection %d was idle for %.0f s", self._number, now - heard)
                return
            self._tell_what_became()
            try:
                data = self._socket.recv(_READ_BYTES)
            except TimeoutError:
                continue
            if not data:
                if self._deframer.pending:
                    logger.warning("connection %d ended inside a message", self._number)
                return
            heard = time.monotonic()
            try:
                messages = self._deframer.feed(data)
            except FrameTooLongError:
                self._refuse(Verdict.REJECT, "message-too-large")
                return
            self._work(messages)
            if not self._deframer.pending:
                begun = None
            elif messages or begun is None:
                begun = time.monotonic()

    def _work(self, messages: list[bytes]) -> None:
        """Store all that came together, then answer in order."""
        for judgement, stored in [self._store(raw) for raw in messages]:
            verdict, reason, place = judgement.verdict, judgement.reason, judgement.place
            if stored is not None:
                try:
                    self._applications.expect(stored.result(self._rules.store_s), judgement.message)
                except (NotKeptError, FutureTimeoutError):
                    verdict, reason, place = Verdict.ERROR, _NOT_KEPT, ""
            if verdict is not Verdict.ACCEPT:
                logger.warning("connection %d, %s: %s at %s", self._number, judgement.feed, reason, place or "-")
            self._answer(judgement, verdict, reason, place)

    def _store(self, raw: bytes) -> tuple[Judgement, Future[int] | None]:
        judgement = self._judged(raw)
        if judgement.verdict is not Verdict.ACCEPT:
            return judgement, None
        try:
            original = None if len(raw) <= INLINE_BYTES else keep(io.BytesIO(raw), now=self._clock())
            content = raw if original is None else b""
            return judgement, self._writer.submit(Arrival(content, "message.hl7", judgement.feed, original))
        except Exception as error:  # a full disk, a lost database: the sender has to keep his message
            logger.error("connection %d: not kept (%s)", self._number, type(error).__name__)  # noqa: TRY400 - may quote
            failed: Future[int] = Future()
            failed.set_exception(NotKeptError())
            return judgement, failed

    def _judged(self, raw: bytes) -> Judgement:
        try:
            return judge(raw, production_only=self._rules.production_only)
        except Exception as error:  # a message nobody foresaw must not end the sender's connection without a word
            logger.error("connection %d: not readable (%s)", self._number, type(error).__name__)  # noqa: TRY400 - may quote
            return Judgement(Verdict.ERROR, None, UNREADABLE, "reading-failed")

    def _tell_what_became(self) -> None:
        """Send the application acknowledgements that are due, and look again soon while there are any."""
        for one in self._applications.finished():
            now, control_id = self._next_reply()
            reply = application_acknowledge(one.message, one.verdict, now=now, control_id=control_id, reason=one.reason)
            if reply.message is not None:
                self._socket.sendall(frame(reply.message.encode(one.message.codec, "replace")))
        self._socket.settimeout(_SOON_S if len(self._applications) else _TICK_S)

    def _next_reply(self) -> tuple[datetime, str]:
        self._sent += 1
        now = self._clock()
        return now, f"{now:%y%m%d%H%M%S}{self._number % 10_000:04d}{self._sent % 10_000:04d}"

    def _answer(self, judgement: Judgement, verdict: Verdict, reason: str, place: str) -> None:
        now, control_id = self._next_reply()
        reply = acknowledge(judgement.message, verdict, now=now, control_id=control_id, reason=reason, place=place)
        if reply.message is not None:
            codec = judgement.message.codec if judgement.message else "utf-8"
            self._socket.sendall(frame(reply.message.encode(codec, "replace")))

    def _refuse(self, verdict: Verdict, reason: str) -> None:
        """Answer a frame that is not a whole message as far as its header can be read."""
        begun = self._judged(self._deframer.begun())
        logger.warning("connection %d, %s: %s", self._number, begun.feed, reason)
        self._answer(begun, verdict, reason, "")
