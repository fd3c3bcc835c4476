"""Opening a source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from clinical.models import AuditEvent, ResourceVersion
from clinical.record.selectors import content_of
from clinical.web.readable import Line, readable, readable_quote
from tests.factories import note, take_in

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.conftest import Clinic

needs_database = pytest.mark.django_db(databases=["default", "audit"])


def opened(client: Client, clinic: Clinic, resource: str, *, fragment: bool = False, **query: Any) -> Any:
    kind, _, logical_id = resource.partition("/")
    headers = {"HX-Request": "true"} if fragment else {}
    return client.get(reverse("source", args=[clinic.full, kind, logical_id, "1"]), query, headers=headers)


@needs_database
def test_a_source_is_a_page_with_the_banner_and_a_fragment_for_the_panel(signed_in: Client, clinic: Clinic) -> None:
    page = opened(signed_in, clinic, "DocumentReference/web-n1", start=0, end=4).content.decode()
    fragment = opened(signed_in, clinic, "DocumentReference/web-n1", fragment=True, start=0, end=4).content.decode()

    assert "BRENNAN" in page
    for html in (page, fragment):
        assert '<mark id="cited" tabindex="-1">Seen</mark> in the arrhythmia clinic' in html
    assert "<html" not in fragment


@needs_database
def test_each_source_opened_is_on_the_trail(signed_in: Client, clinic: Clinic) -> None:
    opened(signed_in, clinic, "Condition/web-c1", part="json", start=0, end=1)

    row = AuditEvent.objects.get(action="source.view")
    assert row.outcome == "SUCCESS"
    assert row.detail["resource"] == "Condition/web-c1"
    assert row.patient_id == str(clinic.full)


@needs_database
def test_hostile_words_of_a_note_are_shown_as_words(signed_in: Client, clinic: Clinic) -> None:
    html = opened(signed_in, clinic, "DocumentReference/web-n2", fragment=True).content.decode()

    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "{{ 7|add:7 }}" in html


@needs_database
def test_structured_words_are_marked_twice_readable_and_exact(signed_in: Client, clinic: Clinic) -> None:
    version = ResourceVersion.objects.get(resource_type="Observation", logical_id="web-k3")
    text = content_of(version).decode()
    start = text.index('"valueQuantity"')
    html = opened(
        signed_in, clinic, "Observation/web-k3", fragment=True, part="json", start=start, end=start + 20
    ).content.decode()

    assert "<dt>Value</dt><dd><mark>5.6 mmol/L</mark></dd>" in html
    assert re.search(r'<mark id="cited"[^>]*>&quot;valueQuantity&quot;', html)


@needs_database
def test_an_old_version_says_that_it_was_replaced(signed_in: Client, clinic: Clinic) -> None:
    assert "replaced" not in opened(signed_in, clinic, "Condition/web-c1").content.decode()
    ResourceVersion.objects.filter(logical_id="web-c1").update(is_current=False)

    assert "replaced by a newer version" in opened(signed_in, clinic, "Condition/web-c1").content.decode()


@needs_database
@pytest.mark.parametrize(
    "query",
    [{"start": "0", "end": "999999"}, {"start": "-1"}, {"start": "x"}, {"part": "html"}, {"start": "9", "end": "3"}],
)
def test_a_span_outside_the_source_is_not_found(signed_in: Client, clinic: Clinic, query: dict[str, Any]) -> None:
    assert opened(signed_in, clinic, "DocumentReference/web-n1", fragment=False, **query).status_code == 404


@needs_database
def test_another_patients_source_is_not_found_under_this_one(signed_in: Client, clinic: Clinic) -> None:
    assert opened(signed_in, clinic, "Condition/web-c3").status_code == 404


@needs_database
@pytest.mark.parametrize("resource", ["Condition/a\0b", "Condition/words of somebody", "Cond1tion/web-c1"])
def test_what_is_no_reference_is_not_found_and_reaches_no_trail(
    signed_in: Client, clinic: Clinic, resource: str
) -> None:
    assert opened(signed_in, clinic, resource).status_code == 404
    assert not AuditEvent.objects.filter(action="source.view").exists()


def test_readable_keeps_the_digits_and_leaves_plumbing_out() -> None:
    text = (
        '{"resourceType":"Observation","id":"x","code":{"text":"Troponin T"},"valueQuantity":{"value":5.10,'
        '"comparator":"<","unit":"ng/mL"},"effectivePeriod":{"start":"2024","end":"2025"},"performed":true}'
    )

    assert readable(text) == [
        Line("Code", "Troponin T"),
        Line("Value", "<5.10 ng/mL"),
        Line("Effective", "2024 to 2025"),
        Line("Performed", "yes"),
    ]
    assert readable("not json") == readable("[1]") == []


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ('{"value": 5.60, "unit": "mmol/L"}', "5.60 mmol/L"),
        ('"medicationCodeableConcept": {"text": "apixaban"}', "apixaban"),
        ('"effectiveDateTime": "2026-03-02"', "2026-03-02"),
        ('"final"', "final"),
        ("[{}]", "[{}]"),
        ("half of a {", "half of a {"),
        ('{"text": "5 mg twice daily", "timing": {"code": {"text": "BD"}}}', "5 mg twice daily"),
    ],
)
def test_a_structured_quote_reads_as_words(quote: str, words: str) -> None:
    assert readable_quote(quote) == words


@needs_database
def test_an_addendum_links_to_its_parent_and_the_parent_to_it(signed_in: Client, clinic: Clinic) -> None:
    added = note("Apixaban is to go on.", logical_id="web-n1-added", subject="web-orla")
    added["relatesTo"] = [{"code": "appends", "target": {"reference": "DocumentReference/web-n1"}}]
    entry = {"fullUrl": "http://records.example/DocumentReference/web-n1-added", "resource": added}
    take_in({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})

    parent = opened(signed_in, clinic, "DocumentReference/web-n1", start=0, end=4).content.decode()
    child = opened(signed_in, clinic, "DocumentReference/web-n1-added", start=0, end=4).content.decode()

    assert "Added to later:" in parent
    assert "/DocumentReference/web-n1-added/" in parent
    assert "This is an addendum to" in child
    assert "/DocumentReference/web-n1/" in child
