"""What an R4 notification without payload means: something of the criteria has changed, and has to be asked for.

The search goes back to where the last one began, and an hour further: clocks differ, and a notification that was lost
is made up for by the next. What is held already changes nothing. A search does not tell of deletions.

Source: HL7 FHIR R4 4.0.1, Subscription (criteria; search parameter url) and Search (_lastUpdated; Bundle.link next).
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from django.conf import settings
from django.db.models import Max

from clinical.ports import BackendUnavailableError
from ingestion.domain.items import ParseContext
from ingestion.models import Subscription, SubscriptionEvent
from ingestion.receive import receive
from ingestion.subscriptions.receiver import feed_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ingestion.subscriptions.catch_up import Ehr

MARGIN: Final = timedelta(hours=1)
MOST_PAGES: Final = 50
A_PAGE: Final = 200
_CRITERIA: Final = re.compile(r"[A-Z][A-Za-z]{1,63}(?:\?[^\s#]{0,1500})?")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def search_changed(subscription: Subscription, ehr: Ehr, *, clock: Callable[[], datetime]) -> int:
    """Ask for what has changed and keep it; returns how many entries came.

    Raises:
        BackendUnavailableError: the server does not answer, does not know the subscription, or what it says cannot be
            followed. The search stays due; the pages kept before are kept.
    """
    began = clock()
    path = _with_times(_criteria(subscription, ehr), _since(subscription))
    entries = 0
    for _ in range(MOST_PAGES):
        page = _read(ehr, path)
        bundle = _decoded(page)
        found = len(bundle.get("entry") or ())
        if found:
            context = ParseContext(server=subscription.server)
            receive(BytesIO(page), name="found.json", feed=feed_of(subscription), context=context, now=clock())
        entries += found
        following = _next(bundle, subscription.server)
        if not following:
            _done(subscription, began, now=clock())
            return entries
        path = following
    raise BackendUnavailableError("ehr", "too-many-pages")


def _criteria(subscription: Subscription, ehr: Ehr) -> str:
    """Return the criteria as the sender has them; the subscription is found there by this box's endpoint."""
    if subscription.reference:
        found = _decoded(_read(ehr, subscription.reference))
    else:
        endpoint = f"{settings.CLINICAL_MACHINES_URL}/fhir/subscription/{subscription.name}"
        bundle = _decoded(_read(ehr, f"Subscription?url={quote(endpoint, safe='')}"))
        found = next((one.get("resource") or {} for one in bundle.get("entry") or ()), {})
        if found.get("resourceType") == "Subscription" and _ID.fullmatch(str(found.get("id"))):
            subscription.reference = f"Subscription/{found['id']}"
            Subscription.objects.filter(name=subscription.name).update(reference=subscription.reference)
    criteria = str(found.get("criteria", ""))
    if not _CRITERIA.fullmatch(criteria):
        raise BackendUnavailableError("ehr", "no-criteria")
    return criteria


def _since(subscription: Subscription) -> datetime:
    begun: datetime | None = subscription.events.aggregate(begun=Max("noted_at"))["begun"]
    return (begun or subscription.created_at) - MARGIN


def _with_times(criteria: str, since: datetime) -> str:
    separator = "&" if "?" in criteria else "?"
    return f"{criteria}{separator}_lastUpdated=ge{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}&_count={A_PAGE}"


def _next(bundle: dict[str, Any], server: str) -> str:
    """Return the path of the next page below the server's base, "" after the last one."""
    links = [one.get("url", "") for one in bundle.get("link") or () if one.get("relation") == "next"]
    if not links:
        return ""
    address, base = str(links[0]), f"{server.rstrip('/')}/"
    if "://" in address and not address.startswith(base):
        raise BackendUnavailableError("ehr", "other-host")
    return address.removeprefix(base)


def _done(subscription: Subscription, began: datetime, *, now: datetime) -> None:
    """Note from when on the next search has to look; a notification that came meanwhile keeps it due."""
    last: int | None = subscription.events.aggregate(last=Max("number"))["last"]
    subscription.events.create(
        number=(last or 0) + 1, state=SubscriptionEvent.State.FETCHED, noted_at=began, closed_at=now
    )
    row = Subscription.objects.filter(name=subscription.name)
    row.filter(last_seen_at__lte=began).update(pull_due_since=None)


def _read(ehr: Ehr, path: str) -> bytes:
    try:
        return ehr.read(path)
    except LookupError:
        raise BackendUnavailableError("ehr", "no-such-subscription-or-search") from None


def _decoded(content: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise BackendUnavailableError("ehr", "not-json") from None
