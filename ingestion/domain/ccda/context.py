"""What the mapping of one document knows and collects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ingestion.domain.ccda.datatypes import identifier
from ingestion.domain.ccda.xml import every
from ingestion.domain.mapped import Mapped, stable_id, unused_id

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ingestion.domain.ccda.xml import Element

Json = dict[str, Any]
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


@dataclass(slots=True)
class Reading:
    """The resources of one document. `referred` holds the narrative's words by ID, `updated` its time.

    `unmapped` names the place and template of each entry that became no resource. `label` is the confidentiality (R or
    V) of the document or section that is being read, "" for the usual one: what is read there bears it.
    """

    zone: ZoneInfo
    updated: str
    document_key: str
    referred: dict[str, str]
    patient_id: str = ""
    section: str = ""
    label: str = ""
    found: dict[tuple[str, str], Mapped] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)

    def subject(self) -> Json:
        """Return the reference to the patient."""
        return {"reference": f"Patient/{self.patient_id}"}

    def id_of(self, kind: str, element: Element, *more: str) -> str:
        """Return a resource's id: by the entry's own identifier, which other documents repeat, else by its place."""
        for one in every(element, "v:id"):
            number = identifier(one)
            if number:
                return stable_id(kind, self.patient_id, number.get("system", ""), number["value"], *more)
        return stable_id(kind, self.patient_id, self.document_key, self.section, *more, str(len(self.found)))

    def identifiers(self, element: Element) -> list[Json]:
        """Return an entry's identifiers."""
        return [found for one in every(element, "v:id") if (found := identifier(one))]

    def add(self, resource: Json) -> str:
        """Keep a resource and return its reference."""
        key = (resource["resourceType"], unused_id(resource, self.found))
        meta: Json = {"lastUpdated": self.updated} if "T" in self.updated else {}
        if self.label and key[0] != "Patient":
            meta["security"] = [{"system": CONFIDENTIALITY, "code": self.label}]
        ordered = {"resourceType": key[0], "id": key[1], **({"meta": meta} if meta else {})}
        rest = {name: one for name, one in resource.items() if one not in ("", {}, [], None)}
        kept = {**ordered, **rest, "id": key[1]}
        self.found[key] = Mapped(kept, self.section)
        return f"{key[0]}/{key[1]}"
