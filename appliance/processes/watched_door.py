"""A door's worker under systemd's watchdog: gunicorn's `--worker-class appliance.processes.watched_door.Worker`."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from appliance.processes.watchdog import Watchdog


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's worker of many threads; each turn of its loop, which accepts and dispatches, is told."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._turned = Watchdog()

    def notify(self) -> None:
        """Tell gunicorn's own master and systemd."""
        super().notify()
        self._turned()
