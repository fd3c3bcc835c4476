"""Look-up questions with known answers, derived from raw FHIR JSON without the product's projection."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHOWN_UNITS = {"{score}": "", "{count}": "", "{INR}": "", "Cel": "°C", "mm[Hg]": "mmHg", "1": "",
               "mL/min/{1.73_m2}": "mL/min/1.73 m2"}  # fmt: skip
SHORT = {
    "4548-4": ("A1c", "HbA1c"), "6298-4": ("K", "potassium"), "2823-3": ("K", "serum potassium"),
    "2947-0": ("Na", "sodium"), "20565-8": ("bicarb", "CO2"), "38483-4": ("creat", "creatinine"),
    "2160-0": ("creatinine",), "6299-2": ("BUN", "urea"), "2339-0": ("glucose", "blood sugar"),
    "33914-3": ("eGFR",), "2093-3": ("total cholesterol", "chol"), "2571-8": ("trigs",), "18262-6": ("LDL",),
    "2085-9": ("HDL",), "718-7": ("Hb", "haemoglobin"), "787-2": ("MCV",), "777-3": ("plt", "platelet count"),
    "6690-2": ("WBC", "white count"), "4544-3": ("Hct",), "29463-7": ("weight", "wt"), "8302-2": ("height",),
    "39156-5": ("BMI",), "55284-4": ("BP",), "8480-6": ("systolic", "SBP"), "8331-1": ("temp",),
    "72166-2": ("smoking status",), "72514-3": ("pain score",),
}  # fmt: skip
WORDINGS = {
    "latest": ("What is the latest {n}?", "most recent {n}", "{n}", "when was {n} last checked?", "current {n}"),
    "previous": ("previous {n}", "what was the {n} before the latest one", "prior {n} result"),
    "first": ("first {n}", "earliest {n} on record"),
    "highest": ("highest {n}", "peak {n}", "max {n}"),
    "lowest": ("lowest {n}", "nadir {n}"),
    "count": ("how many {n} results are there?", "How many times was {n} measured?"),
    "trend": ("{n} trend", "is the {n} rising?", "how has the {n} changed over time?"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A question; for each expected (texts, resource) one sentence must hold all texts and cite the resource."""

    kind: str
    question: str
    expected: tuple[tuple[tuple[str, ...], str], ...] = ()
    answerable: bool = True


@dataclass(slots=True)
class Value:
    """One result as recorded: shown text, exact number if it has one, unit, moment, and where it stands."""

    text: str
    number: Decimal | None
    unit: str
    recorded: str
    resource: str
    names: list[str] = field(default_factory=list)


def day(recorded: str) -> str:
    """Return the date as the product prints it, worked out on its own."""
    year, month, number = [*recorded[:10].split("-"), "", ""][:3]
    return "-".join(part for part in (number, MONTHS[int(month) - 1] if month else "", year) if part)


def moment(recorded: str) -> datetime:
    """Return the earliest moment of a FHIR date, in UTC."""
    padded = recorded if len(recorded) > len("2024-01") else f"{recorded}-01"[:10]
    padded = padded if len(padded) > len("2024-01") else f"{padded}-01"
    found = datetime.fromisoformat(padded)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def names(concept: dict[str, Any]) -> list[str]:
    """Return text and displays of a CodeableConcept."""
    found = [concept.get("text"), *(item.get("display") for item in concept.get("coding", ()))]
    return [name for name in dict.fromkeys(found) if name]


def results(resources: list[dict[str, Any]]) -> dict[str, list[Value]]:
    """Return quantities by LOINC code, components on their own, oldest first."""
    found: dict[str, list[Value]] = {}
    for resource in resources:
        recorded = resource.get("effectiveDateTime", "")
        if resource["resourceType"] != "Observation" or resource.get("status") != "final" or not recorded:
            continue
        for element in (resource, *resource.get("component", ())):
            code = next((item["code"] for item in element["code"].get("coding", ()) if "code" in item), "")
            quantity = element.get("valueQuantity")
            if code and quantity and "value" in quantity and "comparator" not in quantity:
                unit = quantity.get("unit") or quantity.get("code") or ""
                number = quantity["value"]
                text = f"{number:f}" if isinstance(number, Decimal) else str(number)
                shown = f"{text} {SHOWN_UNITS.get(unit, unit)}".strip()
                value = Value(shown, Decimal(text), unit, recorded, f"Observation/{resource['id']}")
                value.names = names(element["code"])
                found.setdefault(code, []).append(value)
    for values in found.values():
        values.sort(key=lambda value: moment(value.recorded))
    return found


def slip(word: str, chance: random.Random) -> str:
    """Return the word with one letter doubled, in one word of eight; short words and phrases stay."""
    if len(word) < 8 or not word.isalpha() or chance.random() > 0.125:
        return word
    place = chance.randrange(2, len(word) - 2)
    return word[:place] + word[place] + word[place:]


