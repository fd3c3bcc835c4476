"""The whole-chart summary over the stored record: cited, complete, only of this patient."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.demo_clinic import REFERENCE_DATE, build
from clinical.access.services import grant_access
from clinical.answering import summary
from clinical.answering.events import By, Status
from clinical.answering.prepared import Prepared
from clinical.domain.access import AccessGrant
from clinical.domain.passages import Part
from clinical.identity.services import find_by_fhir_id
from clinical.models import PassageRow
from clinical.record.selectors import facts_of, part_text, version_of
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinic")
    build(folder)
    return folder


def admit(clinic: Path, name: str) -> AccessGrant:
    clinician()
    take_in((clinic / "patients" / f"{name}.json").read_bytes(), name=f"{name}.json")
    for path in sorted((clinic / "notes").glob(f"{name}*")):
        take_in(path.read_bytes(), name=path.name)
    return grant_of(name)


def grant_of(name: str) -> AccessGrant:
    found = find_by_fhir_id(name)
    assert found is not None
    return grant_access(clinician(), found.id, action="question.ask", now=noon())


def summarise(grant: AccessGrant) -> Prepared:
    return summary.answer("summarise", facts=facts_of(grant), grant=grant, today=REFERENCE_DATE)


class TestAPatientOfTheClinic:
    def test_every_citation_is_the_very_words_it_points_at(self, clinic: Path) -> None:
        grant = admit(clinic, "margaret-doyle")

        told = summarise(grant)

        cited = [citation for sentence in told.sentences for citation in sentence.citations]
        assert len(cited) > 50
        for one in cited:
            text = part_text(version_of(grant, one.span.resource, one.span.version), one.span.part)
            assert text[one.span.start : one.span.end] == one.quote

    def test_sources_are_numbered_once_and_hold_every_version_cited(self, clinic: Path) -> None:
        told = summarise(admit(clinic, "margaret-doyle"))

        assert [source.label for source in told.sources] == list(range(1, len(told.sources) + 1))
        listed = {(one.citation.span.resource, one.citation.span.version) for one in told.sources}
        assert listed == {(c.span.resource, c.span.version) for s in told.sentences for c in s.citations}

    def test_facts_are_by_code_and_sentences_of_notes_are_quotes(self, clinic: Path) -> None:
        told = summarise(admit(clinic, "margaret-doyle"))

        assert told.status is Status.ANSWERED
        quotes = [sentence for sentence in told.sentences if sentence.by is By.QUOTE]
        assert {sentence.by for sentence in told.sentences} == {By.CODE, By.QUOTE}
        for one in quotes:
            assert one.text == one.citations[0].quote
            assert one.citations[0].span.part in (Part.TEXT, Part.JSON)
        assert any("hyponatraemia from citalopram" in one.text for one in quotes)

    def test_what_a_night_doctor_has_to_know_is_there(self, clinic: Path) -> None:
        told = summarise(admit(clinic, "margaret-doyle"))

        text = "\n".join(sentence.text for sentence in told.sentences)
        for words in ("Age 90", "Full code", "Codeine", "Heart failure with preserved ejection fraction", "Sodium 128"):
            assert words in text
        assert "citalopram 10 mg" not in text  # it was stopped

    def test_the_headings_of_a_section_stand_together(self, clinic: Path) -> None:
        headings = [sentence.heading for sentence in summarise(admit(clinic, "bruno-keller")).sentences]

        runs = [one for place, one in enumerate(headings) if not place or headings[place - 1] != one]
        assert len(runs) == len(set(runs))
        assert all(headings)


class TestOnlyThisPatient:
    def test_another_patients_record_and_restricted_notes_do_not_enter(self) -> None:
        clinician()
        take_in(bundle(patient(), observation(value=4.1), note("She lives alone on the third floor.")))
        secret = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
        take_in(bundle(note("She drinks alcohol every day at home.", logical_id="n9", meta=secret)))
        take_in(bundle(patient("bea"), note("He lives with his brother Tom.", logical_id="n8", subject="bea")))

        text = " ".join(sentence.text for sentence in summarise(grant_of("amina")).sentences)

        assert "lives alone" in text
        assert "alcohol" not in text
        assert "Tom" not in text


class TestALongRecord:
    def test_is_searched_by_topic_and_the_facts_stay_whole(self, clinic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        grant = admit(clinic, "margaret-doyle")
        whole = summarise(grant)

        monkeypatch.setattr(summary, "READ_WHOLE", PassageRow.objects.filter(patient_id=grant.patient_id).count() - 1)
        searched = summarise(grant)

        by_code = [
            sentence
            for sentence in whole.sentences
            if sentence.by is By.CODE and "sentences shown" not in sentence.text
        ]
        assert [one.text for one in by_code] == [
            one.text for one in searched.sentences if one.by is By.CODE and "sentences shown" not in one.text
        ]
        assert any(sentence.by is By.QUOTE for sentence in searched.sentences)
