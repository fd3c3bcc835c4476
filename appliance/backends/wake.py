"""Wakes the Celery workers. The ledger is the truth; a lost message is found by the sweeper."""

from __future__ import annotations

import logging

from appliance.egress import listens

logger = logging.getLogger(__name__)


class CeleryWake:
    """Implements clinical.ports.WakeWorkers; the message carries a row id and nothing else."""

    def __call__(self, task: str, row_id: int) -> None:
        """Send; a queue that is down is logged and otherwise ignored."""
        from kombu.exceptions import OperationalError

        from appliance.celery import app

        # The client library tries for six seconds before it gives up; a door must not wait that long.
        if not listens(app.conf.broker_url):
            logger.warning("queue down; the sweeper will find row %d of %s", row_id, task)
            return
        try:
            app.send_task(task, kwargs={"row_id": row_id}, retry=False, ignore_result=True)
        except OperationalError:
            logger.warning("queue refused; the sweeper will find row %d of %s", row_id, task)
