"""A result that comes by FHIR and by HL7 v2 is one fact; one that differs is a conflict that is shown."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.access.services import grant_access
from clinical.domain.facts.measurements import results, row_of
from clinical.identity.services import find
from clinical.record.selectors import facts_of
from tests.factories import bundle, clinician, noon, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

MRN = {"system": "urn:oid:1.2.3", "value": "7"}
V2 = (
    "MSH|^~\\&|LAB|SITE|APP|SITE|20260210090500+0000||ORU^R01^ORU_R01|42|P|2.5.1\r"
    "PID|1||7^^^MRN&1.2.3&ISO^MR||Example^Amina||19610402|F\r"
    "OBR|1|P1|F1|U^U&E^L|||20260210090000+0000\r"
    "OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^mmol/L^UCUM|||||F|||20260210090000+0000\r"
)


def held() -> list[str]:
    found = find("urn:oid:1.2.3", "7")
    assert found is not None
    grant = grant_access(clinician(), found.id, action="question.ask", now=noon())
    return sorted(row_of(fact).value.number for fact in results(facts_of(grant)))


@pytest.mark.parametrize("by_v2_first", [True, False])
@pytest.mark.parametrize(("value", "expected"), [("4.1", ["4.1"]), ("4.9", ["4.1", "4.9"])])
def test_the_same_value_of_the_same_moment_is_one_result(value: str, expected: list[str], *, by_v2_first: bool) -> None:
    fhir = bundle(patient(identifier=[MRN]), observation(value=4.1, effectiveDateTime="2026-02-10T10:00:00+01:00"))
    sent: list[bytes | dict[str, Any]] = [V2.format(value=value).encode(), fhir]

    for content in sent if by_v2_first else sent[::-1]:
        take_in(content)

    assert held() == expected
