"""Notes and structured data of the clinic agree, and its codes are well formed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from appliance.demo_clinic.bundles import record
from appliance.demo_clinic.notes import notes_of
from appliance.demo_clinic.tables import TABLES, codes, people, traps

Json = dict[str, Any]

# how a note writes a measured value -> key of the table
WRITTEN = {
    r"\bHb (?:was )?(\d+\.\d)\b": "hb",
    r"\bK (?:also )?(\d\.\d)\b": "k",
    r"\b[Cc]reat(?: was)? (\d\.\d)\b": "creat",
    r"\bNa (\d{3})\b": "na",
    r"\bINR (\d\.\d)\b": "inr",
    r"\bHbA1c (\d+\.\d)\b": "a1c",
    r"\beGFR (\d+)\b": "egfr",
    r"\bTSH (?:was )?(<?\d+\.\d+)\b": "tsh",
    r"\bBP (?:sitting )?(\d{2,3}/\d{2,3})\b": "bp",
    r"\bHR (\d+)\b": "hr",
    r"\bSpO2 (\d+)\b": "spo2",
    r"\b[Ww]eight (\d+\.\d) kg\b": "weight",
    r"\bALT (\d+)\b": "alt",
    r"\bCRP (\d+)\b": "crp",
    r"\bCEA (\d+\.\d)\b": "cea",
    r"\bNT-proBNP (\d+)\b": "ntprobnp",
    r"\bLVEF (\d+)\b": "lvef",
    r"\b[Ff]erritin (\d+)\b": "ferritin",
    r"\bLDL (\d+)\b": "ldl",
    r"\bPHQ-9 (\d+)\b": "phq9",
    r"\bGAD-7 (\d+)\b": "gad7",
    r"\bMoCA (\d+)\b": "moca",
    r"\b[Uu]rate (\d+\.\d)\b": "urate",
    r"\b[Tt]roponin T (<?\d+\.\d+)\b": "tnt",
    r"\b[Cc]alcium (\d+\.\d)\b": "calcium",
    r"\b[Aa]lbumin (\d\.\d)\b": "albumin",
    r"\b[Bb]icarbonate (\d+)\b": "hco3",
    r"\b[Pp]latelets (\d+)\b": "plt",
    r"\bMCV (\d+)\b": "mcv",
    r"\burine sodium (\d+)\b": "urine-na",
    r"\burine creatinine (\d+)\b": "urine-creat",
    r"\b(?:urine )?ACR (\d+)\b": "acr",
    r"\bPTH (\d+)\b": "pth",
    r"\b[Cc]alprotectin (?:preliminary )?(\d+)\b": "calprotectin",
    r"\bFEV1 (\d\.\d\d)\b": "fev1",
}
# said in a note as a target range, as a later reading of the same day, or as a repeat
ELSEWHERE = {
    ("helen-brandt", "inr", "2.5"),
    ("george-whitman", "hr", "52"),
    ("george-whitman", "hr", "54"),
    ("priya-raman", "bp", "140/90"),
}


def recorded(person: Json) -> dict[str, set[str]]:
    """Return each key's recorded values as written in the table, corrected ones included."""
    found: dict[str, set[str]] = {}
    for values in person.get("obs", {}).values():
        for key, cell in values.items():
            value = cell.get("value", cell.get("text")) if isinstance(cell, dict) else cell
            found.setdefault(key, set()).add(str(value))
    for change in person.get("corrections", []):
        if "value" in change:
            found.setdefault(change["resource"].split("-")[-2], set()).add(str(change["value"]))
    return found


def same(written: str, values: set[str]) -> bool:
    """Return whether one of the values reads the same; "71" and "71.0" do."""
    plain = written.removeprefix("<")
    if "/" in plain:
        return written in values
    return any(
        written[:1] == value[:1] if "<" in written + value else float(plain) == float(value)
        for value in values
        if re.fullmatch(r"<?[\d.]+", value)
    )


@pytest.mark.parametrize("person", people(), ids=lambda person: str(person["id"]))
def test_values_written_in_notes_are_in_the_structured_record(person: Json) -> None:
    held = recorded(person)
    for note in notes_of(person["id"]):
        for pattern, key in WRITTEN.items():
            for written in re.findall(pattern, note.body):
                if (person["id"], key, written) not in ELSEWHERE:
                    assert same(written, held.get(key, set())), (note.note_id, key, written)


def test_the_agreement_check_sees_many_values() -> None:
    seen = sum(
        len(re.findall(pattern, note.body))
        for person in people()
        for note in notes_of(person["id"])
        for pattern in WRITTEN
    )

    assert seen >= 300


@pytest.mark.parametrize("person", people(), ids=lambda person: str(person["id"]))
def test_stopped_drugs_have_a_reason_and_an_end(person: Json) -> None:
    for order in record(person):
        if order["resourceType"] == "MedicationRequest" and order["status"] == "stopped":
            assert order["statusReason"]["text"]
            assert order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] >= order["authoredOn"]


def loinc_check_digit(number: str) -> int:
    """Mod 10 (Luhn) check digit as LOINC uses it."""
    doubled = str(int(number[::-1][0::2][::-1]) * 2)
    total = sum(map(int, doubled)) + sum(map(int, number[::-1][1::2]))
    return -total % 10


def verhoeff_is_valid(number: str) -> bool:
    """Verhoeff's dihedral check, as SNOMED CT identifiers use it."""
    rows = [[(i + j) % 5 if i < 5 else 5 + (i - j) % 5 for j in range(5)] for i in range(10)]
    table = [row + [((i + j) % 5 + 5) if i < 5 else (i - j) % 5 for j in range(5)] for i, row in enumerate(rows)]
    turn = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    for _ in range(6):
        turn.append([turn[-1][digit] for digit in turn[1]])
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = table[check][turn[place % 8][int(digit)]]
    return check == 0


def codings(node: object) -> list[Json]:
    if isinstance(node, list):
        return [found for item in node for found in codings(item)]
    if isinstance(node, dict):
        own = [node] if {"system", "code", "display"} <= set(node) else []
        return own + [found for item in node.values() for found in codings(item)]
    return []


ALL_CODINGS = [coding for person in people() for coding in codings(record(person))]


def test_loinc_codes_have_their_check_digit() -> None:
    used = {item["code"] for item in ALL_CODINGS if item["system"] == "http://loinc.org"}
    used |= {kind.split("|")[0] for kind in codes()["note_types"].values()}

    assert len(used) >= 60
    assert [code for code in used if loinc_check_digit(code.split("-")[0]) != int(code.split("-")[1])] == []


def test_snomed_codes_have_their_check_digit() -> None:
    used = {item["code"] for item in ALL_CODINGS if item["system"] == "http://snomed.info/sct"}

    assert len(used) >= 60
    assert [code for code in used if not verhoeff_is_valid(code)] == []


def test_one_code_has_one_display() -> None:
    displays: dict[tuple[str, str], set[str]] = {}
    for item in ALL_CODINGS:
        if item["system"] != "http://hl7.org/fhir/sid/icd-10":
            displays.setdefault((item["system"], item["code"]), set()).add(item["display"])

    assert [key for key, names in displays.items() if len(names) > 1] == []


def test_every_note_file_belongs_to_a_patient() -> None:
    known = {person["id"] for person in people()}

    assert {path.stem for path in (TABLES / "notes").glob("*.md")} == known
    assert {trap["patient"] for trap in traps()} <= known
