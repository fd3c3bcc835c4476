"""Wakes the Celery workers. The ledger is the truth; a lost message is found by the sweeper."""

from __future__ import annotations

import logging
import socket
from typing import Final
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

# The client library tries for six seconds before it gives up; a door must not wait that long.
PROBE_S: Final = 0.2


class CeleryWake:
    """Implements clinical.ports.WakeWorkers; the message carries a row id and nothing else."""

    def __call__(self, task: str, row_id: int) -> None:
        """Send; a queue that is down is logged and otherwise ignored."""
        from kombu.exceptions import OperationalError

        from appliance.celery import app

        if not _listening(app.conf.broker_url):
            logger.warning("queue down; the sweeper will find row %d of %s", row_id, task)
            return
        try:
            app.send_task(task, kwargs={"row_id": row_id}, retry=False, ignore_result=True)
        except OperationalError:
            logger.warning("queue refused; the sweeper will find row %d of %s", row_id, task)


def _listening(url: str) -> bool:
    """Return whether anything accepts connections at the broker's address."""
    parts = urlsplit(url)
    try:
        if parts.scheme == "redis+socket":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(PROBE_S)
                probe.connect(parts.path)
        else:
            socket.create_connection((parts.hostname or "", parts.port or 6379), PROBE_S).close()
    except OSError:
        return False
    return True
