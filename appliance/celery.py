"""The queue: Celery over Redis. Messages carry ids only; losing them loses nothing."""

from __future__ import annotations

from celery import Celery

from appliance.config import config, use_settings_module

use_settings_module()

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
    beat_schedule={
        "sweep the ledger": {"task": "ingestion.sweep", "schedule": config().sweep_s},
    },
    beat_schedule_filename=str(config().var / "celerybeat-schedule"),
)
app.autodiscover_tasks(["ingestion"])
