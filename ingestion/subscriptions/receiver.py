"""What a notification changes, written before it is acknowledged.

The content decides, not the number: a repeated number whose content differs is taken in all the same, because taking in
twice changes nothing and leaving out loses something.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.db import transaction

from clinical.keys import site_cipher
from ingestion.domain.fhir_door.notification import HANDSHAKE, read_notification, server_of, short
from ingestion.domain.fhir_door.outcome import refused
from ingestion.domain.fhir_door.sequence import step
from ingestion.domain.items import ParseContext
from ingestion.models import Subscription, SubscriptionEvent
from ingestion.receive import receive

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion.domain.fhir_door.notification import Notification
    from ingestion.domain.fhir_door.sequence import Step
    from ingestion.models import IngestJob

_HERE = (SubscriptionEvent.State.RECEIVED, SubscriptionEvent.State.FETCHED)


def feed_of(subscription: Subscription) -> str:
    """Return the name of the subscription's feed."""
    return f"subscription:{subscription.name}"


def seal_secret(name: str, secret: str) -> bytes:
    """Return a secret as its row keeps it."""
    return site_cipher().encrypt(secret.encode(), binding=f"subscription {name}")


def secret_of(subscription: Subscription) -> bytes:
    """Return the secret that the sender shows or signs with."""
    return site_cipher().decrypt(subscription.secret, binding=f"subscription {subscription.name}")


def heard_nothing_but_a_change(subscription: Subscription, *, now: datetime) -> None:
    """Note an R4 notification without payload: something changed, and has to be asked for."""
    _seen(subscription.name, {"pull_due_since": now}, now=now)


def take_resource(subscription: Subscription, content: bytes, *, now: datetime) -> IngestJob:
    """Keep a bare resource of an R4 notification; durable with its job when this returns."""
    job = _keep(subscription, content, now=now)
    _seen(subscription.name, {}, now=now)
    return job


def take_notification(subscription: Subscription, content: bytes, *, now: datetime) -> Notification:
    """Keep what a notification brings and note its events; durable when this returns.

    Raises:
        RefusedError: it is malformed, or of another subscription; nothing of it is kept.
    """
    found = read_notification(content)
    if found.kind != HANDSHAKE and subscription.reference not in ("", short(found.subscription)):
        raise refused("other-subscription", "Bundle.entry[0].resource.parameter.where(name='subscription')")
    digest = hashlib.sha256(content).hexdigest()
    job = None
    if found.carries and not _is_repeat(subscription, found, digest):
        job = _keep(subscription, content, now=now)
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(name=subscription.name)
        taken = step(row.highest, [event.number for event in found.events], found.count)
        pull = _note_events(row, found, taken, digest, job, now=now)
        changed: dict[str, Any] = {"state": found.state, "highest": taken.highest}
        if found.kind == HANDSHAKE:
            changed["reference"] = short(found.subscription)
        if pull or taken.has_gap:
            changed["pull_due_since"] = now
        _seen(row.name, changed, now=now)
    return found


def _is_repeat(subscription: Subscription, found: Notification, digest: str) -> bool:
    """Return whether these very bytes came before, with the same events."""
    numbers = {event.number for event in found.events}
    if not numbers:
        return False
    rows = subscription.events.filter(number__in=numbers, state__in=_HERE, body_sha256=digest)
    return rows.count() == len(numbers)


def _keep(subscription: Subscription, content: bytes, *, now: datetime) -> IngestJob:
    context = ParseContext(server=subscription.server)
    return receive(BytesIO(content), name="notification.json", feed=feed_of(subscription), context=context, now=now)


def _note_events(
    row: Subscription, found: Notification, taken: Step, digest: str, job: IngestJob | None, *, now: datetime
) -> bool:
    """Write the events' rows; returns whether something has to be fetched."""
    state = SubscriptionEvent.State.RECEIVED if found.carries else SubscriptionEvent.State.TO_FETCH
    pull = False
    for event in found.events:
        place = _address(event.focus, row.server)
        values = {"focus": place[:255], "body_sha256": digest, "noted_at": now}
        held, created = SubscriptionEvent.objects.get_or_create(
            subscription=row, number=event.number, defaults=values | {"state": state, "job": job}
        )
        if not created and held.state not in _HERE:
            held.state, held.focus, held.body_sha256, held.job = state, place[:255], digest, job
            held.closed_at = now if state in _HERE else None
            held.save(update_fields=["state", "focus", "body_sha256", "job", "closed_at"])
        elif not created and job is not None:  # the same number with other content: it was taken in too
            held.body_sha256, held.job = digest, job
            held.save(update_fields=["body_sha256", "job"])
        pull |= held.state == SubscriptionEvent.State.TO_FETCH
    SubscriptionEvent.objects.bulk_create(
        [
            SubscriptionEvent(subscription=row, number=number, state=SubscriptionEvent.State.MISSING, noted_at=now)
            for number in taken.missing
        ],
        ignore_conflicts=True,
    )
    return pull


def _address(focus: str, server: str) -> str:
    """Return a focus as "Type/id" of the subscription's server, or with the other server that it names."""
    elsewhere = server_of(focus)
    return focus if elsewhere and elsewhere.rstrip("/") != server.rstrip("/") else short(focus)


def _seen(name: str, changed: dict[str, Any], *, now: datetime) -> None:
    """Note that the sender was heard; a catch-up that is due already stays due since then."""
    since = changed.pop("pull_due_since", None)
    Subscription.objects.filter(name=name).update(last_seen_at=now, **changed)
    if since is not None:
        Subscription.objects.filter(name=name, pull_due_since=None).update(pull_due_since=since)
