"""Whom a call is about and who looks: the client's ids, mapped to the patient and the user known here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from clinical.cds_hooks.refusals import NoDataError
from clinical.domain.access import AccessDeniedError
from clinical.identity.authorities import FHIR_ID
from clinical.identity.services import find, identifier_digest, identifier_pairs
from clinical.record.given_since import asked_for

if TYPE_CHECKING:
    from clinical.cds_hooks.clients import CdsClient
    from clinical.cds_hooks.requests import HookCall
    from clinical.models import Patient


def user_of(call: HookCall, client: CdsClient) -> User:
    """Return the user here whom the client's `userId` stands for.

    Raises:
        AccessDeniedError: `unknown-user`: not in the client's list, or not an active user here.
    """
    user = User.objects.filter(username=client.users.get(call.user, ""), is_active=True).first()
    if user is None:
        raise AccessDeniedError("unknown-user")
    return user


def server_of(call: HookCall, client: CdsClient) -> str | None:
    """Return the name under which the record holds the client's FHIR server; None for one not registered."""
    return client.fhir_servers.get(call.fhir_server) if call.fhir_server else None


def named_by(call: HookCall, client: CdsClient) -> str:
    """Return what a card keeps of the id by which the call names its patient; "" where the server is not known."""
    server = server_of(call, client)
    authority = FHIR_ID + (server or "")
    return asked_for(authority, identifier_digest(authority, call.patient_id)) if server is not None else ""


def patient_of(call: HookCall, client: CdsClient) -> Patient:
    """Return the patient known by (server, patientId) or by an identifier of the Patient sent along.

    Only authorities known here count, and only exact identifiers; a name or birth date never.

    Raises:
        NoDataError: `unmapped-patient`, or `ambiguous-patient` where id and identifiers name different ones.
    """
    server = server_of(call, client)
    pairs = [] if server is None else [(FHIR_ID + server, call.patient_id)]
    if call.prefetched.patient is not None:
        pairs += identifier_pairs(_with_identifiers_only(call.prefetched.patient), "")
    found = {patient.id: patient for pair in pairs if (patient := find(*pair)) is not None}
    if len(found) > 1:
        raise NoDataError("ambiguous-patient")
    patient = next(iter(found.values()), None)
    if patient is None or patient.data_key.destroyed_at is not None:
        raise NoDataError("unmapped-patient")
    return patient


def _with_identifiers_only(resource: dict[str, object]) -> dict[str, object]:
    """Return the Patient without its id, which means something on its own server only, and without broken parts."""
    held = resource.get("identifier")
    return {"identifier": [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []}
