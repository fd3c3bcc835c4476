"""A source that deletes its Patient takes his record back, and gives it again when he returns."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.answering import services, stored
from clinical.models import Answer, DeletionReceipt, FactRow, PassageRow, ResourceVersion
from clinical.ports import backends
from clinical.record.index_check import compare
from ingestion.models import UnassignedItem
from tests.erasing import held
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

ONE, OTHER = "https://one.internal/fhir", "https://other.internal/fhir"
MRN = [{"system": "urn:oid:2.999.1", "value": "7"}]


def deletion(kind: str, logical_id: str, server: str = "") -> dict[str, Any]:
    url = f"{server}/{kind}/{logical_id}" if server else f"{kind}/{logical_id}"
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": url}}],
    }


def on(server: str, *resources: dict[str, Any]) -> dict[str, Any]:
    made = bundle(*resources)
    for entry in made["entry"]:
        entry["fullUrl"] = f"{server}/{entry['resource']['resourceType']}/{entry['resource']['id']}"
    return made


def ask_about_amina() -> dict[str, Any]:
    question = services.ask(clinician(), held("amina").id, "What is the latest potassium?", clock=noon)
    return stored.as_json(services.events(question.id, clinician(), clock=noon))


def test_nothing_of_a_deleted_patient_is_answered_and_the_history_stays() -> None:
    take_in(bundle(patient(), observation(), note("She takes apixaban.")))
    assert "4.1" in str(ask_about_amina()["sentences"])
    amina = held("amina")

    job = take_in(deletion("Patient", "amina"))

    assert (job.received, job.stored) == (1, 1)
    assert not FactRow.objects.filter(patient=amina).exists()
    assert not PassageRow.objects.filter(patient=amina).exists()
    assert list(backends().index.passage_ids()) == []
    assert ResourceVersion.objects.filter(patient=amina, is_current=False).count() == 3
    assert Answer.objects.get().stale_since is not None
    receipt = DeletionReceipt.objects.get(reason="withdrawn")
    assert receipt.before == {"versions": 2, "facts": 2, "passages": 1}


def test_what_is_said_of_him_meanwhile_waits_and_is_counted() -> None:
    take_in(bundle(patient(), observation()))
    take_in(deletion("Patient", "amina"))

    assert take_in(bundle(observation("k2"), observation("k1"))).unassigned == 2
    assert set(UnassignedItem.objects.values_list("reason", flat=True)) == {"patient-deleted"}


def test_when_he_comes_back_what_was_taken_back_is_answered_again() -> None:
    take_in(bundle(patient(), observation(), observation("gone", value=9.9), note("She takes apixaban.")))
    take_in(deletion("Observation", "gone"))
    take_in(deletion("Patient", "amina"))

    again = take_in(bundle(patient(meta={"versionId": "2"}), observation("k2", value=4.6, when="2026-02-09")))

    assert (again.received, again.stored) == (2, 2)
    assert "4.6" in str(ask_about_amina()["sentences"])
    values = set(FactRow.objects.filter(kind="observation").values_list("version__logical_id", flat=True))
    assert values == {"k1", "k2"}
    assert PassageRow.objects.count() == 1
    assert compare().equal


def test_a_patient_of_two_sources_loses_only_what_the_one_has_sent() -> None:
    take_in(on(ONE, patient("amina", identifier=MRN), observation("a")))
    take_in(on(OTHER, patient("99", identifier=MRN), observation("b", subject="99")))
    assert held("amina") == held("99")

    take_in(deletion("Patient", "99", OTHER))

    assert set(FactRow.objects.filter(kind="observation").values_list("version__logical_id", flat=True)) == {"a"}
    assert take_in(on(OTHER, observation("c", subject="99"))).unassigned == 1
    assert take_in(on(ONE, observation("d"))).stored == 1
