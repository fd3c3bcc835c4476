"""Unsolicited laboratory messages (OUL): each result with its own order and its own specimen.

Source: HL7 v2.5.1, 13.3 (OUL^R21 to R24).
"""

from __future__ import annotations

from typing import Any

from tests.unit.test_v2_results import resources

URINE = "SPM|1|S1||UR^Urine^L|||||||||||||20260301090000+0000"
BLOOD = "SPM|2|S2||BLD^Blood^L|||||||||||||20260301080000+0000"
URINALYSIS = "OBR|1|P1|F1|UA^Urinalysis^L|||20260301090000+0000"
COUNT = "OBR|2|P2|F2|CBC^Blood count^L|||20260301080000+0000"
COLOUR = "OBX|1|ST|5778-6^Colour^LN||Yellow||||||F"
HB = "OBX|1|NM|718-7^Hb^LN||13.1|g/dL|||||F"


def found(event: str, *lines: str) -> dict[str, dict[str, Any]]:
    """Return, of each observation by its value, its date, its specimen and the report it stands in."""
    held = resources(*lines, kind=f"OUL^{event}")
    kinds = {f"Specimen/{one['id']}": one["type"]["text"] for one in held["Specimen"]}
    reports = {
        result["reference"]: report["code"]["text"]
        for report in held["DiagnosticReport"]
        for result in report["result"]
    }
    return {
        one["code"]["text"]: {
            "at": one.get("effectiveDateTime", "")[:13],
            "specimen": kinds.get(one.get("specimen", {}).get("reference", ""), ""),
            "report": reports.get(f"Observation/{one['id']}", ""),
        }
        for one in held["Observation"]
    }


EXPECTED = {
    "Colour": {"at": "2026-03-01T09", "specimen": "Urine", "report": "Urinalysis"},
    "Hb": {"at": "2026-03-01T08", "specimen": "Blood", "report": "Blood count"},
}


def test_a_specimen_stands_before_its_orders_and_orc_after_obr() -> None:
    lines = (URINE, URINALYSIS, "ORC|RE|P1|F1||CM", COLOUR, BLOOD, COUNT, "ORC|RE|P2|F2||CM", HB)
    assert found("R22", *lines) == EXPECTED


def test_two_orders_on_one_specimen_share_it() -> None:
    second = COUNT.replace("20260301080000", "20260301083000")
    told = found("R22", BLOOD, COUNT.replace("P2|F2", "P3|F3"), HB.replace("718-7^Hb", "777-3^Plt"), second, HB)
    assert {one["specimen"] for one in told.values()} == {"Blood"}
    assert [one["report"] for one in told.values()] == ["Blood count", "Blood count"]


def test_containers_between_change_nothing() -> None:
    lines = (URINE, "SAC|||C1", URINALYSIS, COLOUR, BLOOD, "SAC|||C2", "INV|X^Y^L|OK", COUNT, HB)
    assert found("R23", *lines) == EXPECTED


def test_a_specimen_after_its_results_belongs_to_them() -> None:
    lines = (URINALYSIS, "ORC|RE|P1|F1||CM", COLOUR, URINE, COUNT, "ORC|RE|P2|F2||CM", HB, BLOOD)
    assert found("R24", *lines) == EXPECTED


def test_orders_without_specimens_keep_their_results() -> None:
    held = resources("ORC|RE|P1|F1||CM", URINALYSIS, COLOUR, "ORC|RE|P2|F2||CM", COUNT, HB, kind="OUL^R21")
    assert [report["code"]["text"] for report in held["DiagnosticReport"]] == ["Urinalysis", "Blood count"]
    assert [len(report["result"]) for report in held["DiagnosticReport"]] == [1, 1]


def test_what_is_measured_of_the_specimen_itself_is_no_result_of_the_order_before() -> None:
    of_it = "OBX|1|NM|3169-8^Volume^LN||50|mL|||||F"
    held = resources(URINE, URINALYSIS, COLOUR, BLOOD, of_it, COUNT, HB, kind="OUL^R22")
    in_reports = {one["reference"] for report in held["DiagnosticReport"] for one in report["result"]}
    [volume] = [one for one in held["Observation"] if one["code"]["text"] == "Volume"]
    assert f"Observation/{volume['id']}" not in in_reports
