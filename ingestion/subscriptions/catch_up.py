"""Fetches what notifications only named, and the events that did not come, from the site's EHR.

R4 notifications name nothing: there the subscription's criteria are searched.

Source: Subscriptions R5 Backport implementation guide 1.1.0, operation $events.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from io import BytesIO
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from clinical.ports import BackendUnavailableError
from ingestion.domain.fhir_door.outcome import RefusedError
from ingestion.domain.items import ParseContext
from ingestion.models import Subscription, SubscriptionEvent
from ingestion.receive import receive
from ingestion.subscriptions.receiver import feed_of, take_notification
from ingestion.subscriptions.search import search_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from datetime import datetime

MOST_AT_ONCE: Final = 200
FIRST_REST_S: Final = 60.0
LONGEST_REST_S: Final = 900.0
LEFT_OUT: Final = "its server has not answered lately"
_GONE: Final = 410  # HTTP: it was there, and is no longer
_State = SubscriptionEvent.State
_log = logging.getLogger(__name__)


class Ehr(Protocol):
    """A FHIR server of the site that may be read."""

    def read(self, path: str) -> bytes:
        """Return what GET of a path below the server's base gives.

        Raises:
            LookupError: there is no such resource (404), or no longer (410); the status is its argument.
            BackendUnavailableError: anything else went wrong.
        """


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a catch-up did: events fetched, events that the server no longer has, and events still open."""

    fetched: int
    gone: int
    left: int


def ehr_for(server: str) -> Ehr | None:
    """Return the EHR of a base URL as the box provides it; None where none is configured."""
    find: Callable[[str], Ehr | None] = import_string(settings.INGESTION_EHR)
    return find(server)


def catch_up(subscription: Subscription, ehr: Ehr, *, clock: Callable[[], datetime]) -> CaughtUp:
    """Fetch what is open of one subscription. What fails stays due and is tried again the next time.

    Args:
        subscription: its rows say what is open.
        ehr: the server that the subscription is at; nothing is asked of any other.
        clock: timezone-aware.

    Raises:
        BackendUnavailableError: the server does not answer; what was fetched before is kept.
    """
    if subscription.kind == Subscription.Kind.R4:
        return CaughtUp(search_changed(subscription, ehr, clock=clock), 0, 0)
    fetched = gone = 0
    if subscription.reference and _numbers(subscription):
        _ask_for_events(subscription, ehr, now=clock())
    for event in subscription.events.filter(state=_State.TO_FETCH).exclude(focus="").order_by("number")[:MOST_AT_ONCE]:
        if "://" in event.focus or event.focus.startswith("urn:"):
            continue  # on another server: the token is not for it
        try:
            content = ehr.read(event.focus)
        except LookupError as error:
            gone += 1
            if _GONE in error.args:
                _take(subscription, event, _deletion(event.focus), now=clock())
            else:  # never there, or hidden from this client
                _close(event, now=clock())
            continue
        _take(subscription, event, content, now=clock())
        fetched += 1
    left = subscription.events.filter(state__in=(_State.TO_FETCH, _State.MISSING)).count()
    if not left:
        Subscription.objects.filter(name=subscription.name).update(pull_due_since=None)
    return CaughtUp(fetched, gone, left)


def _numbers(subscription: Subscription) -> list[int]:
    """Return the numbers of which nothing is known but that they exist."""
    open_events = subscription.events.filter(state__in=(_State.TO_FETCH, _State.MISSING), focus="")
    return list(open_events.order_by("number").values_list("number", flat=True)[:MOST_AT_ONCE])


def _ask_for_events(subscription: Subscription, ehr: Ehr, *, now: datetime) -> None:
    numbers = _numbers(subscription)
    query = f"eventsSinceNumber={numbers[0]}&eventsUntilNumber={numbers[-1]}&content=full-resource"
    try:
        take_notification(subscription, ehr.read(f"{subscription.reference}/$events?{query}"), now=now)
    except LookupError:
        _log.warning("subscription %s: the server has no $events", subscription.name)
    except RefusedError as error:
        _log.warning("subscription %s: $events is answered with what is no notification: %s", subscription.name, error)


def _take(subscription: Subscription, event: SubscriptionEvent, content: bytes, *, now: datetime) -> None:
    context = ParseContext(server=subscription.server)
    event.job = receive(BytesIO(content), name="fetched.json", feed=feed_of(subscription), context=context, now=now)
    _close(event, now=now)


def _deletion(focus: str) -> bytes:
    """Return the request that deletes what the server says was deleted there."""
    entry = {"request": {"method": "DELETE", "url": focus}}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()


def _close(event: SubscriptionEvent, *, now: datetime) -> None:
    event.state, event.closed_at = _State.FETCHED, now
    event.save(update_fields=["state", "closed_at", "job"])


def catch_up_all(*, clock: Callable[[], datetime], leave_out: Container[str] = ()) -> dict[str, str]:
    """Fetch what is open of every subscription that is on; returns what became of each that was due, by name.

    A server that has not answered is not asked for a second subscription.

    Args:
        clock: timezone-aware.
        leave_out: servers that are not asked this time.
    """
    told: dict[str, str] = {}
    silent: set[str] = set()
    for subscription in Subscription.objects.filter(is_on=True, pull_due_since__isnull=False):
        if subscription.server in leave_out or subscription.server in silent:
            told[subscription.name] = LEFT_OUT
            continue
        try:
            ehr = ehr_for(subscription.server)
            if ehr is None:
                told[subscription.name] = "no server is configured"
                continue
            done = catch_up(subscription, ehr, clock=clock)
            told[subscription.name] = f"fetched {done.fetched}, gone {done.gone}, left {done.left}"
        except BackendUnavailableError as error:
            silent.add(subscription.server)
            told[subscription.name] = str(error)
    _note_silent(silent, set(Subscription.objects.values_list("server", flat=True)) - silent)
    return told


def servers_to_rest() -> frozenset[str]:
    """Return the servers that have not answered this process lately: each pause is twice the last, up to 15 minutes."""
    return frozenset(server for server, (until, _) in _resting.items() if monotonic() < until)


def _note_silent(silent: Iterable[str], others: Iterable[str]) -> None:
    resting = servers_to_rest()
    for server in others:
        if server not in resting:
            _resting.pop(server, None)
    for server in silent:
        pause = min(2 * _resting.get(server, (0.0, FIRST_REST_S / 2))[1], LONGEST_REST_S)
        _resting[server] = (monotonic() + pause, pause)


_resting: dict[str, tuple[float, float]] = {}
