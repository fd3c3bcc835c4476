"""The wire form of server-sent events (WHATWG HTML, "Server-sent events")."""

from __future__ import annotations

import re
from typing import Final

from clinical.domain.visible import visible

CONTENT_TYPE: Final = "text/event-stream; charset=utf-8"
OPENING: Final = b"retry: 3000\n: open\n\n"
HEARTBEAT: Final = b": still here\n\n"
# These three end a line on the wire, and nothing else does.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def message(name: str, html: str) -> bytes:
    """Return one event; every line of the fragment becomes a data line, hidden characters their code points."""
    lines = "".join(f"data: {visible(line)}\n" for line in _LINE_END.split(html))
    return f"event: {name}\n{lines}\n".encode()
