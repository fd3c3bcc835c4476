"""Nothing that a C-CDA medication says of how it is to be taken is lost.

Source: C-CDA R2.1, Medication Activity and Medication Dispense; HL7 FHIR R4, Dosage and MedicationDispense.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from clinical.domain.projection import project
from clinical.domain.projection.rows import MedicationRow
from ingestion.domain.ccda.datatypes import UCUM
from ingestion.domain.r4.check import check_resource
from tests.unit.test_ccda_document import resources

ROOT = "2.16.840.1.113883.10.20.22.4"
SNOMED = 'codeSystem="2.16.840.1.113883.6.96"'
DRUG = """<manufacturedProduct><manufacturedMaterial><code code="197806" displayName="Ibuprofen 600 MG Oral Tablet"
codeSystem="2.16.840.1.113883.6.88"/></manufacturedMaterial></manufacturedProduct>"""
ENCODE = msgspec.json.Encoder(decimal_format="number").encode


def read(inside: str, kind: str = "MedicationStatement") -> dict[str, Any]:
    """Return the resource of a Medication Activity with these elements."""
    [found] = resources(
        f"""<substanceAdministration moodCode="EVN"><templateId root="{ROOT}.16"/><statusCode code="active"/>{inside}
        <consumable>{DRUG}</consumable></substanceAdministration>""",
        code="10160-0",
    )[kind]
    check_resource(ENCODE(found))
    return found


def dosage(inside: str) -> dict[str, Any]:
    [found] = read(inside)["dosage"]
    return dict(found)


def every(period: str) -> str:
    return f'<effectiveTime xsi:type="PIVL_TS" operator="A">{period}</effectiveTime>'


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<doseQuantity value="2" unit="mg"/>', {"doseQuantity": (2, "mg")}),
        ('<doseQuantity><low value="1"/><high value="2"/></doseQuantity>', {"doseRange": ((1, ""), (2, ""))}),
        ('<doseQuantity><low value="2"/><high value="2"/></doseQuantity>', {"doseQuantity": (2, "")}),
        ('<rateQuantity value="90" unit="mL/h"/>', {"rateQuantity": (90, "mL/h")}),
        (
            '<rateQuantity><low value="80" unit="mL/h"/><high value="90" unit="mL/h"/></rateQuantity>',
            {"rateRange": ((80, "mL/h"), (90, "mL/h"))},
        ),
        (
            '<doseQuantity value="2"/><administrationUnitCode code="C42998" displayName="Tablet"/>',
            {"doseQuantity": (2, "Tablet")},
        ),
    ],
)
def test_dose_and_rate_are_kept_with_their_ranges(inside: str, expected: dict[str, Any]) -> None:
    [found] = dosage(inside)["doseAndRate"]

    def plain(one: dict[str, Any]) -> Any:
        if "low" in one:
            return (plain(one["low"]), plain(one["high"]))
        return (int(one["value"]), one.get("unit", ""))

    assert {name: plain(one) for name, one in found.items()} == expected


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ('<period value="6" unit="h"/>', {"frequency": 1, "period": 6, "periodUnit": "h"}),
        (
            '<period><low value="4" unit="h"/><high value="6" unit="h"/></period>',
            {"frequency": 1, "period": 4, "periodMax": 6, "periodUnit": "h"},
        ),
        ('<period><high value="6" unit="h"/></period>', {"frequency": 1, "period": 6, "periodUnit": "h"}),
    ],
)
def test_how_often_is_kept_with_both_ends(period: str, expected: dict[str, Any]) -> None:
    assert dosage(every(period))["timing"] == {"repeat": expected}


def test_how_often_without_a_unit_of_time_is_nothing() -> None:
    assert not read(every('<period value="6"/>')).get("dosage")


def test_the_most_that_may_be_taken_is_kept() -> None:
    most = '<maxDoseQuantity><numerator value="8"/><denominator value="1" unit="d"/></maxDoseQuantity>'

    assert dosage(most)["maxDosePerPeriod"] == {
        "numerator": {"value": Decimal(8)},
        "denominator": {"value": Decimal(1), "unit": "d", "system": UCUM, "code": "d"},
    }


def test_what_it_is_taken_for_as_needed_where_and_why_are_kept() -> None:
    found = read(f"""<approachSiteCode code="368208006" displayName="Left upper arm" {SNOMED}/>
    <precondition><criterion><code code="ASSERTION"/>
    <value xsi:type="CD" code="56018004" displayName="Wheezing" {SNOMED}/></criterion></precondition>
    <entryRelationship typeCode="RSON"><observation><templateId root="{ROOT}.19"/>
    <value xsi:type="CD" code="22253000" displayName="Pain" {SNOMED}/></observation></entryRelationship>""")

    [taken] = found["dosage"]
    assert taken["asNeededCodeableConcept"]["coding"][0]["code"] == "56018004"
    assert "asNeededBoolean" not in taken
    assert taken["site"]["coding"][0]["code"] == "368208006"
    assert [one["coding"][0]["code"] for one in found["reasonCode"]] == ["22253000"]


def test_as_needed_without_a_reason_is_as_needed() -> None:
    assert dosage("<precondition/>") == {"asNeededBoolean": True}


def test_what_was_handed_over_is_kept_beside_it() -> None:
    found = read(
        f"""<entryRelationship typeCode="REFR"><supply moodCode="EVN"><templateId root="{ROOT}.18"/>
        <id root="1.2" extension="s"/><statusCode code="completed"/><effectiveTime value="20260302"/>
        <quantity value="75"/><product>{DRUG}</product></supply></entryRelationship>""",
        "MedicationDispense",
    )

    assert found["status"] == "completed"
    assert found["whenHandedOver"].startswith("2026-03-02")
    assert found["quantity"] == {"value": Decimal(75)}


def test_all_of_it_stands_in_what_is_shown_of_the_medicine() -> None:
    found = read(
        every('<period><low value="4" unit="h"/><high value="6" unit="h"/></period>')
        + """<routeCode code="C38288" displayName="ORAL" codeSystem="2.16.840.1.113883.3.26.1.1"/>
    <doseQuantity><low value="1"/><high value="2"/></doseQuantity><rateQuantity value="90" unit="mL/h"/>
    <maxDoseQuantity><numerator value="8"/><denominator value="1" unit="d"/></maxDoseQuantity>
    <administrationUnitCode code="C42998" displayName="Tablet"/><precondition><criterion><value xsi:type="CD"
    code="22253000" displayName="pain"/></criterion></precondition>"""
    )
    [row] = [one for one in project(found, {}) if isinstance(one, MedicationRow)]

    assert row.dose == "1 Tablet to 2 Tablet at 90 mL/h"
    assert row.timing == "every 4 to 6 hours, for pain, at most 8 per 1 d"
    assert row.as_needed
