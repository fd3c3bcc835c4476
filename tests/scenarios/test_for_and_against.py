"""For and against a named condition, by the criteria of an approved guideline edition; never a diagnosis."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from appliance.demo_clinic import REFERENCE_DATE, build
from clinical.access.services import grant_access
from clinical.answering import criteria
from clinical.answering.events import Status
from clinical.answering.prepared import Prepared
from clinical.domain.access import AccessGrant
from clinical.guidelines.library import edition_of
from clinical.identity.services import find_by_fhir_id
from clinical.models import GuidelineEdition
from clinical.record.selectors import facts_of, part_text, version_of
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

ROWS = """
| id | finding | speaks | test | words in notes |
| --- | --- | --- | --- | --- |
| k | Potassium above 5 | for | measure potassium > 5 mmol/L | |
| tired | Tiredness | for | | fatigue |
| cough | Cough | for | | cough |
"""


def guideline(
    topic: str,
    *,
    title: str = "Gout here",
    edition: str = "2026-1",
    expires: str = "2030-01-01",
    approver: str = "Dr A",
) -> None:
    head = (
        f"kind: guideline\ntitle: {title}\nedition: {edition}\nsource: group\napprover: {approver}\nexpires: {expires}"
    )
    take_in(f"---\n{head}\n---\n# {title}\n\n## Criteria: {topic}\n{ROWS}".encode(), name=f"{title}-{edition}.md")


@pytest.fixture
def grant() -> AccessGrant:
    clinician()
    take_in(bundle(patient(), observation(value=5.6), note("She has no cough. She is tired all the time.")))
    found = find_by_fhir_id("amina")
    assert found is not None
    return grant_access(clinician(), found.id, action="question.ask", now=noon())


def ask(question: str, grant: AccessGrant, today: date = date(2026, 3, 1)) -> Prepared:
    told = criteria.answer(question, facts=facts_of(grant), grant=grant, today=today)
    assert told is not None
    return told


def sections(told: Prepared) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sentence in told.sentences:
        found.setdefault(sentence.heading, []).append(sentence.text)
    return found


class TestAnApprovedEdition:
    def test_lists_for_against_and_not_documented(self, grant: AccessGrant) -> None:
        guideline("gout")

        told = ask("What speaks for gout?", grant)

        listed = sections(told)
        assert told.status is Status.ANSWERED
        assert any("5.6" in text for text in listed["For"])
        assert any("tired all the time" in text for text in listed["For"])
        assert any("no cough" in text for text in listed["Against"])
        assert "Not documented" not in listed
        assert "Gout here" in listed["Criteria used"][0] and "Dr A" in listed["Criteria used"][0]

    def test_every_line_cites_the_edition_and_every_finding_the_record(self, grant: AccessGrant) -> None:
        guideline("gout")

        told = ask("evidence for and against gout", grant)

        for sentence in told.sentences:
            kinds = {citation.span.resource.partition("/")[0] for citation in sentence.citations}
            assert "Guideline" in kinds
            assert len(kinds) > 1 or sentence.heading in ("Criteria used", "Not documented")
            for one in sentence.citations:
                if one.span.resource.startswith("Guideline/"):
                    edition = edition_of(one.span.resource, one.span.version)
                    assert edition is not None
                    text = edition.text
                else:
                    text = part_text(version_of(grant, one.span.resource, one.span.version), one.span.part)
                assert text[one.span.start : one.span.end] == one.quote


class TestWhatIsRefused:
    def test_an_expired_edition_is_named_with_its_last_day_and_not_used(self, grant: AccessGrant) -> None:
        guideline("gout", expires="2025-12-31")

        told = ask("What speaks for gout?", grant)

        assert told.status is Status.REFUSED
        [said] = told.sentences
        assert "expired on 31-Dec-2025 and is not used" in said.text
        assert "5.6" not in said.text

    def test_a_superseded_edition_does_not_stand_in_for_the_expired_newer_one(self, grant: AccessGrant) -> None:
        guideline("gout", edition="2026-1", expires="2026-01-31")
        guideline("gout", edition="2024-1", expires="2030-01-01")

        told = ask("What speaks for gout?", grant)

        assert told.status is Status.REFUSED
        assert "2026-1" in told.sentences[0].text

    def test_an_edition_nobody_approved_is_not_used(self, grant: AccessGrant) -> None:
        guideline("gout")
        GuidelineEdition.objects.update(approver="")

        told = ask("What speaks for gout?", grant)

        assert told.status is Status.REFUSED
        assert "has no approver" in told.sentences[0].text

    def test_a_condition_without_criteria_is_not_weighed(self, grant: AccessGrant) -> None:
        guideline("gout")

        told = ask("What speaks for lupus here?", grant)

        assert told.status is Status.NOT_DOCUMENTED
        assert "No guideline in the library holds criteria for lupus" in told.sentences[0].text
        assert "gout" in told.sentences[0].text

    def test_where_the_record_is_silent_on_every_criterion_nothing_is_documented(self, grant: AccessGrant) -> None:
        guideline("gout")
        clinician()
        take_in(bundle(patient("bea")))
        found = find_by_fhir_id("bea")
        assert found is not None
        other = grant_access(clinician(), found.id, action="question.ask", now=noon())

        told = ask("What speaks for gout?", other)

        assert told.status is Status.NOT_DOCUMENTED
        assert set(sections(told)) == {"Criteria used", "Not documented"}

    def test_a_free_differential_is_refused_with_what_is_done_instead(self, grant: AccessGrant) -> None:
        guideline("gout")

        assert criteria.diagnosis_asked("What is the diagnosis?")
        assert (
            criteria.answer("What is the diagnosis?", facts=facts_of(grant), grant=grant, today=date(2026, 3, 1))
            is None
        )
        said = criteria.no_diagnosis(date(2026, 3, 1)).text
        assert said.startswith("No diagnosis is drawn here")
        assert "gout" in said


class TestTheDemoLibrary:
    @pytest.fixture
    def bruno(self, tmp_path: Path) -> AccessGrant:
        build(tmp_path)
        clinician()
        for path in (tmp_path / "guidelines").iterdir():
            take_in(path.read_bytes(), name=path.name)
        take_in((tmp_path / "patients" / "bruno-keller.json").read_bytes(), name="bruno.json")
        for path in sorted((tmp_path / "notes").glob("bruno-keller*")):
            take_in(path.read_bytes(), name=path.name)
        found = find_by_fhir_id("bruno-keller")
        assert found is not None
        return grant_access(clinician(), found.id, action="question.ask", now=noon())

    def test_heart_failure_is_weighed_from_results_problems_medicines_and_notes(self, bruno: AccessGrant) -> None:
        listed = sections(ask("What speaks for heart failure here?", bruno, REFERENCE_DATE))

        said = " ".join(listed["For"])
        for words in ("NT-proBNP 2310", "LVEF 38", "Myocardial infarction", "furosemide", "fine crackles"):
            assert words in said

    def test_criteria_are_held_for_the_common_conditions(self, bruno: AccessGrant) -> None:
        for condition in (
            "heart failure", "pneumonia", "pulmonary embolism", "DVT", "AKI", "diabetes", "CKD", "anaemia",
        ):  # fmt: skip
            assert "Criteria used" in sections(ask(f"evidence for and against {condition}", bruno, REFERENCE_DATE))

    def test_those_for_asthma_have_expired(self, bruno: AccessGrant) -> None:
        told = ask("Could this be asthma?", bruno, REFERENCE_DATE)

        assert told.status is Status.REFUSED
        assert "expired on 30-Jun-2024" in told.sentences[0].text
