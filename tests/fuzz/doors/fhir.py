"""POST and PUT /fhir, and the receiver of subscriptions: FHIR R4 JSON, refused as an OperationOutcome."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any, Final

from django.utils import timezone
from hypothesis import strategies as st

from ingestion.models import Subscription
from ingestion.subscriptions.receiver import seal_secret
from tests.conformance.test_subscription_backport import notification
from tests.factories import note, observation, patient
from tests.fhir_door import FhirDoor, transaction
from tests.fuzz.alter import CANARY, ODD, altered_json
from tests.fuzz.public import one_of
from tests.fuzz.watch import SLOWEST_S, FaultError

_NAMED: Final[dict[str, Any]] = {"name": [{"family": CANARY, "given": ["Amina"]}]}
_SEEDS: Final = json.loads((Path(__file__).parent.parent / "seeds" / "fhir.json").read_text())
_HEADER: Final = {"resourceType": "MessageHeader", "id": "h", "eventUri": "urn:x", "source": {"endpoint": "urn:y"}}
_WORDS: Final = note(f"{CANARY} was seen. Apixaban was stopped because of a bleed.")
RESOURCES: Final[tuple[dict[str, Any], ...]] = (
    patient(**_NAMED), observation(note=[{"text": CANARY}]), *_SEEDS.values(), _WORDS,
)  # fmt: skip
_SOME: Final = (RESOURCES[0], RESOURCES[1], RESOURCES[2]), (RESOURCES[0], RESOURCES[3], RESOURCES[5])
BUNDLES: Final = tuple(
    transaction(*((_HEADER,) if kind == "message" else ()), *some, kind=kind)
    for kind in ("transaction", "batch", "batch", "collection", "message")
    for some in _SOME
)
_SECRET: Final = "s" * 20
Sample = tuple[str, str, bytes]


def reply_of(reply: Any, kinds: frozenset[str]) -> tuple[int, Any]:
    """Return status and body of a reply.

    Raises:
        FaultError: 5xx, or neither of these resources.
    """
    if reply.status_code >= 500:
        raise FaultError(f"{reply.status_code}")
    if reply.status_code == 204:
        return 204, {}
    try:
        body = json.loads(reply.content)
    except ValueError:
        raise FaultError("not JSON") from None
    if body.get("resourceType") not in kinds:
        raise FaultError(f"{reply.status_code} without a FHIR reply")
    # A message is refused as a message: the outcome stands in its reply's Bundle.
    inside = [one.get("resource", {}) for one in body.get("entry", ())]
    issues = [issue for one in (body, *inside) for issue in one.get("issue", ())]
    if reply.status_code >= 400 and not any(issue.get("details") for issue in issues):
        raise FaultError("refusal without a reason")
    return reply.status_code, body


def is_object(content: bytes) -> bool:
    """Whether the first parse can have passed: a JSON object in UTF-8."""
    try:
        return isinstance(json.loads(content.decode()), dict)
    except (ValueError, RecursionError):
        return False


class Fhir:
    """The door for Bundles and resources."""

    name = "fhir"
    stages = ("JSON object", "accepted", "something applied")
    slowest_s = SLOWEST_S

    def __init__(self, door: FhirDoor) -> None:
        self._door = door

    def altered(self, chance: Random) -> Sample:
        if chance.random() < 0.5:
            return "POST", "/fhir", altered_json(chance.choice(BUNDLES), chance)
        public = one_of("fhir/us_core/*.json", chance)
        one = json.loads(public) if public else chance.choice(RESOURCES)
        path = f"/fhir/{one['resourceType']}"
        content = altered_json(one, chance)
        return ("PUT", f"{path}/{one['id']}", content) if chance.random() < 0.5 else ("POST", path, content)

    def grammar(self) -> st.SearchStrategy[Sample]:
        one = _resources().map(lambda value: ("POST", f"/fhir/{value['resourceType']}", json.dumps(value).encode()))
        kinds = st.sampled_from(("transaction", "batch", "collection", "message", "history", "document"))
        many = st.builds(
            lambda kind, parts: {"resourceType": "Bundle", "type": kind, "entry": parts},
            kinds,
            st.lists(_entries(), max_size=4),
        ).map(lambda value: ("POST", "/fhir", json.dumps(value).encode()))
        return st.one_of(one, many)

    def send(self, sample: Sample) -> int:
        method, path, content = sample
        reply = self._door.request(method, path, content)
        status, body = reply_of(reply, frozenset({"OperationOutcome", "Bundle"}))
        if status >= 300:
            return 1 if is_object(content) else 0
        entries = body.get("entry", [])
        told = [one.get("response", {}).get("status", "")[:3] for one in entries]
        applied = status == 201 or {"200", "201"} & set(told)
        return 3 if applied or (status == 200 and body["resourceType"] == "OperationOutcome") else 2


class Subscriptions:
    """The receiver: R5-backport notifications and bare resources, with the right secret."""

    name = "subscription"
    stages = ("JSON object", "accepted")
    slowest_s = SLOWEST_S

    def __init__(self, door: FhirDoor) -> None:
        self._door = door
        for name, kind in (("ehr", Subscription.Kind.BACKPORT), ("old", Subscription.Kind.R4)):
            Subscription.objects.create(
                name=name, kind=kind, header="X-Secret", secret=seal_secret(name, _SECRET), created_at=timezone.now()
            )
        focus = {5: "Patient/amina"}
        self._notes = (
            notification("handshake"),
            notification("heartbeat", count=4),
            notification("event-notification", *RESOURCES[:2], events=focus, count=5),
            notification("event-notification", *RESOURCES, events=focus | {6: "Observation/k1"}, count=6),
            notification("event-notification", events=focus, count=5),
        )

    def altered(self, chance: Random) -> Sample:
        if chance.random() < 0.75:
            return "POST", "/fhir/subscription/ehr", altered_json(chance.choice(self._notes), chance)
        one = chance.choice(RESOURCES)
        content = altered_json(one, chance)
        if chance.random() < 0.5:
            return "PUT", f"/fhir/subscription/old/{one['resourceType']}/{one['id']}", content
        return "POST", "/fhir/subscription/old", content if chance.random() < 0.9 else b""

    def grammar(self) -> st.SearchStrategy[Sample]:
        kinds = st.sampled_from(("handshake", "heartbeat", "event-notification", "query-status", "other"))
        number = st.integers(-3, 10**6)
        built = st.builds(
            lambda kind, found, at, count: notification(kind, *found, events={at: "Patient/amina"}, count=count),
            kinds,
            st.lists(_resources(), max_size=2),
            number,
            number,
        )
        return built.map(lambda value: ("POST", "/fhir/subscription/ehr", json.dumps(value).encode()))

    def send(self, sample: Sample) -> int:
        method, path, content = sample
        reply = self._door.request(method, path, content, bearer="", **{"X-Secret": _SECRET})
        status, _ = reply_of(reply, frozenset({"OperationOutcome"}))
        return 2 if status < 300 else int(is_object(content))


_LEAF: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12), st.sampled_from([one for one in ODD if one != "\ud800"]),
)  # fmt: skip
_CONCEPT: Final = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(max_size=12),
        "coding": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "system": st.sampled_from(("http://loinc.org", "urn:x")),
                    "code": st.text(max_size=6),
                    "display": st.text(max_size=9),
                },
            ),
            max_size=2,
        ),
    },
)  # fmt: skip
_DATE: Final = st.sampled_from(
    ("2026", "2026-02", "2026-02-01", "2026-02-01T08:00:00Z", "2026-02-30", "", "01/02/2026")
)


@st.composite
def _resources(draw: st.DrawFn) -> dict[str, Any]:
    """A resource of a known kind, rightly filled as far as chance will, with up to two elements of any value."""
    base = dict(draw(st.sampled_from(RESOURCES)))
    base["id"] = draw(st.sampled_from((base["id"], "amina", "x-1", "a" * 64, "bad id")))
    if draw(st.booleans()):
        base["code"] = draw(_CONCEPT)
    if draw(st.booleans()):
        base["effectiveDateTime" if base["resourceType"] == "Observation" else "date"] = draw(_DATE)
    for key in draw(st.lists(st.sampled_from((*base, "status", "meta", "contained", "text", "extension")), max_size=2)):
        if key != "resourceType":
            base[key] = draw(
                st.recursive(
                    _LEAF,
                    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
                    max_leaves=4,
                )
            )
    return base


def _entries() -> st.SearchStrategy[dict[str, Any]]:
    methods = st.sampled_from(("PUT", "PUT", "POST", "DELETE", "GET", "PATCH"))
    return st.builds(_entry, _resources(), methods)


def _entry(one: dict[str, Any], method: str) -> dict[str, Any]:
    asked = {"method": method, "url": f"{one['resourceType']}/{one['id']}"}
    return {"fullUrl": f"urn:uuid:{one['id']}", "resource": one, "request": asked}
