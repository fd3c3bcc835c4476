"""What the client sent along: data, no data (null), or an error, which is never taken for "there is none".

Source: CDS Hooks 2.0, "Prefetch Template": a key may be missing, its value null, a resource or a searchset; a client
that could not read should leave the key out, and some send an OperationOutcome in its place. There are no pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from clinical.cds_hooks.refusals import HookRequestError

MOST_KEYS: Final = 50
_SEVERE: Final = frozenset({"fatal", "error"})
_TYPES: Final = {"allergies": "AllergyIntolerance", "medications": "MedicationRequest"}


@dataclass(frozen=True, slots=True)
class Prefetched:
    """The data of a call.

    `resources` are allergies and orders, `medications` what orders refer to, `failed` the keys that hold an error or
    one page only.
    """

    patient: dict[str, Any] | None = None
    resources: tuple[dict[str, Any], ...] = ()
    medications: tuple[dict[str, Any], ...] = ()
    failed: tuple[str, ...] = ()


def read_prefetch(prefetch: object, *, patient_id: str) -> Prefetched:
    """Return what was sent along; keys that no service asks for are not looked at.

    Raises:
        HookRequestError: wrong-type, too-many, or bad-value where a resource is about another patient.
    """
    if prefetch is None:
        return Prefetched()
    if not isinstance(prefetch, dict):
        raise HookRequestError("wrong-type", "prefetch")
    if len(prefetch) > MOST_KEYS:
        raise HookRequestError("too-many", "prefetch")
    resources: list[dict[str, Any]] = []
    medications: list[dict[str, Any]] = []
    failed: list[str] = []
    for key, wanted in _TYPES.items():
        found, complete = _resources(prefetch.get(key), f"prefetch.{key}")
        medications += [one for one in found if one["resourceType"] == "Medication"]
        own = [one for one in found if one["resourceType"] == wanted]
        for one in own:
            _refuse_other_patient(one, patient_id, f"prefetch.{key}")
        resources += own
        others = [one for one in found if one["resourceType"] not in (wanted, "Medication")]
        if not complete or (others and not own):
            failed.append(key)
    patient, complete = _patient(prefetch.get("patient"), patient_id)
    return Prefetched(
        patient, tuple(resources), tuple(medications), tuple(failed if complete else [*failed, "patient"])
    )


def _patient(value: object, patient_id: str) -> tuple[dict[str, Any] | None, bool]:
    found, complete = _resources(value, "prefetch.patient")
    people = [one for one in found if one["resourceType"] == "Patient"]
    if any(one.get("id") != patient_id for one in people):
        raise HookRequestError("bad-value", "prefetch.patient.id")
    return (people[0] if people else None, complete)


def _resources(value: object, element: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the resources of a prefetch value, and whether they are all there are."""
    if value is None:
        return [], True
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise HookRequestError("wrong-type", element)
    if value["resourceType"] == "OperationOutcome":
        return [], False
    if value["resourceType"] != "Bundle":
        return [value], True
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        raise HookRequestError("wrong-type", f"{element}.entry")
    found, complete = [], not _has_next(value) and not _is_cut(value, entries)
    for number, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise HookRequestError("wrong-type", f"{element}.entry[{number}].resource")
        if resource["resourceType"] == "OperationOutcome":
            complete = complete and not _is_error(resource)
        else:
            found.append(resource)
    return found, complete


def _has_next(bundle: dict[str, Any]) -> bool:
    links = bundle.get("link")
    return isinstance(links, list) and any(isinstance(one, dict) and one.get("relation") == "next" for one in links)


def _is_cut(bundle: dict[str, Any], entries: list[Any]) -> bool:
    """Return whether fewer matches were sent than the search had; Bundle.total does not count what is included."""
    total = bundle.get("total")
    return isinstance(total, int) and total > sum(not _is_beside(one) for one in entries)


def _is_beside(entry: object) -> bool:
    search = entry.get("search") if isinstance(entry, dict) else None
    return isinstance(search, dict) and search.get("mode") in ("include", "outcome")


def _is_error(outcome: dict[str, Any]) -> bool:
    """Return whether an outcome beside results says that something failed; one that cannot be read does."""
    issues = outcome.get("issue")
    if not isinstance(issues, list) or not issues:
        return True
    return any(not isinstance(one, dict) or one.get("severity") in _SEVERE for one in issues)


def _refuse_other_patient(resource: dict[str, Any], patient_id: str, element: str) -> None:
    about = resource.get("subject") or resource.get("patient")
    reference = about.get("reference") if isinstance(about, dict) else None
    if not isinstance(reference, str) or reference.startswith("#"):
        return  # a contained Patient is named by no id that could be compared; the search was for this patient
    named = reference.partition("/_history/")[0]
    if named.rpartition("/")[2] != patient_id:
        raise HookRequestError("bad-value", element)
