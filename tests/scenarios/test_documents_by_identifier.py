"""A document that replaces or adds to one that it names by identifier only, in whichever order the two come.

Source: HL7 FHIR R4 4.0.1, DocumentReference.relatesTo.target and Reference.identifier (a logical reference).
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from clinical.answering import services, stored
from clinical.models import Answer, DocumentRelation, ResourceVersion
from clinical.record.addenda import relatives_of
from clinical.record.index_check import compare
from tests.erasing import held
from tests.factories import bundle, clinician, noon, note, patient, take_in
from tests.scenarios.test_document_life import grant, words
from tests.unit.test_patient_deleted import deletion

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
NAME = {"system": "urn:clinic:documents", "value": "D-4711"}
FIRST = note("Apixaban was stopped for bleeding.", logical_id="first", masterIdentifier=NAME)
OLD, NEW = "Apixaban was stopped for bleeding.", "Apixaban was stopped for a planned operation."


def related(code: str = "replaces", logical_id: str = "second", **target: Any) -> dict[str, Any]:
    return note(NEW, logical_id=logical_id, relatesTo=[{"code": code, "target": {"identifier": NAME, **target}}])


@pytest.mark.parametrize("order", list(permutations((FIRST, related(), patient()))))
def test_a_document_replaced_by_identifier_is_in_no_answer(order: tuple[dict[str, Any], ...]) -> None:
    for one in order:
        take_in(one)
    assert words() == [NEW]
    assert compare().equal


@pytest.mark.parametrize("order", [(FIRST, related()), (related(), FIRST)])
def test_in_one_bundle_too_and_undone_it_comes_back(order: tuple[dict[str, Any], ...]) -> None:
    for _ in range(2):
        take_in(bundle(patient(), *order))
    assert words() == [NEW]
    take_in(deletion("DocumentReference", "second"))
    assert words() == [OLD]


def test_any_identifier_of_the_document_names_it() -> None:
    take_in(bundle(patient(), note(OLD, logical_id="first", identifier=[{"value": "x"}, NAME]), related()))
    assert words() == [NEW]


def test_a_second_replacement_by_the_same_identifier_is_followed_when_the_first_goes() -> None:
    take_in(bundle(patient(), FIRST, related(), related(logical_id="third")))
    take_in(deletion("DocumentReference", "second"))
    assert words() == [NEW]
    take_in(deletion("DocumentReference", "third"))
    assert words() == [OLD]


@pytest.mark.parametrize(
    "other",
    [
        note(OLD, logical_id="first", identifier=[NAME | {"system": "urn:other"}]),
        note(OLD, logical_id="first", identifier=[{"value": "D-4711"}]),
    ],
)
def test_another_identifier_names_another_document(other: dict[str, Any]) -> None:
    take_in(bundle(patient(), other, related()))
    assert words() == sorted([OLD, NEW])


def test_a_document_of_another_patient_is_never_meant() -> None:
    take_in(bundle(patient(), FIRST, patient("berta", birthDate="1950-01-01")))
    take_in(related() | {"subject": {"reference": "Patient/berta"}})
    assert words() == [OLD]


def test_an_addendum_by_identifier_is_named_with_its_parent() -> None:
    take_in(bundle(patient(), FIRST))
    asked = services.ask(clinician(), held("amina").id, "Why was apixaban stopped?", clock=noon)
    assert "bleeding" in str(stored.as_json(services.events(asked.id, clinician(), clock=noon))["sentences"])

    take_in(related("appends"))

    assert Answer.objects.get().stale_reason == "corrected"
    row = ResourceVersion.objects.get(logical_id="second")
    assert [(one.role, one.resource) for one in relatives_of(grant(), row)] == [("parent", "DocumentReference/first")]


def test_the_identifier_is_kept_as_a_keyed_digest_only() -> None:
    take_in(bundle(patient(), FIRST, related(identifier=NAME | {"value": "unheard"})))
    assert not any(
        "4711" in one or "unheard" in one for one in DocumentRelation.objects.values_list("target_id", flat=True)
    )
    assert DocumentRelation.objects.filter(target_type="identifier").count() == 2


def test_a_document_that_its_source_calls_superseded_is_named_so_where_an_answer_quotes_it() -> None:
    take_in(bundle(patient(), FIRST | {"status": "superseded"}))
    asked = services.ask(clinician(), held("amina").id, "Why was apixaban stopped?", clock=noon)
    told = stored.as_json(services.events(asked.id, clinician(), clock=noon))
    assert "bleeding" in str(told["sentences"])
    assert all("superseded" in one["title"] for one in told["sources"])
    assert told["sources"]
