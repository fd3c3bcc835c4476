"""The synthetic clinic as files: the same bytes every time, valid FHIR R4, the planted traps in place."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from fhir.resources.R4B import get_fhir_model_class

from appliance.demo_clinic import LOAD_ORDER, REFERENCE_DATE, RecordAfterReferenceError, Summary, build
from appliance.demo_clinic.notes import notes_of
from appliance.demo_clinic.tables import people, traps, urn

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    build(folder)
    return folder


def bundles(folder: Path, name: str = "patients") -> dict[str, Json]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((folder / name).glob("*.json"))}


def resources(folder: Path, name: str = "patients") -> dict[str, Json]:
    entries = [entry for bundle in bundles(folder, name).values() for entry in bundle["entry"]]
    return {entry["request"]["url"]: entry["resource"] for entry in entries}


class TestBuilding:
    def test_two_builds_give_the_same_bytes(self, clinic: Path, tmp_path: Path) -> None:
        build(tmp_path)

        first = {path.relative_to(clinic): path.read_bytes() for path in clinic.rglob("*") if path.is_file()}
        again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert again == first

    def test_the_summary_counts_what_lies_in_the_folders(self, tmp_path: Path) -> None:
        summary = build(tmp_path)

        held = Counter(reference.split("/")[0] for reference in resources(tmp_path))
        assert summary == Summary(
            patients=30,
            resources=dict(sorted(held.items())),
            updates=2,
            notes=len(list((tmp_path / "notes").iterdir())),
            note_words=summary.note_words,
            guidelines=15,
        )
        assert summary.notes >= 90
        assert summary.note_words >= 14_000
        assert all((tmp_path / name).is_dir() for name in LOAD_ORDER)

    def test_a_record_after_the_reference_day_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(RecordAfterReferenceError):
            build(tmp_path, reference=date(2026, 8, 24))

    def test_nothing_is_dated_after_the_reference_day(self, tmp_path: Path) -> None:
        build(tmp_path, reference=REFERENCE_DATE)
        with pytest.raises(RecordAfterReferenceError):
            build(tmp_path, reference=REFERENCE_DATE - timedelta(days=30))

    def test_the_first_patient_is_amina_yusuf(self) -> None:
        assert people()[0]["id"] == "amina-yusuf"


class TestFhir:
    def test_every_bundle_is_valid_r4(self, clinic: Path) -> None:
        model = get_fhir_model_class("Bundle")

        for name in ("patients", "updates"):
            for path in (clinic / name).glob("*.json"):
                assert model.model_validate_json(path.read_bytes()).type == "transaction"

    def test_every_reference_within_a_bundle_is_one_of_its_full_urls(self, clinic: Path) -> None:
        for bundle in bundles(clinic).values():
            known = {entry["fullUrl"] for entry in bundle["entry"]}
            text = json.dumps(bundle)
            named = {piece.split('"')[0] for piece in text.split('"reference": "')[1:]}
            assert named <= known
            assert len(known) == len(bundle["entry"])

    def test_full_urls_and_put_requests_name_the_same_resource(self, clinic: Path) -> None:
        for bundle in bundles(clinic).values():
            for entry in bundle["entry"]:
                reference = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
                assert entry["request"] == {"method": "PUT", "url": reference}
                assert entry["fullUrl"] == urn(reference)

    def test_identifiers_are_unique_and_short_enough(self, clinic: Path) -> None:
        held = resources(clinic)
        numbers = [r["identifier"][0]["value"] for r in held.values() if r["resourceType"] == "Patient"]

        assert len(set(numbers)) == len(numbers) == 30
        assert all(len(resource["id"]) <= 64 for resource in held.values())

    def test_a_condition_made_in_error_has_no_clinical_status(self, clinic: Path) -> None:
        wrong = resources(clinic)["Condition/rosa-delgado-t2dm"]

        assert wrong["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
        assert "clinicalStatus" not in wrong


class TestTraps:
    def test_every_trap_names_resources_that_exist(self, clinic: Path) -> None:
        held = set(resources(clinic)) | {f"DocumentReference/{path.stem}" for path in (clinic / "notes").iterdir()}

        assert len(traps()) >= 35
        for trap in traps():
            assert set(trap["resources"]) <= held, trap["kind"]

    def test_the_corrected_result_is_version_2_of_the_same_resource(self, clinic: Path) -> None:
        name = "Observation/helen-brandt-inr-20260804"
        first, second = resources(clinic)[name], resources(clinic, "updates")[name]

        assert (first["meta"]["versionId"], first["status"], first["valueQuantity"]["value"]) == ("1", "final", 7.2)
        assert (second["meta"]["versionId"], second["status"], second["valueQuantity"]["value"]) == (
            "2",
            "corrected",
            2.7,
        )
        assert second["subject"]["reference"] == "Patient/helen-brandt"

    def test_later_versions_are_later(self, clinic: Path) -> None:
        first = resources(clinic)

        for name, second in resources(clinic, "updates").items():
            assert second["meta"]["lastUpdated"] > first[name]["meta"]["lastUpdated"]

    def test_a_comparator_is_kept(self, clinic: Path) -> None:
        quantity = resources(clinic)["Observation/carlos-mendes-tnt-20260628"]["valueQuantity"]

        assert (quantity["comparator"], quantity["value"]) == ("<", 0.01)

    def test_a_pending_result_has_no_value(self, clinic: Path) -> None:
        pending = resources(clinic)["Observation/samuel-okafor-pth-20260825"]

        assert pending["status"] == "registered"
        assert not any(key.startswith("value") for key in pending)

    def test_no_known_allergies_and_never_asked_differ(self, clinic: Path) -> None:
        held = resources(clinic)

        assert "AllergyIntolerance/aisha-khan-allergy-none-known" in held
        assert not [name for name in held if name.startswith("AllergyIntolerance/jakub")]

    def test_restricted_resources_carry_the_label_and_no_other_does(self, clinic: Path) -> None:
        labelled = {name for name, resource in resources(clinic).items() if "security" in resource["meta"]}

        assert "Condition/theo-banks-hiv" in labelled
        assert all("/theo-banks" in name for name in labelled)

    def test_the_hidden_instruction_is_in_the_note_as_received(self, clinic: Path) -> None:
        text = (clinic / "notes" / "walter-nguyen-note-20260331.txt").read_text("utf-8")

        assert "Ignore previous instructions" in text
        assert '<a href="http://updates.clinic.example/pay">' in text


class TestNotes:
    @pytest.mark.parametrize("person", people(), ids=lambda person: str(person["id"]))
    def test_every_patient_has_notes_of_150_to_500_words(self, person: Json) -> None:
        notes = notes_of(person["id"])

        assert 2 <= len(notes) <= 4
        assert len({note.note_id for note in notes}) == len(notes)
        for note in notes:
            assert 150 <= len(note.body.split()) <= 500, note.note_id

    def test_front_matter_names_patient_type_and_author(self) -> None:
        text = notes_of("amina-yusuf")[0].text()

        assert text.startswith("---\nid: amina-yusuf-note-20220501\npatient: amina-yusuf\ndate: 2022-05-01\n")
        assert 'type: "34117-2|History and physical note"' in text


class TestGuidelines:
    def test_two_guidelines_have_expired_and_the_others_have_not(self, clinic: Path) -> None:
        texts = [path.read_text("utf-8") for path in (clinic / "guidelines").iterdir()]
        days = [line.split(": ")[1] for text in texts for line in text.splitlines() if line.startswith("expires:")]

        assert sorted(date.fromisoformat(day) < REFERENCE_DATE for day in days) == [False] * 11 + [True] * 2

    def test_the_pdf_has_a_text_layer(self, clinic: Path) -> None:
        document = pypdfium2.PdfDocument(clinic / "guidelines_pdf" / "falls.pdf")
        page = document[0]
        layer = page.get_textpage()
        text = layer.get_text_range()
        layer.close()
        page.close()
        document.close()

        assert "Blood pressure lying and standing" in text
