"""A document that replaces another, an addendum, and a Binary that comes apart from its document.

Sources: HL7 FHIR R4 4.0.1, DocumentReference.relatesTo, Attachment and Binary; HL7 v2.8.2 chapter 9 (T06, T09, T10,
T11).
"""

from __future__ import annotations

import base64
import hashlib
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from clinical.access.services import grant_access
from clinical.answering import services, stored
from clinical.models import Answer, DeletionReceipt, FactRow, PassageRow, ResourceVersion
from clinical.ports import backends
from clinical.record.addenda import relatives_of
from clinical.record.index_check import compare
from clinical.record.selectors import all_passages_of
from ingestion import pipeline
from ingestion.models import IngestJob, QuarantinedItem
from tests.erasing import erased, held
from tests.factories import LIMITS, NOON, bundle, clinician, noon, note, patient, take_in
from tests.unit.mllp_sender import message
from tests.unit.test_patient_deleted import deletion

if TYPE_CHECKING:
    from clinical.domain.access import AccessGrant

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
FIRST = note("Apixaban was stopped for bleeding.", logical_id="first")
SECOND = note(
    "Apixaban was stopped for a planned operation.",
    logical_id="second",
    relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/first"}}],
)
ADDED = note(
    "The operation was put off.",
    logical_id="added",
    relatesTo=[{"code": "appends", "target": {"reference": "DocumentReference/second"}}],
    date="2026-02-12T09:00:00Z",
)


def grant() -> AccessGrant:
    return grant_access(clinician(), held("amina").id, action="chart.view", now=NOON)


def words() -> list[str]:
    return sorted(one.text for one in all_passages_of(grant()))


def asked() -> dict[str, Any]:
    question = services.ask(clinician(), held("amina").id, "Why was apixaban stopped?", clock=noon)
    return stored.as_json(services.events(question.id, clinician(), clock=noon))


@pytest.mark.parametrize("order", list(permutations((FIRST, SECOND, patient()))))
def test_a_replaced_document_is_in_no_answer_in_whichever_order_the_two_come(order: tuple[dict[str, Any], ...]) -> None:
    for one in order:
        take_in(one)

    assert words() == ["Apixaban was stopped for a planned operation."]
    assert not FactRow.objects.filter(version__logical_id="first").exists()
    assert ResourceVersion.objects.filter(logical_id="first").count() == 1  # history stays
    assert compare().equal
    assert len(list(backends().index.passage_ids())) == 1


def test_in_one_bundle_and_sent_again_it_stays_replaced() -> None:
    for _ in range(2):
        take_in(bundle(patient(), SECOND, FIRST))

    assert words() == ["Apixaban was stopped for a planned operation."]
    assert ResourceVersion.objects.filter(logical_id="first").count() == 1


def test_answers_on_it_turn_stale_and_a_receipt_counts_what_left() -> None:
    take_in(bundle(patient(), FIRST))
    assert "bleeding" in str(asked()["sentences"])

    take_in(SECOND)

    assert Answer.objects.get().stale_reason == "replaced"
    receipt = DeletionReceipt.objects.get(reason="replaced")
    assert receipt.resource == "DocumentReference/first"
    assert (receipt.before["passages"], receipt.after["passages"]) == (1, 0)
    again = str(asked()["sentences"])
    assert "planned operation" in again
    assert "bleeding" not in again


@pytest.mark.parametrize("undone", [SECOND | {"status": "entered-in-error"}, deletion("DocumentReference", "second")])
def test_when_the_replacement_was_wrong_the_former_document_counts_again(undone: dict[str, Any]) -> None:
    take_in(bundle(patient(), FIRST, SECOND))

    take_in(undone)

    assert words() == ["Apixaban was stopped for bleeding."]
    assert compare().equal


def test_a_later_version_of_a_replaced_document_is_history() -> None:
    take_in(bundle(patient(), FIRST, SECOND))

    job = take_in(note("Apixaban was stopped for anaemia.", logical_id="first"))

    assert (job.superseded, job.stored) == (1, 0)
    assert words() == ["Apixaban was stopped for a planned operation."]


def test_a_document_of_another_patient_is_never_replaced() -> None:
    take_in(bundle(patient(), FIRST, patient("berta", birthDate="1950-01-01")))

    take_in(SECOND | {"subject": {"reference": "Patient/berta"}})

    assert words() == ["Apixaban was stopped for bleeding."]


def test_an_addendum_is_named_with_its_parent_and_answers_on_the_parent_turn_stale() -> None:
    take_in(bundle(patient(), SECOND))
    assert "planned operation" in str(asked()["sentences"])

    take_in(ADDED)

    assert Answer.objects.get().stale_reason == "corrected"
    titles = {one.span.resource: one.title for one in all_passages_of(grant())}
    assert "addendum to the document" in titles["DocumentReference/added"]
    assert "has an addendum" in titles["DocumentReference/second"]
    rows = {row.logical_id: row for row in ResourceVersion.objects.filter(resource_type="DocumentReference")}
    assert [(one.role, one.resource) for one in relatives_of(grant(), rows["second"])] == [
        ("addendum", "DocumentReference/added")
    ]
    assert [(one.role, one.resource) for one in relatives_of(grant(), rows["added"])] == [
        ("parent", "DocumentReference/second")
    ]


