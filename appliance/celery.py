"""The queue: Celery over Redis. Messages carry ids only; losing them loses nothing."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery import Celery, bootsteps
from celery.signals import worker_init
from kombu.exceptions import OperationalError

from appliance.config import config, use_settings_module
from appliance.precedence import Place, take_place
from appliance.restoring import refuse_while_restoring

use_settings_module()


TIMED: Final = {"ingestion.sweep": config().sweep_s, "ingestion.catch_up": 60.0, "ingestion.look_out": 60.0}
"""Seconds between two runs of each task that is due by the clock."""

logger = logging.getLogger(__name__)
app = Celery("appliance")
app.conf.update(
    broker_url=config().redis_url,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,  # redelivery is harmless: a task looks at the ledger, not at the message
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 600, "socket_connect_timeout": 2},
)
app.autodiscover_tasks(["ingestion"])


class Clock(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Sends what is due by the clock from the worker's own loop, anew after each lost connection.

    A clock in a process of its own can be killed while the worker lives on, and nobody would look at the ledger any
    more. With several workers each sends; a task that finds nothing due costs one query.
    """

    def __init__(self, consumer: Any, **given: Any) -> None:  # noqa: ANN401
        self._timers: list[Any] = []
        super().__init__(consumer, **given)

    def start(self, consumer: Any) -> None:  # noqa: ANN401
        """Begin to send; the first time at once, since this worker or its queue may have been away."""
        for task, seconds in TIMED.items():
            _send(task, seconds)
            self._timers.append(consumer.timer.call_repeatedly(seconds, _send, (task, seconds)))

    def stop(self, consumer: Any) -> None:  # noqa: ANN401
        """Send no more."""
        del consumer
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def _send(task: str, seconds: float) -> None:
    try:  # worth nothing any more once the next two are due
        app.send_task(task, expires=2 * seconds, retry=False, ignore_result=True)
    except OperationalError:
        logger.warning("the queue did not take %s", task)


app.steps["consumer"].add(Clock)


@worker_init.connect
def _not_while_restoring(**_given: object) -> None:
    refuse_while_restoring()
    take_place(Place.WORKER)
