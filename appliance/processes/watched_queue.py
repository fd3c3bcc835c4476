"""The queue's worker under systemd's watchdog: `celery --app appliance.processes.watched_queue worker`.

Its loop turns only while it is connected to the queue: where Redis stays away for longer than the unit waits, the
worker is restarted, which costs nothing, because it has nothing to do then.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps

from appliance.celery import app
from appliance.processes.watchdog import Watchdog

__all__ = ["Turns", "app"]


class Turns(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Tells from the timer of the worker's own loop, anew after each lost connection."""

    def __init__(self, consumer: Any, **given: Any) -> None:  # noqa: ANN401
        self._timer: Any = None
        super().__init__(consumer, **given)

    def start(self, consumer: Any) -> None:  # noqa: ANN401
        """Begin to tell."""
        turned = Watchdog()
        if turned.every_s:
            turned()
            self._timer = consumer.timer.call_repeatedly(turned.every_s, turned)

    def stop(self, consumer: Any) -> None:  # noqa: ANN401
        """Tell no more."""
        del consumer
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


app.steps["consumer"].add(Turns)
