"""How fast Bundles are read and checked, against `fhir.resources` on the same bytes.

Ours is the product's own path: format found, Bundle taken apart, each resource checked against R4 (elements, types,
cardinality, formats, choices, required codes, duplicate keys, nesting), references resolved, bytes kept. The other
is `fhir.resources.R4B.bundle.Bundle.model_validate_json`, which checks neither required codes nor duplicate keys
and resolves nothing. The two take turns on each Bundle; both are warm; the middle of all turns is reported.

Usage: python -m appliance.bench.fhir_read [BUNDLE.json ...]     without files, Bundles are generated
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from appliance.bench.row import Row, print_rows
from ingestion.domain.items import ParseContext, RejectedItem
from ingestion.parsers.registry import parse_bytes

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


def measure(bundles: list[bytes], name: str) -> Row:
    """Read each Bundle TURNS times by either way in turn, after one warm-up each.

    Raises:
        RuntimeError: a resource was refused, so that the comparison would be unfair.
    """
    from fhir.resources.R4B.bundle import Bundle

    context = ParseContext()
    ours: list[float] = []
    theirs: list[float] = []
    resources = 0
    for bundle in bundles:
        items = list(parse_bytes(bundle, context))
        if any(isinstance(item, RejectedItem) for item in items):
            raise RuntimeError("a resource of the benchmark was refused")
        Bundle.model_validate_json(bundle)
        resources += len(items)
        own, other = [], []
        for _ in range(TURNS):
            start = perf_counter()
            list(parse_bytes(bundle, context))
            between = perf_counter()
            Bundle.model_validate_json(bundle)
            own.append(between - start)
            other.append(perf_counter() - between)
        ours.append(median(own))
        theirs.append(median(other))
    size = sum(map(len, bundles)) / 1e6
    return Row(
        name=name,
        value=round(resources / sum(ours)),
        unit="resources/s",
        baseline=round(resources / sum(theirs)),
        ratio=round(sum(theirs) / sum(ours), 2),
        target=">= 10",
        note=f"{resources} resources, {size:.1f} MB; baseline: fhir.resources R4B; ratio: value / baseline",
    )


def rows(files: list[Path] | None = None) -> list[Row]:
    """Return the benchmark's rows; `files` are measured beside the generated Bundles."""
    found = [measure([make_bundle(number) for number in range(BUNDLES)], "FHIR Bundles read and checked")]
    if files:
        found.append(measure([f.read_bytes() for f in files], "FHIR Bundles read and checked (files given)"))
    return found


if __name__ == "__main__":
    print_rows(rows([Path(name) for name in sys.argv[1:]]))
