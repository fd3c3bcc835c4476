"""A Subscription notification as R4 servers send it, with the status as Parameters in the first entry.

Source: Subscriptions R5 Backport implementation guide 1.1.0, profile
backport-subscription-status-r4 (from memory; not compared with the published text here).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from ingestion.domain.fhir_door.outcome import refused
from ingestion.domain.r4.check import check_resource, resource_type_of
from ingestion.domain.r4.envelope import open_bundle
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.references import split_full_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.r4.envelope import OpenBundle, OpenEntry

HANDSHAKE: Final = "handshake"
HEARTBEAT: Final = "heartbeat"
EVENTS: Final = frozenset({"event-notification", "query-event"})
_QUIET: Final = frozenset({HANDSHAKE, HEARTBEAT, "query-status"})
_STATES: Final = frozenset({"requested", "active", "error", "off", "entered-in-error"})
_STATUS_URL: Final = re.compile(r"(?:^|.*/)Subscription/[A-Za-z0-9\-.]{1,64}/\$(?:status|events)(?:\?.*)?$")
_REFERENCE: Final = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_MOST_DIGITS: Final = 12
_AT: Final = "Bundle.entry[0].resource.parameter"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its number in the subscription, and the resource it is about ("" where only the fact is told)."""

    number: int
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A valid notification. `count` is the events since the subscription began, None where it is not said.

    `carries` says whether resources came with it.
    """

    kind: str
    subscription: str
    state: str
    count: int | None
    events: tuple[Event, ...]
    carries: bool


def read_notification(content: bytes) -> Notification:
    """Return what a notification says.

    Raises:
        RefusedError: not-a-notification, no-status, parameter, notification-entry, status-url,
            unexpected-entries, focus-missing, or the reason for which it is no valid R4.
    """
    try:
        if resource_type_of(content) != "Bundle":
            raise refused("not-a-notification")
        bundle = open_bundle(content)
    except InvalidResourceError as error:
        raise refused(error.issue.code, error.issue.path) from None
    if bundle.type != "history":
        raise refused("not-a-notification", "Bundle.type")
    _check_entries(bundle)
    found = _status(_parameters(bundle.entries[0]), carries=any(map(_tells, bundle.entries[1:])))
    if found.kind in _QUIET and (found.events or len(bundle.entries) > 1):
        raise refused("unexpected-entries", "Bundle.entry")
    _check_focus(found, bundle)
    return found


def _check_entries(bundle: OpenBundle) -> None:
    if not bundle.entries:
        raise refused("no-status", "Bundle.entry")
    for number, entry in enumerate(bundle.entries):
        if isinstance(entry.struct, Issue):
            raise refused(entry.struct.code, f"Bundle.entry[{number}]")
        for name in ("request", "response"):
            if getattr(entry.struct, name) is UNSET:
                raise refused("notification-entry", f"Bundle.entry[{number}].{name}")
    if not _STATUS_URL.match(bundle.entries[0].struct.request.url):
        raise refused("status-url", "Bundle.entry[0].request.url")


def _parameters(entry: OpenEntry) -> list[Any]:
    try:
        if not entry.resource or resource_type_of(entry.resource) != "Parameters":
            raise refused("no-status", "Bundle.entry[0].resource")
        fields = check_resource(entry.resource).fields
    except InvalidResourceError as error:
        raise refused(error.issue.code, f"Bundle.entry[0].resource ({error.issue.path})") from None
    return [] if fields.parameter is UNSET else list(fields.parameter)


def _status(parameters: list[Any], *, carries: bool) -> Notification:
    kind = _code(parameters, "type")
    if kind not in _QUIET | EVENTS:
        raise refused("parameter", f"{_AT}.where(name='type')")
    state = _code(parameters, "status")
    if state not in _STATES:
        raise refused("parameter", f"{_AT}.where(name='status')")
    count = _only(parameters, "events-since-subscription-start", required=False)
    return Notification(
        kind=kind,
        subscription=_reference(_only(parameters, "subscription"), "subscription"),
        state=state,
        count=None if count is None else _number(count, "events-since-subscription-start"),
        events=tuple(_events(parameters)),
        carries=carries,
    )


def _events(parameters: list[Any]) -> Iterator[Event]:
    for one in _named(parameters, "notification-event"):
        parts = [] if one.part is UNSET else list(one.part)
        focus = _only(parts, "focus", required=False)
        yield Event(
            _number(_only(parts, "event-number"), "event-number"),
            "" if focus is None else _reference(focus, "focus"),
        )


def _tells(entry: OpenEntry) -> bool:
    """Return whether an entry brings a resource or its deletion, not just its name."""
    return bool(entry.resource) or entry.struct.request.method == "DELETE"


def _check_focus(found: Notification, bundle: OpenBundle) -> None:
    """Compare events and resources: of a full notification each resource an event is about is there."""
    if not found.carries:
        return
    names = set()
    for entry in bundle.entries[1:]:
        names |= set(_names_of(entry))
    for number, event in enumerate(found.events):
        if event.focus and short(event.focus) not in names:
            raise refused("focus-missing", f"{_AT}.where(name='notification-event')[{number}]")


def _names_of(entry: OpenEntry) -> Iterator[str]:
    """Yield "Type/id" as the entry's fullUrl, its request and its resource name it."""
    for url in (entry.struct.fullUrl, entry.struct.request.url):
        if url is not UNSET:
            yield short(str(url)) or str(url)
    if not entry.resource:
        return
    try:
        fields = check_resource(entry.resource)
    except InvalidResourceError:
        return  # said when it is taken in
    yield f"{fields.resource_type}/{fields.resource_id}"


def short(reference: str) -> str:
    """Return "Type/id" of a reference; a urn:uuid: as it is; "" for anything else."""
    if reference.startswith("urn:uuid:"):
        return reference
    match = _REFERENCE.match(reference)
    return match[1] if match else ""


def server_of(reference: str) -> str:
    """Return the base URL that an absolute reference names, "" where it names none."""
    return split_full_url(reference)[0]


def _named(parameters: list[Any], name: str) -> list[Any]:
    return [one for one in parameters if one.name == name]


def _only(parameters: list[Any], name: str, *, required: bool = True) -> Any:  # noqa: ANN401 - a Struct built at run time
    found = _named(parameters, name)
    if len(found) > 1 or (required and not found):
        raise refused("parameter", f"{_AT}.where(name='{name}')")
    return found[0] if found else None


def _code(parameters: list[Any], name: str) -> str:
    value = _only(parameters, name).valueCode
    if value is UNSET:
        raise refused("parameter", f"{_AT}.where(name='{name}').value")
    return str(value)


def _number(parameter: Any, name: str) -> int:  # noqa: ANN401 - a Struct built at run time
    """Return an event number; a text in 1.1.0, since R4 has no 64-bit integers, and an integer with some servers."""
    for form in ("valueString", "valueInteger", "valueUnsignedInt", "valuePositiveInt"):
        value = getattr(parameter, form, UNSET)
        if value is not UNSET and str(value).isdecimal() and len(str(value)) <= _MOST_DIGITS:
            return int(value)
    raise refused("parameter", f"{_AT}.where(name='{name}').value")


def _reference(parameter: Any, name: str) -> str:  # noqa: ANN401 - a Struct built at run time
    value = parameter.valueReference
    reference = "" if value is UNSET or value.reference is UNSET else str(value.reference)
    if not short(reference):
        raise refused("parameter", f"{_AT}.where(name='{name}').value")
    return reference
