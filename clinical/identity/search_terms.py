"""Finding a patient by the start of a name, by birth date or identifier, without names lying in clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from clinical.domain.demographics import fold, name_words
from clinical.models import Patient, PatientSearchTerm
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

SHORTEST_PREFIX: Final = 2
LONGEST_PREFIX: Final = 12


def _digest(term: str) -> str:
    return backends().master_key.digest(term, purpose="search")


def terms_of(resource: dict[str, Any]) -> set[str]:
    """Return every term a Patient resource can be found by."""
    terms = {
        word[:length]
        for word in name_words(resource)
        for length in range(SHORTEST_PREFIX, min(len(word), LONGEST_PREFIX) + 1)
    }
    terms.update(fold(str(i["value"])) for i in resource.get("identifier", ()) if i.get("value"))
    terms.update(fold(str(resource[key])) for key in ("birthDate", "id") if resource.get(key))
    return terms


def replace_search_terms(patient: Patient, resource: dict[str, Any]) -> None:
    """Make the patient's terms these; most messages name him as the last one did, and nothing is written."""
    rows = PatientSearchTerm.objects.filter(patient=patient)
    held, wanted = set(rows.values_list("digest", flat=True)), {_digest(term) for term in terms_of(resource)}
    if gone := held - wanted:
        rows.filter(digest__in=gone).delete()
    PatientSearchTerm.objects.bulk_create(
        [PatientSearchTerm(patient=patient, digest=digest) for digest in sorted(wanted - held)]
    )


def search(text: str, *, among: Iterable[UUID]) -> set[UUID]:
    """Return which of the patients match every word of the text."""
    found = set(among)
    for word in fold(text).split():
        whole, prefix = _digest(word), _digest(word[:LONGEST_PREFIX])
        found &= set(
            PatientSearchTerm.objects.filter(digest__in={whole, prefix}, patient_id__in=found).values_list(
                "patient_id", flat=True
            )
        )
    return found
