"""How fast Bundles are read and checked, against `fhir.resources` on the same bytes.

Two of our figures stand beside the other's. "Checked" opens the Bundle and checks each resource against R4 (elements,
types, cardinality, formats, choices, required codes, duplicate keys, nesting). "Taken in" is all that an ingest does
before the record is written: format found, checked, references resolved, items made with their exact bytes. The
other is `fhir.resources.R4B.bundle.Bundle.model_validate_json`, which checks neither required codes nor duplicate
keys and resolves nothing. They take turns on each Bundle, all warm; the middle of all turns is reported.

Usage: python -m appliance.bench.fhir_read [BUNDLE.json ...]     without files, Bundles are generated
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from appliance.bench.row import Row, print_rows
from ingestion.domain.items import ParseContext, RejectedItem
from ingestion.domain.r4.check import check_but_duplicates, resource_type_of
from ingestion.domain.r4.envelope import open_bundle
from ingestion.domain.r4.json_rules import colons
from ingestion.parsers.registry import parse_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 5
BUNDLES = 4
VISITS = 40
_NAMESPACE = uuid.UUID("a3a6c4c6-1a0e-5a64-9d6a-0f6f9f0b7d11")
_TESTS = (
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.5, 5.1),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.6, 1.2),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 12.0, 16.0),
)


def _urn(*parts: object) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, repr(parts))}"


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _observation(patient: str, visit: str, day: str, number: int) -> dict[str, Any]:
    code, display, unit, low, high = _TESTS[number % len(_TESTS)]
    quantity = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    category = _concept("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory")
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [category],
        "code": _concept("http://loinc.org", code, display),
        "subject": {"reference": patient},
        "encounter": {"reference": visit},
        "effectiveDateTime": f"{day}T09:30:00+01:00",
        "issued": f"{day}T11:02:17.512+01:00",
        "valueQuantity": {"value": low + (number % 7) / 10} | quantity,
        "referenceRange": [{"low": {"value": low} | quantity, "high": {"value": high} | quantity}],
    }


def _visit(patient: str, visit: str, day: str, number: int) -> list[dict[str, Any]]:
    subject = {"reference": patient}
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [_concept("http://snomed.info/sct", "185349003", "Encounter for check up")],
        "subject": subject,
        "period": {"start": f"{day}T09:00:00+01:00", "end": f"{day}T09:45:00+01:00"},
    }
    condition = {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": _concept("http://snomed.info/sct", "44054006", "Type 2 diabetes mellitus"),
        "subject": subject,
        "encounter": {"reference": visit},
        "onsetDateTime": day,
    }
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept(
            "http://www.nlm.nih.gov/research/umls/rxnorm", "860975", "metformin hydrochloride 500 MG"
        ),
        "subject": subject,
        "encounter": {"reference": visit},
        "authoredOn": day,
        "dosageInstruction": [
            {
                "text": "1 tablet twice a day",
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                "asNeededBoolean": False,
            }
        ],
    }
    return [encounter, condition, order, *(_observation(patient, visit, day, number + n) for n in range(6))]


def make_bundle(number: int) -> bytes:
    """Return a transaction Bundle of one patient with VISITS visits, the same bytes for the same number."""
    patient = _urn(number)
    person = {
        "resourceType": "Patient",
        "name": [{"family": f"Sample{number}", "given": ["Test"]}],
        "gender": "female",
        "birthDate": "1961-03-04",
    }
    resources = [(patient, person)]
    for visit in range(VISITS):
        day = f"20{10 + visit // 12:02d}-{1 + visit % 12:02d}-{1 + visit % 28:02d}"
        visit_url = _urn(number, visit)
        for place, resource in enumerate(_visit(patient, visit_url, day, visit)):
            resources.append((visit_url if place == 0 else _urn(number, visit, place), resource))
    entries = [
        {"fullUrl": url, "resource": r | {"id": url[9:]}, "request": {"method": "POST", "url": r["resourceType"]}}
        for url, r in resources
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}, indent=2).encode()


def check(content: bytes) -> int:
    """Open a Bundle, check every resource in it and return how many there are.

    Raises:
        RuntimeError: a key is named twice somewhere.
    """
    bundle = open_bundle(content)
    seen = bundle.colons or 0
    for entry in bundle.entries:
        seen += check_but_duplicates(entry.resource, resource_type_of(entry.resource)).colons
    if seen != colons(content):
        raise RuntimeError("a key is named twice")
    return len(bundle.entries)


def _taken_in(content: bytes) -> int:
    items = list(parse_bytes(content, ParseContext()))
    if any(isinstance(item, RejectedItem) for item in items):
        raise RuntimeError("a resource of the benchmark was refused")
    return len(items)


def _seconds(work: Callable[[bytes], object], content: bytes) -> float:
    start = perf_counter()
    work(content)
    return perf_counter() - start


def measure(bundles: list[bytes], of: str = "") -> list[Row]:
    """Read each Bundle TURNS times in each way in turn, after one warm-up each.

    Raises:
        RuntimeError: a resource was refused, so that the comparison would be unfair.
    """
    from fhir.resources.R4B.bundle import Bundle

    ways: dict[str, Callable[[bytes], object]] = {
        "checked": check,
        "taken in": _taken_in,
        "other": Bundle.model_validate_json,
    }
    total = dict.fromkeys(ways, 0.0)
    resources = 0
    for content in bundles:
        resources += _taken_in(content)
        turns: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(TURNS + 1):
            for way, work in ways.items():
                seconds = _seconds(work, content)
                if turn:
                    turns[way].append(seconds)
        for way in ways:
            total[way] += median(turns[way])
    size = sum(map(len, bundles)) / 1e6
    return [
        Row(
            name=f"FHIR Bundles {way}{of}",
            value=round(resources / total[way]),
            unit="resources/s",
            baseline=round(resources / total["other"]),
            ratio=round(total["other"] / total[way], 2),
            target=">= 10" if way == "checked" else "",
            note=f"{resources} resources, {size:.1f} MB; baseline: fhir.resources R4B; ratio: value / baseline",
        )
        for way in ("checked", "taken in")
    ]


def run(files: list[Path] | None = None) -> list[Row]:
    """Return the benchmark's rows; `files` are measured beside the generated Bundles."""
    found = measure([make_bundle(number) for number in range(BUNDLES)])
    if files:
        found += measure([f.read_bytes() for f in files], " (files given)")
    return found


if __name__ == "__main__":
    print_rows(run([Path(name) for name in sys.argv[1:]]))
