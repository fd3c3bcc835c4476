"""Public C-CDA documents become valid FHIR R4, with every entry and all words of every section."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ingestion.domain.ccda import read_document
from ingestion.domain.ccda.problems import ALLERGY
from ingestion.domain.ccda.treatments import IMMUNIZATION, MEDICATION
from ingestion.domain.ccda.xml import name, one, parse, within, words
from ingestion.domain.mapped import Mapped
from ingestion.domain.r4.check import check_resource

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "ccda"
FILES = sorted(SAMPLES.glob("*.xml"))
ENCODE = msgspec.json.Encoder(decimal_format="number").encode

if not FILES:
    pytest.skip("public C-CDA samples are not beside the checkout", allow_module_level=True)


def mapped(path: Path) -> list[Mapped]:
    return read_document(path.read_bytes(), zone=ZoneInfo("UTC"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_resource_is_valid_r4_of_the_patient(path: Path) -> None:
    found = mapped(path)
    patient = found[0].resource

    assert patient["resourceType"] == "Patient"
    for one_found in found:
        resource = one_found.resource
        assert check_resource(ENCODE(resource)).resource_type == resource["resourceType"]
        if resource is not patient:
            assert resource.get("subject", resource.get("patient")) == {"reference": f"Patient/{patient['id']}"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_entry_becomes_a_resource(path: Path) -> None:
    kinds = Counter(one_found.resource["resourceType"] for one_found in mapped(path))
    root = parse(path.read_bytes())

    assert kinds["AllergyIntolerance"] == len(list(within(root, ALLERGY)))
    assert kinds["Immunization"] == len(list(within(root, IMMUNIZATION)))
    assert kinds["MedicationStatement"] + kinds["MedicationRequest"] == len(list(within(root, MEDICATION)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_note_holds_all_words_of_all_sections(path: Path) -> None:
    [note] = [found.resource for found in mapped(path) if found.resource["resourceType"] == "DocumentReference"]
    text = base64.b64decode(note["content"][0]["attachment"]["data"]).decode()
    held = set(text.replace("|", " ").split())

    for section in parse(path.read_bytes()).iter():
        if name(section) == "section":
            said = set(words(one(section, "v:text")).replace("|", " ").split())
            # Cells that stand side by side without white space are one "word" to the XML reader.
            assert all(word in held or any(word.startswith(known) for known in held) for word in said)
            assert words(section, "v:title") in text
