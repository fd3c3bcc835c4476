"""A hook call as a value, with everything required checked; what is wrong says which element.

Source: CDS Hooks 2.0, "Calling a CDS Service"; hook definitions patient-view 1.0, order-select 1.0,
order-sign 1.1, encounter-discharge 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - part of a public dataclass
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from clinical.cds_hooks.prefetch import Prefetched, read_prefetch
from clinical.cds_hooks.refusals import HookRequestError

LARGEST_CALL: Final = 4 * 2**20  # bytes
MOST_ORDERS: Final = 200
_CARE: Final = "Practitioner|PractitionerRole"
_USERS: Final = {
    "patient-view": re.compile(rf"(?:{_CARE}|Patient|RelatedPerson)/[A-Za-z0-9\-.]{{1,64}}"),
    "": re.compile(rf"(?:{_CARE})/[A-Za-z0-9\-.]{{1,64}}"),
}
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_URL: Final = re.compile(r"https?://[^\s?#]{1,240}")
# What each hook's context must hold beside userId and patientId.
_CONTEXT: Final = {
    "patient-view": (),
    "order-select": ("selections", "draftOrders"),
    "order-sign": ("draftOrders",),
    "encounter-discharge": ("encounterId",),
}
_AUTHORISATION: Final = ("access_token", "token_type", "expires_in", "scope", "subject")
# Decimals keep the digits of a dose.
_DECODE: Final = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call. `orders` are the draft orders, `selections` references of those just chosen.

    `urls` says which order ("Type/id") each fullUrl of the Bundle means: drafts refer to each other by it.
    """

    hook: str
    hook_instance: str
    fhir_server: str
    user: str
    patient_id: str
    encounter_id: str
    orders: tuple[dict[str, Any], ...]
    selections: frozenset[str]
    prefetched: Prefetched
    urls: Mapping[str, str] = field(default_factory=dict)


def decoded(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises:
        HookRequestError: not-json, wrong-type.
    """
    try:
        found = _DECODE(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError):
        raise HookRequestError("not-json") from None
    if not isinstance(found, dict):
        raise HookRequestError("wrong-type", "$")
    return found


def read_call(body: bytes, *, service_hook: str) -> HookCall:
    """Return the call.

    Raises:
        HookRequestError: not-json, missing, wrong-type, wrong-hook, bad-value, too-many, with the element.
    """
    call = decoded(body)
    hook = text(call, "hook")
    if hook != service_hook:
        raise HookRequestError("wrong-hook", "hook")
    instance = text(call, "hookInstance")
    try:
        UUID(instance)
    except ValueError:
        raise HookRequestError("bad-value", "hookInstance") from None
    server = text(call, "fhirServer", required="fhirAuthorization" in call)
    if server and not _URL.fullmatch(server):
        raise HookRequestError("bad-value", "fhirServer")
    _check_authorisation(call)
    context = call.get("context")
    if not isinstance(context, dict):
        raise HookRequestError("missing" if context is None else "wrong-type", "context")
    for name in _CONTEXT[hook]:
        if context.get(name) in (None, "", [], {}):
            raise HookRequestError("missing", f"context.{name}")
    patient_id = _matching(context, "patientId", _ID)
    orders, urls = _orders(context) if "draftOrders" in _CONTEXT[hook] else ((), {})
    return HookCall(
        hook=hook,
        hook_instance=instance,
        fhir_server=server.rstrip("/"),
        user=_matching(context, "userId", _USERS.get(hook, _USERS[""])),
        patient_id=patient_id,
        encounter_id=_matching(context, "encounterId", _ID, required="encounterId" in _CONTEXT[hook]),
        orders=orders,
        selections=_selections(context, orders, urls) if "selections" in _CONTEXT[hook] else frozenset(),
        prefetched=read_prefetch(call.get("prefetch"), patient_id=patient_id),
        urls=urls,
    )


def text(holder: dict[str, Any], name: str, *, prefix: str = "", required: bool = True) -> str:
    """Return a string element, "" for an optional one that is not there.

    Raises:
        HookRequestError: missing, wrong-type.
    """
    value = holder.get(name)
    if value is None or value == "":
        if required:
            raise HookRequestError("missing", prefix + name)
        return ""
    if not isinstance(value, str):
        raise HookRequestError("wrong-type", prefix + name)
    return value


def _check_authorisation(call: dict[str, Any]) -> None:
    """Check the shape of the access token's object; the token itself is not used and not kept."""
    given = call.get("fhirAuthorization")
    if given is None:
        return
    if not isinstance(given, dict):
        raise HookRequestError("wrong-type", "fhirAuthorization")
    for name in _AUTHORISATION:
        if given.get(name) in (None, ""):
            raise HookRequestError("missing", f"fhirAuthorization.{name}")
    if given["token_type"] != "Bearer":  # noqa: S105 - the fixed value of the standard
        raise HookRequestError("bad-value", "fhirAuthorization.token_type")


def _matching(context: dict[str, Any], name: str, pattern: re.Pattern[str], *, required: bool = True) -> str:
    value = text(context, name, prefix="context.", required=required)
    if value and not pattern.fullmatch(value):
        raise HookRequestError("bad-value", f"context.{name}")
    return value


def _selections(context: dict[str, Any], orders: tuple[dict[str, Any], ...], urls: Mapping[str, str]) -> frozenset[str]:
    """Return the references of the selected orders; some clients send bare ids, the fullUrl, or a whole URL."""
    value = context["selections"]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise HookRequestError("wrong-type", "context.selections")
    known: dict[str, str] = dict(urls)
    for order in orders:
        reference = f"{order['resourceType']}/{order.get('id')}"
        known |= {reference: reference, str(order.get("id")): reference}
    chosen = [one if one in known else "/".join(one.split("/")[-2:]) for one in value]
    for number, one in enumerate(chosen):
        if one not in known:
            raise HookRequestError("bad-value", f"context.selections[{number}]")
    return frozenset(known[one] for one in chosen)


def _orders(context: dict[str, Any]) -> tuple[tuple[dict[str, Any], ...], dict[str, str]]:
    """Return the draft orders, and which of them each fullUrl means."""
    bundle = context["draftOrders"]
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise HookRequestError("wrong-type", "context.draftOrders")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise HookRequestError("wrong-type", "context.draftOrders.entry")
    if len(entries) > MOST_ORDERS:
        raise HookRequestError("too-many", "context.draftOrders.entry")
    found, urls = [], {}
    for number, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str) or not kind.isalpha() or len(kind) > 64:
            raise HookRequestError("wrong-type", f"context.draftOrders.entry[{number}].resource")
        found.append(resource)
        if isinstance(url := entry.get("fullUrl"), str) and url:
            urls[url] = f"{kind}/{resource.get('id') or f'entry-{number}'}"
    return tuple(found), urls
