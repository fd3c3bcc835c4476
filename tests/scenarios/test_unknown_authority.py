"""Files of known and unknown authorities: whose record they reach, and what says that some of it waits."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.answering.services import ask, events
from clinical.answering.stored import as_json
from clinical.identity.services import find_by_fhir_id
from clinical.models import Patient, ResourceVersion
from ingestion.models import UnassignedItem
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

MRN, OTHER = "urn:oid:2.999.1", "urn:oid:2.999.2"
EHR, ELSEWHERE = "https://ehr.internal/fhir", "https://elsewhere.internal/fhir"


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({MRN, EHR})
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]


def on(server: str, *resources: dict[str, Any]) -> dict[str, Any]:
    made = bundle(*resources)
    for entry in made["entry"]:
        one = entry["resource"]
        entry["fullUrl"] = f"{server}/{one['resourceType']}/{one['id']}"
    return made


def identified(system: str, value: str, logical_id: str = "amina", **more: Any) -> dict[str, Any]:
    return patient(logical_id, identifier=[{"system": system, "value": value}], **more)


def reasons() -> set[str]:
    return set(UnassignedItem.objects.values_list("reason", flat=True))


def answer_about(logical_id: str, question: str) -> dict[str, Any]:
    found = find_by_fhir_id(logical_id)
    assert found is not None
    asked = ask(clinician(), found.id, question, clock=noon)
    return as_json(events(asked.id, clinician(), clock=noon))


def test_a_known_server_is_taken_in_and_an_unknown_one_waits() -> None:
    assert take_in(on(EHR, patient(), observation())).stored == 2
    job = take_in(on(ELSEWHERE, patient(), observation(value=9.9), note("She was given potassium.")))

    assert (job.stored, job.unassigned) == (0, 3)
    assert reasons() == {"unknown-authority", "patient-unassigned"}
    assert Patient.objects.count() == 1
    assert set(ResourceVersion.objects.values_list("server", flat=True)) == {EHR}


def test_what_waits_is_in_no_answer_and_in_every_absence() -> None:
    take_in(on(EHR, patient(), observation()))
    take_in(on(ELSEWHERE, patient(), observation(value=9.9), note("She was given tolvaptan.")))

    potassium = answer_about("amina", "What is the latest potassium?")
    assert "9.9" not in str(potassium)
    assert "4.1" in str(potassium)
    assert answer_about("amina", "Was tolvaptan given?")["absence"]["unassigned"] == 3


def test_a_bundle_of_no_server_is_tied_together_by_its_patients_known_identifier() -> None:
    """Its references mean the Patient it holds, wherever in the file he stands, in every batch."""
    many = [observation(f"k{number}") for number in range(130)]
    job = take_in(bundle(*many, identified(MRN, "7")))

    assert (job.stored, job.unassigned) == (131, 0)
    assert ResourceVersion.objects.filter(patient=Patient.objects.get()).count() == 131
    assert find_by_fhir_id("amina") == Patient.objects.get()


def test_a_file_of_no_server_means_nobody_of_another_file() -> None:
    take_in(bundle(identified(MRN, "7")))

    job = take_in(observation("stray"))
    note_job = take_in(b"---\npatient: amina\n---\nSeen today, well.\n", name="n.md")

    assert (job.unassigned, note_job.unassigned) == (1, 1)
    assert reasons() == {"unknown-authority", "patient-unknown"}


def test_ids_of_no_server_may_be_the_same_for_two_people_and_are_kept_apart() -> None:
    take_in(bundle(identified(MRN, "7"), observation("a")))
    take_in(bundle(identified(MRN, "8", name=[{"family": "Other"}], birthDate="1999-01-01"), observation("b")))

    owners = dict(ResourceVersion.objects.filter(resource_type="Observation").values_list("logical_id", "patient_id"))
    assert owners["a"] != owners["b"]


def test_the_conflict_of_a_files_patient_holds_back_what_refers_to_him() -> None:
    take_in(bundle(identified(MRN, "7")))
    job = take_in(
        bundle(
            identified(MRN, "7", "bruno", name=[{"family": "Other"}], birthDate="1999-01-01"),
            observation("b", subject="bruno"),
        )
    )

    assert (job.stored, job.unassigned) == (0, 2)
    assert reasons() == {"conflicting-demographics", "patient-unassigned"}


@pytest.mark.parametrize(("system", "reason"), [(OTHER, "unknown-authority"), (MRN, "patient-unknown")])
def test_a_note_that_names_nobody_known_says_why_it_waits(system: str, reason: str) -> None:
    take_in(f"---\nidentifier: {system}|7\n---\nSeen today, well.\n".encode(), name="n.md")

    assert reasons() == {reason}


def test_a_note_finds_its_patient_by_a_known_identifier() -> None:
    take_in(on(ELSEWHERE, identified(MRN, "7")))

    assert take_in(f"---\nidentifier: {MRN}|7\n---\nSeen today, well.\n".encode(), name="n.md").stored == 1


def test_an_absolute_reference_counts_as_one_of_the_server_it_names() -> None:
    take_in(on(EHR, patient()))

    known = observation("a") | {"subject": {"reference": f"{EHR}/Patient/amina"}}
    unknown = observation("b") | {"subject": {"reference": f"{ELSEWHERE}/Patient/amina"}}
    assert (take_in(known).stored, take_in(unknown).unassigned) == (1, 1)
    assert Patient.objects.count() == 1


def test_uploads_on_the_list_make_the_ids_of_files_count(settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"uploads"})

    assert take_in(bundle(patient(), observation())).stored == 2
    assert take_in(observation("later")).stored == 1
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(("listed", "stored", "unassigned"), [("urn:oid:2.999.1", 4, 0), ("urn:oid:2.999.9", 0, 4)])
def test_a_message_is_its_patients_by_the_assigning_authority_it_names(
    settings: Any, listed: str, stored: int, unassigned: int
) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({listed})
    message = (
        "MSH|^~\\&|LAB|SITE|APP|SITE|20260301120000+0000||ORU^R01|1|P|2.5.1\r"
        "PID|1||778^^^HOSP&2.999.1&ISO^MR||EXAMPLE^AMINA||19610402|F\r"
        "OBR|1|P1|F1|2823-3^Potassium^LN|||20260301110000+0000\r"
        "OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1|N|||F\r"
    )

    job = take_in(message.encode(), name="result.hl7")

    assert (job.stored, job.unassigned) == (stored, unassigned)
    assert reasons() <= {"unknown-authority", "patient-unassigned"}
