"""Cards on their way out: those overridden lately stay quiet, the others are noted and get their link."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from clinical.access.handles import forget_expired, new_handle
from clinical.cds_hooks.catalogue import override_reasons
from clinical.cds_hooks.patients import named_by
from clinical.cds_hooks.turns import short_write
from clinical.domain.cds.card import CardLink
from clinical.keys import cipher_of
from clinical.models import CardFeedback, CardGiven, Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from clinical.cds_hooks.clients import CdsClient
    from clinical.cds_hooks.requests import HookCall
    from clinical.domain.access import AccessGrant
    from clinical.domain.cds.card import Card
    from clinical.models import Patient

LINK_LABEL = "Ask this record"


def quiet_topics(patient: Patient, user_id: str, *, now: datetime) -> Callable[[str], bool]:
    """Return whether a topic stays quiet: this user overrode a card on it within the site's hours.

    A topic changes with what the record says, so that news is never quiet.
    """
    since = now - timedelta(hours=settings.CLINICAL_CDS_QUIET_HOURS)
    overridden = CardFeedback.objects.filter(
        card__patient=patient, card__user_id=user_id, outcome="overridden", received_at__gte=since
    ).values_list("card__topics", "outcome_at")
    quiet = {topic for topics, at in overridden if at >= since for topic in topics}
    if not quiet:
        return lambda _topic: False
    cipher = cipher_of(patient)
    return lambda topic: cipher.digest(f"card topic {topic}") in quiet


def give(
    cards: Sequence[Card],
    *,
    call: HookCall,
    client: CdsClient,
    service: str,
    grant: AccessGrant,
    patient: Patient,
    now: datetime,
) -> dict[str, Any]:
    """Note the cards with their links and return the reply."""
    if not cards:
        return {"cards": []}
    cipher = cipher_of(patient)
    named = named_by(call, client)
    given, handles, replies = [], [], []
    for card in cards:
        token, handle = new_handle(grant, patient, card.question, now=now)
        handles.append(handle)
        given.append(
            CardGiven(
                id=card.card_id,
                patient=patient,
                service=service,
                issuer=client.issuer,
                hook_instance=call.hook_instance,
                user_id=grant.user_id,
                indicator=card.indicator.value,
                asked_for=named,
                topics=[cipher.digest(f"card topic {topic}") for topic in card.topics],
                given_at=now,
            )
        )
        link = CardLink(LINK_LABEL, f"{settings.CLINICAL_PEOPLE_URL}/open/{token}")
        replies.append(card.as_json(links=(link,), reasons=override_reasons()))

    def write() -> None:
        CardGiven.objects.bulk_create(given)
        Handle.objects.bulk_create(handles)
        if given[0].id.bytes[0] == 0:  # one reply in 256 takes the expired links away
            forget_expired(now=now)

    short_write(write)
    return {"cards": replies}
