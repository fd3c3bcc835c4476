"""A message that only names a person, a visit or a document never empties what another has told.

Source: HL7 v2.5.1, 2.5.3.2 (a field that is not valued means no change) and 9.6 (document notifications).
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from clinical.models import ResourceVersion
from clinical.record.selectors import resource_of
from ingestion.models import UnassignedItem
from tests.factories import take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
HEAD = "MSH|^~\\&|LAB|SITE|APP|SITE|202603{}120000+0000||{}|{}|P|2.5.1"
WHOLE = "PID|1||7^^^SITE^MR||DOE^JANE^Q||19700101|F|||1 High St^^Town^ST^12345"
BARE = "PID|1||7^^^SITE^MR||DOE^JANE"
STAY = "PV1|1|I|W^1^2||||77^Smith^Ann||||||||||||V1" + "|" * 25 + "20260301100000"
RESULT = ("OBR|1|P1|F1|PANEL^Panel^L|||20260302080000+0000", "OBX|1|NM|2951-2^Na^LN||140|mmol/L|||||F")


def sent(day: str, kind: str, *lines: str) -> bytes:
    return "\r".join((HEAD.format(day, kind, f"{kind}-{day}"), *lines, "")).encode()


ADMITTED = sent("01", "ADT^A01", WHOLE, STAY)
REPORTED = sent("02", "ORU^R01", BARE, "PV1|1|O" + "|" * 17 + "V1", *RESULT)
UPDATED = sent("03", "ADT^A08", BARE, STAY)


def current(kind: str) -> dict[str, Any]:
    version = ResourceVersion.objects.get(resource_type=kind, is_current=True)
    return resource_of(version)


@pytest.mark.parametrize("order", list(permutations((ADMITTED, REPORTED, UPDATED))))
def test_a_bare_pid_or_pv1_takes_nothing_away_in_whichever_order_they_come(order: tuple[bytes, ...]) -> None:
    for raw in order:
        take_in(raw, name="message.hl7")

    patient, visit = current("Patient"), current("Encounter")
    assert (patient["gender"], patient["birthDate"], patient["name"][0]["given"]) == (
        "female",
        "1970-01-01",
        ["JANE", "Q"],
    )
    assert patient["address"][0]["city"] == "Town"
    assert (visit["status"], visit["class"]["code"]) == ("in-progress", "IMP")
    assert visit["location"]
    assert visit["participant"]
    assert current("Observation")["subject"]["reference"] == f"Patient/{patient['id']}"


def test_another_person_under_the_same_number_is_held_after_a_bare_pid_too() -> None:
    for raw in (ADMITTED, REPORTED):
        take_in(raw, name="message.hl7")
    take_in(sent("04", "ORU^R01", "PID|1||7^^^SITE^MR||OTHER^BERT||19990909|M", *RESULT), name="message.hl7")

    assert UnassignedItem.objects.exists()
    assert current("Patient")["name"][0]["family"] == "DOE"


DISCHARGED = sent("04", "ADT^A03", WHOLE, STAY + "|20260304110000")
UPDATED_LATER = sent("05", "ADT^A08", WHOLE, STAY)


@pytest.mark.parametrize("order", list(permutations((ADMITTED, DISCHARGED, UPDATED_LATER))))
def test_an_update_after_the_discharge_does_not_open_the_stay_again(order: tuple[bytes, ...]) -> None:
    for raw in order:
        take_in(raw, name="message.hl7")
    assert (current("Encounter")["status"], current("Encounter")["period"]["end"][:10]) == ("finished", "2026-03-04")

    take_in(sent("06", "ADT^A13", WHOLE, STAY), name="message.hl7")
    assert current("Encounter")["status"] == "in-progress"


def document(day: str, event: str, status: str, *body: str) -> bytes:
    txa = f"TXA|1|DS^Summary|TX|20260301||||||||D1^SITE|||||{status}||AV"
    return sent(day, f"MDM^{event}", WHOLE, txa, *body)


@pytest.mark.parametrize("event", ["T01", "T03", "T05", "T07", "T09"])
def test_a_notice_without_the_document_s_words_leaves_the_words_that_are_held(event: str) -> None:
    take_in(document("01", "T02", "LA", "OBX|1|TX|x^y||Patient had a STEMI||||||F"), name="message.hl7")
    held = current("DocumentReference")["content"]
    take_in(document("02", event, "LA"), name="message.hl7")
    assert current("DocumentReference")["content"] == held

    take_in(document("03", "T11", "LA"), name="message.hl7")
    assert current("DocumentReference")["docStatus"] == "entered-in-error"


def test_final_without_the_value_again_leaves_the_value() -> None:
    take_in(sent("01", "ORU^R01", WHOLE, RESULT[0], "OBX|1|NM|2951-2^Na^LN||140|mmol/L|||||P"), name="message.hl7")
    take_in(sent("02", "ORU^R01", WHOLE, RESULT[0], "OBX|1|NM|2951-2^Na^LN||||||||U"), name="message.hl7")
    assert current("Observation")["valueQuantity"]["value"] == 140


def test_an_order_and_its_result_are_one_request() -> None:
    take_in(sent("01", "OML^O21", WHOLE, "ORC|NW|P1", "OBR|1|P1||PANEL^Panel^L"), name="message.hl7")
    take_in(sent("02", "ORU^R01", WHOLE, "ORC|RE|P1|F1||CM", *RESULT), name="message.hl7")
    assert current("ServiceRequest")["status"] == "completed"
