"""A hook call answered: who asks, about whom, may he; then facts by code, and cards. No model, no retrieval."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from clinical.access.alarm_policy import alarms_on
from clinical.access.services import grant_access, record_read
from clinical.audit import trail
from clinical.cds_hooks.given import give, quiet_topics
from clinical.cds_hooks.patients import patient_of, server_of, user_of
from clinical.cds_hooks.refusals import NoDataError
from clinical.domain.access import AccessDeniedError
from clinical.domain.cds.discharge import discharge_cards
from clinical.domain.cds.drafts import order_cards, read_drafts
from clinical.domain.cds.matters import as_alarms, matters, view_cards
from clinical.domain.facts import Fact
from clinical.domain.projection import project
from clinical.knowledge.approvals import trust
from clinical.models import ResourceVersion
from clinical.record.consent import is_closed
from clinical.record.selectors import facts_of, resource_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from clinical.cds_hooks.catalogue import Service
    from clinical.cds_hooks.clients import CdsClient
    from clinical.cds_hooks.requests import HookCall
    from clinical.domain.cds.card import Card
    from clinical.domain.provenance import Trust
    from clinical.models import Patient

PREFETCHED: Final = "prefetch"  # stands as the version of a fact that the client sent along


def answer_call(service: Service, call: HookCall, client: CdsClient, *, now: datetime) -> dict[str, Any]:
    """Return the reply to a call; the trail's row is written before anything of the patient is read.

    Raises:
        AccessDeniedError: unknown-user, or what the access decision says; audited.
        NoDataError: nothing to answer from; audited.
        django.db.Error: the trail cannot be written; nothing was read.
    """
    action = f"cds.{service.id}"
    try:
        user = user_of(call, client)
        patient = patient_of(call, client)
    except (AccessDeniedError, NoDataError) as error:
        refused(action, client, error.reason, now=now, user=client.users.get(call.user, ""))
        raise
    grant = grant_access(user, patient.id, action=action, now=now)
    record_read(grant, action=action, now=now, issuer=client.issuer, hook_instance=call.hook_instance)
    held = facts_of(grant)
    closed = is_closed(patient.id, now=now)
    if closed or not held:
        # Neither is "nothing to say", as an empty list of cards would read.
        reason = "closed-record" if closed else "empty-record"
        refused(action, client, reason, now=now, user=grant.user_id, patient=str(patient.id))
        raise NoDataError(reason)
    cards = _cards(call, client, patient, held, user_id=grant.user_id, now=now)
    return give(cards, call=call, client=client, service=service.id, grant=grant, patient=patient, now=now)


def refused(
    action: str, client: CdsClient | None, reason: str, *, now: datetime, user: str = "", patient: str = ""
) -> None:
    """Note on the trail that a call was not answered, and why; a denial of access is a denial, the rest a refusal."""
    outcome = "REFUSED" if reason in _NO_DENIAL else "DENIED"
    detail = {"reason": reason, "issuer": client.issuer if client else ""}
    entry = trail.Entry(action, outcome, user or "cds-client", patient_id=patient, detail=detail)
    trail.append(entry, now=now)


_NO_DENIAL: Final = frozenset({"unmapped-patient", "ambiguous-patient", "empty-record", "closed-record", "bad-request"})


def _cards(
    call: HookCall, client: CdsClient, patient: Patient, held: Sequence[Fact], *, user_id: str, now: datetime
) -> list[Card]:
    here = _trusted()
    match call.hook:
        case "patient-view":
            found = matters(held, now=now, trust=here)
            if found:
                is_quiet = quiet_topics(patient, user_id, now=now)
                found = [one for one in found if not is_quiet(one.topic)]
            return view_cards(as_alarms(found) if any(one.is_vital for one in found) and alarms_on() else found)
        case "encounter-discharge":
            return discharge_cards(held, encounter=f"Encounter/{call.encounter_id}", now=now)
        case _:
            related = _medications(call, server_of(call, client))
            drafts = read_drafts(call.orders, related, patient_id=call.patient_id, selected=call.selections)
            drafts = replace(drafts, replaced=_copies(patient, server_of(call, client), drafts.replaced))
            return order_cards(
                _with_prefetched(held, call, client, patient),
                drafts,
                selected=call.selections,
                missing=[
                    f"{key} as the calling system holds them now because it sent an error or only a part; "
                    "the copy held here was used"
                    for key in call.prefetched.failed
                    if key != "patient"
                ],
                today=now.date(),
                trust=here,
            )


_TRUSTED_S: Final = 1.0
_last: dict[str, tuple[float, Trust]] = {}


def _trusted() -> Trust:
    """Return which rows may be used here, at most a second old: an approval or its withdrawal counts that late."""
    profile, at = settings.CLINICAL_PROFILE, time.monotonic()
    held = _last.get(profile)
    if held is None or at - held[0] > _TRUSTED_S:
        held = _last[profile] = (at, trust())
    return held[1]


def _with_prefetched(held: Sequence[Fact], call: HookCall, client: CdsClient, patient: Patient) -> list[Fact]:
    """Return the record's facts with those the client sent in place of the copies held of the same resources."""
    sent = call.prefetched.resources
    if not sent:
        return list(held)
    related = {f"Medication/{one.get('id')}": one for one in call.prefetched.medications}
    named = [(f"{one['resourceType']}/{one.get('id') or f'sent-{place}'}", one) for place, one in enumerate(sent)]
    newer = [Fact(row, reference, PREFETCHED) for reference, one in named for row in project(one, related)]
    # An older prefetch than our copy cannot be told from a newer.
    replaced = _copies(patient, server_of(call, client), [reference for reference, _ in named])
    return [*(fact for fact in held if fact.resource not in replaced), *newer]


def _copies(patient: Patient, server: str | None, references: Collection[str]) -> frozenset[str]:
    """Return which of these references the record holds as resources of this server, and of no other.

    Of another server the same id is another resource, and so is every id of a server that is not known.
    """
    if server is None or not references:
        return frozenset()
    rows = ResourceVersion.objects.filter(
        patient=patient,
        is_current=True,
        resource_type__in=("AllergyIntolerance", "MedicationRequest"),
        logical_id__in={one.rpartition("/")[2] for one in references},
    ).values_list("resource_type", "logical_id", "server")
    servers: dict[str, set[str]] = {}
    for kind, logical_id, holder in rows:
        servers.setdefault(f"{kind}/{logical_id}", set()).add(holder)
    return frozenset(one for one in references if servers.get(one) == {server})


def _medications(call: HookCall, server: str | None) -> dict[str, dict[str, Any]]:
    """Return the Medication resources that draft orders refer to: sent along, or held here."""
    sent = [*call.prefetched.medications, *(one for one in call.orders if one["resourceType"] == "Medication")]
    found = {f"Medication/{one.get('id')}": one for one in sent}
    found |= {url: found[named] for url, named in call.urls.items() if named in found}
    wanted = set()
    for order in call.orders:
        reference = order.get("medicationReference")
        named = reference.get("reference") if isinstance(reference, dict) else None
        if isinstance(named, str) and named.startswith("Medication/") and named not in found:
            wanted.add(named.removeprefix("Medication/"))
    if wanted and server is not None:
        for row in ResourceVersion.objects.filter(
            server=server, resource_type="Medication", logical_id__in=wanted, is_current=True, deleted=False
        ):
            found[f"Medication/{row.logical_id}"] = resource_of(row)
    return found
