"""What is answered to a Bundle: a transaction-response, a batch-response or a response message.

Source: HL7 FHIR R4 4.0.1, "transaction response" (https://hl7.org/fhir/R4/http.html#transaction-response) and
MessageHeader.response (https://hl7.org/fhir/R4/messaging.html).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingestion.domain.fhir_door.outcome import Problem, operation_outcome, reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

PHRASES: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Payload Too Large",
    422: "Unprocessable Entity",
}
_NAMESPACE: Final = uuid.UUID("0d3a9c62-5b8e-5f0a-8c35-51d1a0d5a9b7")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one entry. `number` is the record's own count of versions, from 1; 0 where none is held.

    `modified` is when the version was stored, timezone-aware.
    """

    status: int
    resource_type: str = ""
    resource_id: str = ""
    number: int = 0
    modified: datetime | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def location(self) -> str:
        """The version's address below the base, "" where nothing is held."""
        return f"{self.resource_type}/{self.resource_id}/_history/{self.number}" if self.number else ""


def response_bundle(kind: str, done: Sequence[Done]) -> dict[str, Any]:
    """Return the response Bundle, an entry for each of the request, in its order."""
    response: dict[str, Any] = {"resourceType": "Bundle", "type": f"{kind}-response"}
    return response | ({"entry": [_entry(one) for one in done]} if done else {})  # FHIR has no empty lists


def worst(problems: Sequence[Problem]) -> int:
    """Return the HTTP status that speaks for all: the highest."""
    return max(reason(one.reason).status for one in problems)


def message_reply(header: bytes, *, code: str, endpoint: str, outcome: dict[str, Any] | None) -> dict[str, Any]:
    """Return the response message to a message.

    Args:
        header: the MessageHeader that was received, valid R4.
        code: ok, transient-error or fatal-error.
        endpoint: where this door is reached.
        outcome: the OperationOutcome that says why, or None.
    """
    asked: dict[str, Any] = msgspec.json.decode(header)
    identifier = str(asked.get("id", "")) or str(uuid.uuid5(_NAMESPACE, header.hex()))
    response: dict[str, Any] = {"identifier": identifier, "code": code}
    # The same message again gets the same reply.
    reply_id = str(uuid.uuid5(_NAMESPACE, f"{identifier} {code}"))
    reply: dict[str, Any] = {"resourceType": "MessageHeader", "id": reply_id}
    reply |= {name: asked[name] for name in ("eventCoding", "eventUri") if name in asked}
    source = asked.get("source")
    if isinstance(source, dict) and source.get("endpoint"):
        reply["destination"] = [{"endpoint": source["endpoint"]}]
    reply |= {"source": {"endpoint": endpoint}, "response": response}
    entries: list[dict[str, Any]] = [{"fullUrl": f"urn:uuid:{reply_id}", "resource": reply}]
    if outcome is not None:
        detail_id = str(uuid.uuid5(_NAMESPACE, f"{identifier} {code} outcome"))
        response["details"] = {"reference": f"urn:uuid:{detail_id}"}
        entries.append({"fullUrl": f"urn:uuid:{detail_id}", "resource": outcome})
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


def _entry(done: Done) -> dict[str, Any]:
    response: dict[str, Any] = {"status": f"{done.status} {PHRASES.get(done.status, '')}".strip()}
    if done.location:
        response["location"] = done.location
        response["etag"] = f'W/"{done.number}"'
    if done.modified is not None:
        response["lastModified"] = done.modified.isoformat(timespec="milliseconds")
    if done.problems:
        response["outcome"] = operation_outcome(done.problems)
    return {"response": response}
