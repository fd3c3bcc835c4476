"""Which of two versions of one resource takes effect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

_ENTERED_IN_ERROR = "entered-in-error"
# meta.versionId of a resource mapped from HL7 v2: the rank of its status (OBX-11, OBR-25, TXA-17).
_V2_RANK: Final = re.compile(r"v2-(\d{1,3})")


class Effect(StrEnum):
    """What taking in a version did; the words of the ingest counts."""

    STORED = "stored"  # it is the current version now
    UNCHANGED = "unchanged"  # held already
    SUPERSEDED = "superseded"  # older than the current version: kept as history


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What orders versions: meta.versionId, meta.lastUpdated (timezone-aware), and the content's sha256."""

    sha256: str
    source_version: str = ""
    source_updated: datetime | None = None
    deleted: bool = False


def source_time(text: str) -> datetime | None:
    """Return a FHIR instant as an aware datetime; None for what is not one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def decide(incoming: VersionFacts, held: list[VersionFacts], current: VersionFacts | None) -> Effect:
    """Return what the incoming version does, given all versions held of the same resource.

    The same content again changes nothing. An older version, by meta.lastUpdated, else by a numeric
    meta.versionId, never overwrites a newer one; where the source gives neither, arrival decides. Versions
    that came by HL7 v2 go by how final they are first: a late preliminary result never replaces a final one,
    a correction always does. A deletion is undone by a version not held before, never by a repeat of one that was.
    """
    if current is None:
        return Effect.STORED
    if incoming.deleted:
        return Effect.UNCHANGED if current.deleted else Effect.STORED
    if not current.deleted and incoming.sha256 == current.sha256:
        return Effect.UNCHANGED
    if is_older(incoming, current):
        known = any(version.sha256 == incoming.sha256 and not version.deleted for version in held)
        return Effect.UNCHANGED if known else Effect.SUPERSEDED
    if any(version.sha256 == incoming.sha256 and not version.deleted for version in held):
        return Effect.UNCHANGED  # a late repeat of a version that was replaced or deleted since
    return Effect.STORED


def is_older(incoming: VersionFacts, current: VersionFacts) -> bool:
    """Return whether the source itself says that the incoming version is older."""
    rank, held_rank = _rank(incoming), _rank(current)
    if rank is not None and held_rank is not None and rank != held_rank:
        return rank < held_rank
    given, held = incoming.source_updated, current.source_updated
    if given and held and given != held:
        return given < held
    one, other = incoming.source_version, current.source_version
    return one.isdecimal() and other.isdecimal() and int(one) < int(other)


def _rank(version: VersionFacts) -> int | None:
    """Return how final a version mapped from HL7 v2 is ("v2-2"); None for any other."""
    match = _V2_RANK.fullmatch(version.source_version)
    return int(match[1]) if match else None


def status_of(resource: dict[str, Any]) -> str:
    """Return the status by which a resource counts or not; entered-in-error wins over all others.

    A document's own status (DocumentReference.docStatus) takes it out of effect as that of the reference does.
    """
    verification = (
        {
            coding.get("code", "")
            for coding in (resource.get("verificationStatus") or {}).get("coding", ())
            if isinstance(coding, dict)
        }
        if isinstance(resource.get("verificationStatus"), dict)
        else set()
    )
    if _ENTERED_IN_ERROR in (*verification, resource.get("status"), resource.get("docStatus")):
        return _ENTERED_IN_ERROR
    status = resource.get("status", "")
    return status if isinstance(status, str) else ""


def labels_of(resource: dict[str, Any]) -> list[str]:
    """Return the codes of meta.security and, of a document, of its own securityLabel."""
    security = [*((resource.get("meta") or {}).get("security") or ())]
    if resource.get("resourceType") == "DocumentReference":
        for concept in resource.get("securityLabel") or ():
            security += concept.get("coding") or ()
    return list(dict.fromkeys(str(coding["code"]) for coding in security if coding.get("code")))


# The element that says whose a resource is, for the types where it is not `subject` or `patient`
# (HL7 FHIR R4 4.0.1, Patient compartment).
_OWNERS = {"Coverage": "beneficiary", "Person": "", "Appointment": "", "RelatedPerson": "patient"}


def owner_reference(resource: dict[str, Any]) -> dict[str, Any] | None:
    """Return the Reference that says whose record the resource belongs to; None where it has none."""
    names = [_OWNERS[resource["resourceType"]]] if resource["resourceType"] in _OWNERS else []
    for name in [*names, "subject", "patient"]:
        value = resource.get(name)
        if isinstance(value, dict) and (value.get("reference") or value.get("identifier")):
            return value
    if resource["resourceType"] == "Appointment":
        return _participant(resource)
    if resource["resourceType"] == "Provenance":
        return next((t for t in resource.get("target", ()) if "Patient/" in str(t.get("reference"))), None)
    return None


def _participant(resource: dict[str, Any]) -> dict[str, Any] | None:
    actors = [p["actor"] for p in resource.get("participant", ()) if isinstance(p.get("actor"), dict)]
    return next((actor for actor in actors if "Patient/" in str(actor.get("reference"))), None)


# Types that say something about a patient and are held for nobody when they do not say about whom.
NEEDS_PATIENT = frozenset(
    [
        "AdverseEvent",
        "AllergyIntolerance",
        "CarePlan",
        "CareTeam",
        "ClinicalImpression",
        "Communication",
        "CommunicationRequest",
        "Composition",
        "Condition",
        "Consent",
        "Coverage",
        "DetectedIssue",
        "DeviceRequest",
        "DeviceUseStatement",
        "DiagnosticReport",
        "DocumentManifest",
        "DocumentReference",
        "Encounter",
        "EpisodeOfCare",
        "FamilyMemberHistory",
        "Flag",
        "Goal",
        "ImagingStudy",
        "Immunization",
        "ImmunizationEvaluation",
        "ImmunizationRecommendation",
        "List",
        "Media",
        "MedicationAdministration",
        "MedicationDispense",
        "MedicationRequest",
        "MedicationStatement",
        "NutritionOrder",
        "Observation",
        "Procedure",
        "QuestionnaireResponse",
        "RelatedPerson",
        "RequestGroup",
        "RiskAssessment",
        "ServiceRequest",
        "Specimen",
        "SupplyDelivery",
        "SupplyRequest",
        "VisionPrescription",
        "Claim",
        "ClaimResponse",
        "ExplanationOfBenefit",
    ]
)
