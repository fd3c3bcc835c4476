"""How long one medication check takes: 30 standing medicines, 10 allergies, kidney function and weight.

Each check is of another patient; names, doses and allergens are written as records write them. It is compared with
reading the same typed rows from JSON, which every question pays before any check: the ratio says how much is added.
The tables are compiled once for each state of the approvals, before the first check.

Usage: python -m appliance.bench.medication_check
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from statistics import quantiles
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from appliance.bench.row import Row, print_rows
from clinical.domain.facts import Fact
from clinical.domain.medication_safety import check
from clinical.domain.medication_safety.tables import document
from clinical.domain.projection import from_payload, project, to_payload
from clinical.domain.provenance import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS: Final = 10_000
PATIENTS: Final = 500
MEDICINES: Final = 30
ALLERGIES: Final = 10
TODAY: Final = date(2026, 11, 1)
_TAIL: Final = 99
_BY: Final = ("", " (processor time)")  # what the check itself takes where the machine is shared
_STRENGTHS: Final = ("5", "10", "20", "50", "100", "250", "500")
_TIMES: Final = ("once daily", "twice daily", "three times a day", "every 8 hours", "at night as needed")


def _resources(number: int, pick: random.Random) -> list[dict[str, Any]]:
    """Return one synthetic patient; the same number gives the same patient."""
    ingredients = [row["id"] for row in document("ingredients")["rows"]]
    person = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "gender": pick.choice(["male", "female"]),
        "birthDate": f"{pick.randint(1935, 2015)}-05-04",
        "name": [{"family": "Sample"}],
    }
    orders = [
        {
            "resourceType": "MedicationRequest",
            "id": f"m{place}",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": f"{one.title()} {pick.choice(_STRENGTHS)} MG Oral Tablet"},
            "authoredOn": "2026-01-01",
            "dosageInstruction": [{"text": f"{pick.choice('12')} tablets by mouth {pick.choice(_TIMES)}"}],
        }
        for place, one in enumerate(pick.sample(ingredients, MEDICINES))
    ]
    allergies = [
        {
            "resourceType": "AllergyIntolerance",
            "id": f"a{place}",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"text": one},
            "criticality": pick.choice(["low", "high"]),
        }
        for place, one in enumerate([*pick.sample(ingredients, ALLERGIES - 2), "Penicillin", "House dust mite"])
    ]
    measured = [
        {
            "resourceType": "Observation",
            "id": name,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": "2026-06-01",
            "valueQuantity": {
                "value": pick.randint(15, 95),
                "unit": unit,
                "code": unit,
                "system": "http://unitsofmeasure.org",
            },
        }
        for name, code, unit in (("egfr", "98979-8", "mL/min/1.73 m2"), ("weight", "29463-7", "kg"))
    ]
    return [person, *orders, *allergies, *measured]


def _times(work: Callable[[int], object]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each of CHECKS turns, over all patients in turn, by the clock and of the processor."""
    clock, processor = [], []
    for turn in range(CHECKS):
        busy, start = process_time(), perf_counter()
        work(turn % PATIENTS)
        clock.append((perf_counter() - start) * 1000)
        processor.append((process_time() - busy) * 1000)
    return clock, processor


def run() -> list[Row]:
    """Return median and p99 of one check, beside reading the same patient's rows.

    Raises:
        RuntimeError: the checks found nothing, so that nothing was measured.
    """
    pick = random.Random(20_261_101)  # noqa: S311 - a repeatable sample, no secret
    patients = [
        [
            (f"{resource['resourceType']}/{resource['id']}", row)
            for resource in _resources(number, pick)
            for row in project(resource)
        ]
        for number in range(PATIENTS)
    ]
    facts = [[Fact(row, resource, "1") for resource, row in rows] for rows in patients]
    stored = [[msgspec.json.encode(to_payload(row)) for _, row in rows] for rows in patients]
    start = perf_counter()
    found = sum(len(check(held, today=TODAY, trust=DEMO).findings) for held in facts[:1])
    compiled = (perf_counter() - start) * 1000
    checked = _times(lambda place: check(facts[place], today=TODAY, trust=DEMO))
    found += sum(len(check(held, today=TODAY, trust=DEMO).findings) for held in facts)
    if not found:
        raise RuntimeError("no finding in any check")
    read = _times(lambda place: [from_payload(msgspec.json.decode(row)) for row in stored[place]])
    note = f"{CHECKS} checks of {PATIENTS} patients; baseline: reading their typed rows; ratio: value / baseline"
    spent = {name: (quantiles(checked[place], n=100), quantiles(read[place], n=100)) for place, name in enumerate(_BY)}
    rows = [
        Row(
            f"medication check p{percent}{name}",
            round(cuts[percent - 1], 3),
            "ms",
            round(base[percent - 1], 3),
            round(cuts[percent - 1] / base[percent - 1], 2),
            "<= 2" if percent == _TAIL and not name else "",
            note,
        )
        for name, (cuts, base) in spent.items()
        for percent in (50, _TAIL)
    ]
    return [
        *rows,
        Row("medication check, first of a process", round(compiled, 1), "ms", note="tables read and compiled"),
    ]


if __name__ == "__main__":
    print(f"on {datetime.now(tz=UTC):%Y-%m-%d}", flush=True)
    print_rows(run())
