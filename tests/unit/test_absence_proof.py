"""The proof of absence: each feed's own last message, what is held back, what could not be read, and how far it was."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinical.access.services import grant_access
from clinical.answering import evidence, stored
from clinical.answering.absence import NOTE, prove
from clinical.answering.events import NotDocumented
from clinical.domain.access import AccessGrant
from clinical.identity.services import find_by_fhir_id
from clinical.models import Feed
from clinical.ports import BackendUnavailableError, backends
from ingestion.models import IngestJob
from tests.factories import NOON, bundle, clinician, note, observation, patient, take_in

if TYPE_CHECKING:
    from clinical.answering.events import Absence

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def grant() -> AccessGrant:
    found = find_by_fhir_id("amina")
    assert found is not None
    return grant_access(clinician(), found.id, action="question.ask", now=NOON)


def document(kind: str, logical_id: str) -> dict[str, Any]:
    attachment = {"contentType": kind, "data": base64.b64encode(b"%PDF-1.7 scanned").decode()}
    return note("", logical_id=logical_id) | {"content": [{"attachment": attachment}]}


def absence() -> Absence:
    take_in(bundle(patient(), observation(), note("Feels well.")))
    return prove(grant(), now=NOON)


def test_what_was_searched_is_counted_by_type_and_dated() -> None:
    found = absence()

    assert found.searched == {"DocumentReference": 1, "Observation": 1, "Patient": 1}
    assert (found.passages, found.first, found.last) == (1, "2026-02-01", "2026-02-10")


def test_each_feed_tells_its_own_last_message() -> None:
    Feed.objects.create(name="adt", last_message_at=NOON - timedelta(days=3))

    found = absence()

    assert [(feed.name, feed.last) for feed in found.feeds] == [
        ("adt", "2026-02-26T12:00:00+00:00"),
        ("files", "2026-03-01T12:00:00+00:00"),
    ]
    assert found.watermark == "2026-03-01T12:00:00+00:00"


def test_what_is_received_and_not_taken_in_counts_as_not_applied() -> None:
    before = absence().unapplied
    job = IngestJob.objects.get()
    IngestJob.objects.create(original=job.original, name=b"", feed="files", created_at=NOON)

    assert prove(grant(), now=NOON).unapplied == before + 1


def test_attachments_of_this_patient_that_have_no_words_are_counted_by_type() -> None:
    take_in(bundle(patient("other"), document("image/tiff", "theirs") | {"subject": {"reference": "Patient/other"}}))
    take_in(bundle(patient(), document("image/tiff", "d1"), document("image/jpeg", "d2"), document("image/tiff", "d3")))

    found = prove(grant(), now=NOON)

    assert found.unread_attachments == {"image/jpeg": 1, "image/tiff": 2}
    assert found.unreadable == found.quarantined + 3


def test_an_entry_with_a_code_that_no_table_knows_is_told() -> None:
    coding = [{"system": "http://snomed.info/sct", "code": "999999999"}]
    nameless = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/amina"},
        "code": {"coding": coding},
    }
    take_in(bundle(patient(), nameless))

    assert prove(grant(), now=NOON).nameless == 1


def test_it_says_for_every_role_alike_that_restricted_records_are_not_searched() -> None:
    assert "for any role" in NOTE
    assert absence().note == NOTE


def test_it_comes_back_from_the_store_as_it_was() -> None:
    found = absence()
    kept = json.loads(json.dumps(stored.as_json([NotDocumented(found)])))

    assert {"searched", "passages", "from", "to", "watermark", "unreadable"} <= kept["absence"].keys()
    assert list(stored.events_from(kept | {"route": "notes", "route_reason": ""}))[-1] == NotDocumented(found)


def test_an_answer_stored_before_feeds_were_told_is_still_shown() -> None:
    kept = stored.as_json([NotDocumented(absence())])
    for name in ("feeds", "quarantined", "unread_attachments", "nameless"):
        del kept["absence"][name]

    shown = list(stored.events_from(kept))[-1]

    assert isinstance(shown, NotDocumented)
    assert shown.absence.feeds == ()


class TestALargeRecord:
    @pytest.fixture(autouse=True)
    def _few_are_read_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(evidence, "READ_WHOLE", 3)
        monkeypatch.setattr(evidence, "RETRIEVED", 1)
        texts = [f"Visit {number}: the bees do well and the honey is sold." for number in range(8)]
        notes = [note(text, logical_id=f"n{number}") for number, text in enumerate(texts)]
        take_in(bundle(patient(), *notes, note("Colonoscopy in 2019.", logical_id="late")))

    def test_everything_is_read_before_a_thing_is_called_missing(self) -> None:
        found = evidence.gather("Has she had a mammogram?", grant=grant(), today=NOON.date())

        assert not found.quotes.answered
        assert len(found.passages) == 9

    def test_what_the_index_ranks_badly_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(backends().retriever), "retrieve", lambda *_args, **_more: [])

        found = evidence.gather("Has she had a colonoscopy?", grant=grant(), today=NOON.date())

        assert [one.quote for one in found.quotes.quotes] == ["Colonoscopy in 2019."]

    def test_what_the_index_does_not_hold_yet_is_read_first(self) -> None:
        take_in(bundle(note("Colonoscopy again in 2026.", logical_id="new")), index=False)

        found = evidence.gather("Has she had a colonoscopy?", grant=grant(), today=NOON.date())

        assert "Colonoscopy again in 2026." in {one.quote for one in found.quotes.quotes}

    def test_all_is_read_when_the_index_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def silent(*_args: object, **_more: object) -> None:
            raise BackendUnavailableError("vectors")

        monkeypatch.setattr(type(backends().retriever), "retrieve", silent)

        found = evidence.gather("Has she had a mammogram?", grant=grant(), today=NOON.date())

        assert (found.index_answered, len(found.passages)) == (False, 9)
