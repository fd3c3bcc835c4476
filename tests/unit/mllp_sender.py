"""A sender of HL7 v2 messages, and a door of its own for a test."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from ingestion.domain.v2.frames import Deframer, frame
from ingestion.mllp.connection import Rules
from ingestion.mllp.server import Server
from tests.factories import noon

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMITTED = ("ADT^A01^ADT_A01", ("EVN|A01|20260301", "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F", "PV1|1|I"))
MEASURED = (
    "ORU^R01^ORU_R01",
    (
        "PID|1||{number}^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
        "OBR|1|A{order}|B{order}|24326-1^Electrolytes^LN|||20260301080000",
        "OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^^UCUM|3.5-5.1||||{status}|||20260301080000",
    ),
)  # fmt: skip


def message(
    kind: tuple[str, tuple[str, ...]] = ADMITTED,
    *,
    control: str = "C1",
    processing: str = "P",
    version: str = "2.5.1",
    facility: str = "WEST",
    sent: str = "20260301120000+0000",
    accept: str = "",
    application: str = "",
    charset: str = "",
    **values: Any,
) -> bytes:
    """Return a message of one of the kinds above, with values filled in."""
    filled = {"number": "1001", "order": "1", "value": "4.1", "status": "F"} | values
    header = f"MSH|^~\\&|APP|{facility}|BOX|SITE|{sent}||{kind[0]}|{control}|{processing}|{version}"
    header += f"|||{accept}|{application}||{charset}"
    return "\r".join([header, *(line.format(**filled) for line in kind[1])]).encode() + b"\r"


_open: list[Sender] = []


class Sender:
    """One connection to the door; closed with the door at the latest."""

    def __init__(self, port: int, *, context: Any = None) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._frames = Deframer()
        self._held: list[bytes] = []
        _open.append(self)

    def send(self, raw: bytes) -> str:
        """Send one message in a frame and return the acknowledgement."""
        self.socket.sendall(frame(raw))
        return self.reply()

    def reply(self) -> str:
        """Return the next acknowledgement; "" when the door has closed the connection."""
        while not self._held:
            data = self.socket.recv(65536)
            if not data:
                return ""
            self._held += self._frames.feed(data)
        return self._held.pop(0).decode()

    def close(self) -> None:
        self.socket.close()


def code_of(reply: str) -> str:
    """Return MSA-1 of an acknowledgement."""
    return field(reply, "MSA", 1)


def field(reply: str, segment: str, number: int) -> str:
    line = next((one for one in reply.split("\r") if one.startswith(segment)), "")
    found = line.split("|")
    return found[number] if number < len(found) else ""


@contextlib.contextmanager
def door(rules: Rules | None = None, **more: Any) -> Iterator[Server]:
    """Serve on a free port until the block ends."""
    given = {"clock": noon, "written": lambda: None} | more
    server = Server(("127.0.0.1", 0), rules or Rules(production_only=False), **given)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(20)
        while _open:
            _open.pop().close()
        assert not thread.is_alive()