def measure_cases(resources: list[dict[str, Any]], chance: random.Random) -> list[Case]:
    """Latest, previous, first, extremes, count, trend, year, code, for every test held once a moment."""
    cases = []
    for code, values in results(resources).items():
        if len({value.recorded for value in values}) < len(values) or len({value.unit for value in values}) > 1:
            continue
        bare = re.sub(r"\s*[\[(,].*|\s+(?:in|of|by)\s.*", "", values[-1].names[0])
        called = (slip(bare, chance), *SHORT.get(code, ()), values[-1].names[0])
        numbers = [value.number for value in values if value.number is not None]
        wanted = {
            "latest": [values[-1]],
            "previous": values[-2:-1],
            "first": values[:1],
            "highest": [value for value in values if value.number == max(numbers)][-1:],
            "lowest": [value for value in values if value.number == min(numbers)][-1:],
            "trend": [values[-1], values[-3]] if len(values) > 2 else [],
        }
        for kind, right in wanted.items():
            if right:
                expected = tuple(((one.text, day(one.recorded)), one.resource) for one in right)
                name = chance.choice(called)
                name = name.lower() if chance.random() < 0.4 else name
                cases.append(Case(kind, chance.choice(WORDINGS[kind]).format(n=name), expected))
        count = chance.choice(WORDINGS["count"]).format(n=chance.choice(called))
        cases.append(Case("count", count, (((f"{len(values)} result",), values[-1].resource),)))
        year = values[-1].recorded[:4]
        expected_year = (((values[-1].text, day(values[-1].recorded)), values[-1].resource),)
        cases.append(Case("year", f"{chance.choice(called)} in {year}", expected_year))
        if re.fullmatch(r"\d{3,7}-\d", code):
            cases.append(Case("code", f"latest LOINC {code}", expected_year))
    return cases


def event_cases(resources: list[dict[str, Any]], chance: random.Random) -> list[Case]:
    """When was the last procedure, vaccination, visit; how many emergency visits since a year."""
    cases = []
    done: dict[tuple[str, str], list[tuple[str, str]]] = {}
    visits: dict[str, list[tuple[str, str]]] = {}
    for resource in resources:
        kind, place = resource["resourceType"], f"{resource['resourceType']}/{resource.get('id')}"
        performed = resource.get("performedDateTime") or resource.get("performedPeriod", {}).get("start")
        given = resource.get("occurrenceDateTime")
        begun = resource.get("period", {}).get("start") if isinstance(resource.get("period"), dict) else ""
        if kind == "Procedure" and performed and resource.get("status") == "completed":
            name = re.sub(r"\s*\(procedure\)$", "", names(resource["code"])[0])
            done.setdefault((kind, name), []).append((performed, place))
        elif kind == "Immunization" and given and resource.get("status") == "completed":
            done.setdefault((kind, names(resource["vaccineCode"])[0]), []).append((given, place))
        elif kind == "Encounter" and begun and resource.get("status") == "finished":
            visits.setdefault(resource["class"]["code"], []).append((begun, place))
    for (kind, name), dates in done.items():
        when, place = max(dates, key=lambda one: moment(one[0]))
        called = name.lower() if chance.random() < 0.5 else name
        suffix = " vaccination" if kind == "Immunization" else ""
        wording = chance.choice(("when was the last {n}?", "last {n}", "most recent {n}"))
        cases.append(Case(kind, wording.format(n=called + suffix), (((day(when),), place),)))
    every = sorted((one for dates in visits.values() for one in dates), key=lambda one: moment(one[0]))
    if every:
        cases.append(Case("visit", "when was the last visit?", (((day(every[-1][0]),), every[-1][1]),)))
        cases.append(Case("visits", "how many visits?", (((f"{len(every)} encounter",), every[-1][1]),)))
    emergency = sorted(visits.get("EMER", ()), key=lambda one: moment(one[0]))
    if emergency:
        year = emergency[0][0][:4]
        expected = (((f"{len(emergency)} encounter",), emergency[-1][1]),)
        cases.append(Case("emergency", f"how many ED visits since {year}?", expected))
    else:
        cases.append(Case("no emergency", "when was the last A&E attendance?", answerable=False))
    return cases


def statement_cases(resources: list[dict[str, Any]], chance: random.Random) -> list[Case]:
    """Medicines, problems and allergies by name: status, start, onset; what is not there is not answered."""
    cases = []
    held = " ".join(name.lower() for resource in resources for key in ("code", "medicationCodeableConcept")
                    for name in names(resource.get(key, {})))  # fmt: skip
    for resource in resources:
        kind, place = resource["resourceType"], f"{resource['resourceType']}/{resource.get('id')}"
        if kind == "MedicationRequest" and "medicationCodeableConcept" in resource and resource.get("authoredOn"):
            name = names(resource["medicationCodeableConcept"])[0]
            substance = re.match(r"[A-Za-z]{5,}", name)
            if substance is None or held.count(substance[0].lower()) != len(
                names(resource["medicationCodeableConcept"])
            ):
                continue
            wording = chance.choice(("is he on {n}?", "when was {n} started?", "has she ever been on {n}"))
            expected = (((name, day(resource["authoredOn"])), place),)
            cases.append(Case(kind, wording.format(n=slip(substance[0].lower(), chance)), expected))
        elif kind == "Condition" and resource.get("onsetDateTime") and "clinicalStatus" in resource:
            name = re.sub(r"\s*\((?:disorder|finding|situation)\)$", "", names(resource["code"])[0])
            status = resource["clinicalStatus"]["coding"][0]["code"]
            wording = chance.choice(("does she have {n}?", "{n}", "any history of {n}?"))
            expected = (((status, day(resource["onsetDateTime"])), place),)
            cases.append(Case(kind, wording.format(n=name.lower()), expected))
    cases.extend(
        Case("not held", question.format(n=name), answerable=False)
        for name, question in (("digoxin", "is she on {n}?"), ("lithium", "when was {n} started"),
                               ("psoriasis", "does he have {n}?"), ("multiple sclerosis", "any history of {n}?"))
        if name not in held
    )  # fmt: skip
    return cases


def lookup_cases(resources: list[dict[str, Any]], seed: str) -> list[Case]:
    """Return all cases of one patient's resources; the same seed gives the same wording."""
    chance = random.Random(seed)  # noqa: S311 - wording, not secrets
    return [case for make in (measure_cases, event_cases, statement_cases) for case in make(resources, chance)]
