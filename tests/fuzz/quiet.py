"""Django's test client without what it leaves behind at each call.

It takes receivers off signals and puts them back, and each time a finaliser stays: a kilobyte a call, which would
be taken for a leak of the door's. What is raised inside a view is then not remembered by the client: its reply is
a 500.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections
from django.test import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.dispatch import Signal


class _Unchanged:
    """A signal that is sent as ever, and whose receivers stay as they are."""

    def __init__(self, signal: Signal) -> None:
        self.send = signal.send

    def connect(self, *_receiver: Any, **_more: Any) -> None:
        return

    def disconnect(self, *_receiver: Any, **_more: Any) -> None:
        return


@contextmanager
def quiet_client() -> Iterator[None]:
    """Keep the test's own database connections open, once for all calls instead of at each."""
    signals = {"request_started": request_started, "request_finished": request_finished}
    for name, signal in signals.items():
        signal.disconnect(close_old_connections)
        setattr(client, name, _Unchanged(signal))
    kept = vars(client)["got_request_exception"]
    vars(client)["got_request_exception"] = _Unchanged(got_request_exception)
    try:
        yield
    finally:
        vars(client)["got_request_exception"] = kept
        for name, signal in signals.items():
            setattr(client, name, signal)
            signal.connect(close_old_connections)
