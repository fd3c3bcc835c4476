"""What the mapping of one message knows and collects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingestion.domain.mapped import unused_id

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ingestion.domain.v2.message import Message, Segment

Json = dict[str, Any]


@dataclass(slots=True)
class Mapping:
    """The resources of one message, in the order in which they were first spoken of.

    `zone` is the sender's where a time names none. `sent` is MSH-7 as FHIR instant ("" if unusable).
    `places` says for each resource which segment it came from ("OBX[3]").
    """

    message: Message
    zone: ZoneInfo
    sent: str
    resources: dict[tuple[str, str], Json] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    patient_id: str = ""
    encounter_id: str = ""

    def subject(self) -> Json:
        """Return the reference to the patient."""
        return {"reference": f"Patient/{self.patient_id}"}

    def encounter(self) -> Json:
        """Return the reference to the visit, {} when the message names none."""
        return {"reference": f"Encounter/{self.encounter_id}"} if self.encounter_id else {}

    def add(self, resource: Json, segment: Segment, *, rank: int = 0, updated: str = "") -> str:
        """Keep a resource and return its reference.

        Args:
            resource: with resourceType and id; a member "security" becomes meta.security.
            segment: where it came from.
            rank: how final its status is; of two versions the lower rank never replaces the higher.
            updated: when the source reported this version; MSH-7 where it does not say.
        """
        key = (resource["resourceType"], unused_id(resource, self.resources))
        moment = updated if "T" in updated else self.sent
        security = resource.pop("security", [])
        meta = {"versionId": f"v2-{rank}", **({"lastUpdated": moment} if moment else {})}
        meta |= {"security": security} if security else {}
        ordered = {"resourceType": key[0], "id": key[1], "meta": meta}
        rest = {name: one for name, one in resource.items() if one not in ("", {}, [])}
        self.resources[key] = {**ordered, **rest, "id": key[1]}
        self.places[key] = f"{segment.name}[{segment.number}]"
        return f"{key[0]}/{key[1]}"