def test_a_document_that_its_source_calls_superseded_is_kept_and_says_so() -> None:
    take_in(bundle(patient(), FIRST | {"status": "superseded"}))

    [passage] = all_passages_of(grant())

    assert passage.text == "Apixaban was stopped for bleeding."
    assert passage.title.endswith(", superseded")


def test_a_message_replaces_cancels_and_brings_back() -> None:
    """T10 with TXA-13 takes the place of the parent, T11 takes the replacement back."""

    def document(event: str, number: str, text: str, parent: str = "") -> None:
        segments = (
            "EVN|{event}|20260301",
            "PID|1||7^^^WARD^MR||EXAMPLE^ANNA||19610402|F",
            "TXA|1|PN^Progress note|TX|20260301110000||||||||{document}|{parent}||||AU",
            "OBX|1|TX|||{value}||||||F",
        )
        values = {"event": event, "document": number, "parent": parent, "value": text, "control": f"{event}{number}"}
        take_in(message((f"MDM^{event}^MDM_T02", segments), **values), name="message.hl7")

    def said() -> list[str]:
        current = PassageRow.objects.values_list("version__logical_id", flat=True)
        return sorted(set(current))

    document("T02", "D1", "Ankles swollen since Monday.")
    [first] = said()
    document("T10", "D2", "Ankles swollen since Sunday.", "D1")
    [second] = said()
    assert second != first
    document("T11", "D2", "", "D1")

    assert said() == [first]


PDF = b"%PDF-1.4 no words"
PLAIN = b"Apixaban was stopped for bleeding, says the letter."


def binary(content: bytes = PLAIN, logical_id: str = "b1") -> dict[str, Any]:
    return {
        "resourceType": "Binary",
        "id": logical_id,
        "contentType": "text/plain",
        "data": base64.b64encode(content).decode(),
    }


def letter(content: bytes = PLAIN, **more: Any) -> dict[str, Any]:
    digest = base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()
    attachment = {"contentType": "text/plain", "url": "Binary/b1", "hash": digest, "size": len(content)}
    return note("", logical_id="letter", **more) | {"content": [{"attachment": attachment}]}


def work_through() -> None:
    """Do what the workers do: bring every open job to its end."""
    while due := pipeline.due(NOON):
        for job_id in due:
            pipeline.run(job_id, limits=LIMITS, clock=noon)


@pytest.mark.parametrize("order", list(permutations((patient(), letter(), binary()))))
def test_a_binary_and_its_document_are_joined_in_whichever_order_they_come(order: tuple[dict[str, Any], ...]) -> None:
    for one in order:
        take_in(one)
        work_through()

    assert words() == [PLAIN.decode()]
    assert ResourceVersion.objects.get(resource_type="Binary").patient == held("amina")
    jobs = IngestJob.objects.count()
    for one in order:
        job = take_in(one)
        assert (job.received, job.unchanged) == (1, 1)
    assert IngestJob.objects.count() == jobs + len(order)  # nothing is taken in once more


def test_a_binary_that_is_not_what_the_hash_says_is_named_in_quarantine_and_shown_nowhere() -> None:
    take_in(bundle(patient(), letter()))

    take_in(binary(b"Somebody else's letter, of the same size, I say!!!"))
    work_through()

    assert words() == []
    assert QuarantinedItem.objects.get().reason in {"hash-mismatch", "size-mismatch"}


def test_a_corrected_binary_replaces_the_words() -> None:
    take_in(bundle(patient(), letter() | {"content": [{"attachment": {"url": "Binary/b1"}}]}))
    take_in(binary(b"First words."))
    work_through()
    assert words() == ["First words."]

    take_in(binary(b"Corrected words."))
    work_through()

    assert words() == ["Corrected words."]


def test_a_binary_of_the_documents_own_bundle_is_corrected_by_itself() -> None:
    own = bundle(patient(), letter() | {"content": [{"attachment": {"url": "Binary/b1"}}]}, binary(b"First words."))
    take_in(own)
    assert words() == ["First words."]

    take_in(binary(b"Corrected words."))
    work_through()
    assert words() == ["Corrected words."]

    take_in(own)
    work_through()
    assert words() == ["Corrected words."]
    take_in(bundle(patient(), own["entry"][1]["resource"], binary(b"Words of a later Bundle.")))
    assert words() == ["Words of a later Bundle."]
    assert compare().equal


def test_a_deleted_binary_takes_the_words_with_it() -> None:
    take_in(bundle(patient(), letter()))
    take_in(binary())
    work_through()
    assert words() == [PLAIN.decode()]

    take_in(deletion("Binary", "b1"))

    assert words() == []
    assert compare().equal
    assert DeletionReceipt.objects.get(reason="content-deleted").before == {"passages": 1}


def test_a_binary_of_another_patients_document_is_not_shown_and_the_document_waits() -> None:
    take_in(bundle(patient(), letter()))
    take_in(binary())
    work_through()
    take_in(patient("berta", birthDate="1950-01-01"))

    job = take_in(letter(subject={"reference": "Patient/berta"}) | {"id": "other"})

    assert job.unassigned == 1


def test_an_erased_patients_binary_goes_with_its_file() -> None:
    take_in(binary(), name="binary.json")
    take_in(bundle(patient(), letter()))
    work_through()

    erased("amina")

    assert not ResourceVersion.objects.filter(resource_type="Binary").exists()
    assert set(IngestJob.objects.values_list("original_id", flat=True)) == {"erased"}
