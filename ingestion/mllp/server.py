"""The listener: a bounded number of connections, a thread each, with TLS where the site has certificates."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestion.mllp.connection import Connection, Rules
from ingestion.mllp.writer import GroupWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

_BACKLOG: Final = 64
_HANDSHAKE_S: Final = 5.0
_LOOK_S: Final = 0.2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The door's certificate and key, and the authority of its clients' (None: clients need no certificate)."""

    certificate: Path
    key: Path
    client_authority: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what wraps each connection: TLS 1.2 or newer.

        Raises:
            OSError: a file is missing or holds no such thing.
        """
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.minimum_version = ssl.TLSVersion.TLSv1_2
        found.load_cert_chain(self.certificate, self.key)
        if self.client_authority is not None:
            found.load_verify_locations(self.client_authority)
            found.verify_mode = ssl.CERT_REQUIRED
        return found


class Server:
    """Listens until it is stopped."""

    def __init__(
        self,
        address: tuple[str, int],
        rules: Rules,
        *,
        clock: Callable[[], datetime],
        written: Callable[[], None],
        turned: Callable[[], None] = lambda: None,
        most_connections: int = 64,
        certificates: Certificates | None = None,
    ) -> None:
        """Take the address; nothing is accepted before `serve`.

        Args:
            address: host and port; port 0 takes a free one.
            rules: the bounds of each connection.
            clock: timezone-aware.
            written: called after each commit.
            turned: called each time the loop that accepts turns, a few times a second.
            most_connections: further ones are closed at once.
            certificates: for TLS; None speaks plainly.

        Raises:
            OSError: the address is taken, or a certificate cannot be read.
        """
        self._turned = turned
        self._tls = certificates.context() if certificates else None
        self._rules, self._clock, self._most = rules, clock, most_connections
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=_BACKLOG)
        self._listener.settimeout(_LOOK_S)
        self._writer = GroupWriter(clock=clock, written=written)
        self._threads: dict[int, tuple[threading.Thread, Connection]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._accepted = 0

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept until `stop`; returns when every message that was read is answered."""
        self._writer.start()
        while not self._stopping.is_set():
            self._turned()
            try:
                sock, _peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:  # no file handles left, or a connection that was gone again
                if not self._stopping.is_set():
                    logger.warning("a connection was not accepted (%s)", type(error).__name__)
                    self._stopping.wait(_LOOK_S)
                continue
            self._admit(sock)
        self._listener.close()
        with self._lock:
            served = list(self._threads.values())
        for _thread, connection in served:
            connection.stop()
        for thread, _connection in served:
            thread.join(10)
        self._writer.stop()

    def stop(self) -> None:
        """End `serve`; may be called from any thread or a signal handler."""
        self._stopping.set()

    def _admit(self, sock: socket.socket) -> None:
        self._accepted += 1
        number = self._accepted
        with self._lock:
            if len(self._threads) >= self._most:
                logger.warning("connection %d refused: %d are open", number, self._most)
                sock.close()
                return
            connection = Connection(sock, self._writer, self._rules, clock=self._clock, number=number)
            thread = threading.Thread(
                target=self._serve, args=(number, sock, connection), name=f"mllp-{number}", daemon=True
            )
            self._threads[number] = (thread, connection)
        thread.start()

    def _serve(self, number: int, sock: socket.socket, connection: Connection) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock.settimeout(_HANDSHAKE_S)
                connection.use(self._tls.wrap_socket(sock, server_side=True))
            connection.serve()
        except OSError as error:  # ssl.SSLError is one: no certificate, or no TLS at all
            logger.warning("connection %d refused (%s)", number, type(error).__name__)
            sock.close()
        finally:
            with self._lock:
                self._threads.pop(number, None)
