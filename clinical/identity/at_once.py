"""Who many items are about, asked once.

The identifiers of a group of messages are read, and new people registered, with a few statements in place of a few
for each. What is found here is what `clinical.identity.services` would find; what is not, it looks for itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from clinical.identity.authorities import is_known
from clinical.identity.services import identifier_digest, looked_up
from clinical.keys import new_data_keys
from clinical.models import CareTeamMember, Patient, PatientIdentifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

Pair = tuple[str, str]


@contextmanager
def known_at_once(pairs: Iterable[Pair], people: Iterable[Sequence[Pair]] = ()) -> Iterator[set[UUID]]:
    """Look these identifiers up together for as long as the block lasts, and register people nobody knows.

    Yields the ids of all patients found.

    A merge or an erasure by another process meanwhile is noticed where it always is: when a batch is written.

    Args:
        pairs: (authority, identifier); those of an authority unknown here find nobody.
        people: the identifiers of each described person, as `identifier_pairs` gives them.
    """
    described = [tuple(dict.fromkeys(one)) for one in people if one]
    known = _read({*pairs, *(pair for one in described for pair in one)})
    known |= _register(_new_people(described, known))
    token = looked_up.set(known)
    try:
        yield {patient.id for patient in known.values()}
    finally:
        looked_up.reset(token)


def _read(pairs: set[Pair]) -> dict[Pair, Patient]:
    """Return the patient of each pair that is known."""
    by_digest = {(one[0], identifier_digest(*one)): one for one in pairs if is_known(one[0])}
    rows = PatientIdentifier.objects.filter(value_digest__in={digest for _, digest in by_digest})
    return {
        by_digest[row.authority, row.value_digest]: row.patient
        for row in rows.select_related("patient__data_key")
        if (row.authority, row.value_digest) in by_digest
    }


def _new_people(described: Sequence[tuple[Pair, ...]], known: dict[Pair, Patient]) -> list[tuple[Pair, ...]]:
    """Return those of whom no identifier is known, each once; where two overlap, the second is left to be looked at."""
    found: list[tuple[Pair, ...]] = []
    taken: set[Pair] = set()
    for pairs in dict.fromkeys(described):
        if taken.isdisjoint(pairs) and not any(pair in known for pair in pairs):
            found.append(pairs)
            taken.update(pairs)
    return found


def _register(people: Sequence[tuple[Pair, ...]]) -> dict[Pair, Patient]:
    """Make them in one transaction; none when another writer has registered one of them meanwhile."""
    if not people:
        return {}
    try:
        with transaction.atomic():
            patients = [Patient(data_key=key) for key in new_data_keys(len(people))]
            Patient.objects.bulk_create(patients)
            PatientIdentifier.objects.bulk_create(
                [
                    PatientIdentifier(
                        patient=patient, authority=authority, value_digest=identifier_digest(authority, value)
                    )
                    for patient, pairs in zip(patients, people, strict=True)
                    for authority, value in pairs
                ]
            )
            CareTeamMember.objects.bulk_create(
                [
                    CareTeamMember(patient=patient, user_id=user)
                    for patient in patients
                    for user in settings.CLINICAL_DEFAULT_CARE_TEAM
                ]
            )
    except IntegrityError:
        return {}
    return {pair: patient for patient, pairs in zip(patients, people, strict=True) for pair in pairs}
