"""What clinicians did with cards, as the client reports it: one by one, in batches, and again.

Source: CDS Hooks 2.0, "Feedback"; 3.0 ballot invariants cds-fb-2 and cds-fb-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec
from django.db import transaction

from clinical.audit import trail
from clinical.cards import comment_binding
from clinical.cds_hooks.refusals import HookRequestError
from clinical.cds_hooks.requests import decoded, text
from clinical.keys import cipher_of
from clinical.models import CardFeedback, CardGiven

if TYPE_CHECKING:
    from clinical.cds_hooks.clients import CdsClient

MOST_ITEMS: Final = 200
LONGEST_COMMENT: Final = 4000
LONGEST_CODE: Final = 64
OUTCOMES: Final = frozenset({"accepted", "overridden"})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a clinician did with one card; `outcome_at` is timezone-aware."""

    card: UUID
    outcome: str
    accepted: tuple[str, ...]
    reason_code: str
    comment: str
    outcome_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """How many items were new, how many were known already, and the places of those whose card is not known."""

    stored: int
    repeated: int
    unknown: tuple[int, ...]


def read_feedback(body: bytes) -> list[Item]:
    """Return the items of a feedback call; one that is wrong refuses the whole call.

    Raises:
        HookRequestError: not-json, missing, wrong-type, bad-value, too-many, too-long, with the element.
    """
    items = decoded(body).get("feedback")
    if not isinstance(items, list) or not items:
        raise HookRequestError("wrong-type" if items else "missing", "feedback")
    if len(items) > MOST_ITEMS:
        raise HookRequestError("too-many", "feedback")
    return [_item(one, f"feedback[{number}]") for number, one in enumerate(items)]


def take_feedback(items: list[Item], *, service: str, client: CdsClient, now: datetime) -> Taken:
    """Keep the items whose card this client was given by this service; each is on the trail before it is kept.

    A repeated item changes nothing. Items of unknown cards are kept nowhere, so that the call can be sent again.

    Raises:
        django.db.Error: the trail cannot be written; what was not yet kept is not.
    """
    given = CardGiven.objects.filter(id__in={one.card for one in items}, service=service, issuer=client.issuer)
    cards = {card.id: card for card in given.select_related("patient__data_key")}
    stored = repeated = 0
    unknown = []
    for place, one in enumerate(items):
        card = cards.get(one.card)
        if card is None or card.patient.data_key.destroyed_at is not None:
            unknown.append(place)
            continue
        is_new = _keep(one, card, client, now)
        stored, repeated = stored + is_new, repeated + (not is_new)
    if unknown:
        detail = {"service": service, "issuer": client.issuer, "reason": "unknown-card", "items": len(unknown)}
        trail.append(trail.Entry("cds.feedback", "REFUSED", "cds-client", detail=detail), now=now)
    return Taken(stored, repeated, tuple(unknown))


def _keep(one: Item, card: CardGiven, client: CdsClient, now: datetime) -> bool:
    """Keep an item; returns whether it was new."""
    cipher = cipher_of(card.patient)
    digest = cipher.digest(f"card feedback {msgspec.json.encode(one).decode()}")
    if CardFeedback.objects.filter(card=card, digest=digest).exists():
        return False
    detail = {
        "card": str(card.id), "service": card.service, "issuer": client.issuer, "hook_instance": card.hook_instance,
        "result": one.outcome, "reason_code": one.reason_code,
    }  # fmt: skip
    entry = trail.Entry("cds.feedback", "SUCCESS", card.user_id, patient_id=str(card.patient_id), detail=detail)
    trail.append(entry, now=now)
    row = CardFeedback(
        card=card,
        digest=digest,
        outcome=one.outcome,
        reason_code=one.reason_code,
        accepted=list(one.accepted),
        outcome_at=one.outcome_at,
        received_at=now,
    )
    if one.comment:
        row.comment = cipher.encrypt(one.comment.encode(), binding=comment_binding(row))
    with transaction.atomic():
        # Another process may have been first with the same item: then this one adds nothing.
        CardFeedback.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _item(value: object, at: str) -> Item:
    if not isinstance(value, dict):
        raise HookRequestError("wrong-type", at)
    prefix = f"{at}."
    try:
        card = UUID(text(value, "card", prefix=prefix))
    except ValueError:
        raise HookRequestError("bad-value", f"{prefix}card") from None
    outcome = text(value, "outcome", prefix=prefix)
    if outcome not in OUTCOMES:
        raise HookRequestError("bad-value", f"{prefix}outcome")
    code, comment = _override(value.get("overrideReason"), f"{prefix}overrideReason")
    return Item(
        card=card,
        outcome=outcome,
        accepted=_accepted(value.get("acceptedSuggestions"), prefix, required=outcome == "accepted"),
        reason_code=code,
        comment=comment,
        outcome_at=_moment(text(value, "outcomeTimestamp", prefix=prefix), f"{prefix}outcomeTimestamp"),
    )


def _accepted(value: object, prefix: str, *, required: bool) -> tuple[str, ...]:
    if value is None or value == []:
        if required:
            raise HookRequestError("missing", f"{prefix}acceptedSuggestions")
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise HookRequestError("wrong-type", f"{prefix}acceptedSuggestions")
    ids = tuple(text(one, "id", prefix=f"{prefix}acceptedSuggestions[{n}].") for n, one in enumerate(value))
    if len(ids) > MOST_ITEMS or any(len(one) > LONGEST_CODE for one in ids):
        raise HookRequestError("too-long", f"{prefix}acceptedSuggestions")
    return ids


def _override(value: object, at: str) -> tuple[str, str]:
    """Return code and comment of an override reason; one of them has to be there."""
    if value is None:
        return "", ""
    if not isinstance(value, dict):
        raise HookRequestError("wrong-type", at)
    reason = value.get("reason")
    if reason is not None and not isinstance(reason, dict):
        raise HookRequestError("wrong-type", f"{at}.reason")
    code = text(reason, "code", prefix=f"{at}.reason.") if reason is not None else ""
    comment = text(value, "userComment", prefix=f"{at}.", required=False)
    if reason is None and not comment:
        raise HookRequestError("missing", f"{at}.reason")
    if len(code) > LONGEST_CODE or len(comment) > LONGEST_COMMENT:
        raise HookRequestError("too-long", at)
    return code, comment


def _moment(value: str, at: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise HookRequestError("bad-value", at)
