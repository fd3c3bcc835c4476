"""Items leave a document, and every other byte of it that matters stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.domain.items import ResourceItem
from ingestion.domain.r4.bundles import read_fhir
from ingestion.domain.redaction import NotRewritableError, piece, without
from tests.factories import bundle, observation, patient


def positions(document: bytes) -> dict[str, bytes]:
    items = read_fhir(document, max_resource_bytes=1 << 20)
    return {item.position: item.content for item in items if isinstance(item, ResourceItem)}


@given(st.sets(st.integers(0, 11)), st.booleans())
def test_what_is_not_taken_out_is_read_again_the_same_at_its_place(dropped: set[int], nested: bool) -> None:
    made = [observation(f"k{number}", value=number / 4) for number in range(12)]
    content = bundle(bundle(*made[:6]), bundle(*made[6:])) if nested else bundle(*made)
    document = json.dumps(content).encode()
    before = positions(document)
    gone = {place: None for number, place in enumerate(before) if number in dropped}

    left = without(document, "", gone)

    assert left is not None
    assert positions(left) == {place: one for place, one in before.items() if place not in gone}
    for number in dropped:
        assert f'"k{number}"'.encode() not in left


def test_a_single_resource_goes_whole_and_an_untouched_document_is_the_same_object() -> None:
    document = json.dumps(patient()).encode()

    assert without(document, "", {"": None}) is None
    assert without(document, "", {}) is document


def test_a_replaced_item_has_its_new_bytes() -> None:
    document = json.dumps(bundle(patient("a"), patient("b"))).encode()

    left = without(document, "", {"entry[1]": b'{"resourceType":"Patient","id":"c"}'})

    assert left is not None
    assert positions(left)["entry[1]"] == b'{"resourceType":"Patient","id":"c"}'


def test_links_and_identifiers_of_the_bundle_itself_do_not_stay() -> None:
    content: dict[str, Any] = bundle(patient("a"), patient("b"))
    content |= {"link": [{"relation": "self", "url": "Patient?name=a"}], "identifier": {"value": "of a"}, "total": 2}

    left = json.loads(without(json.dumps(content).encode(), "", {"entry[0]": None}) or b"")

    assert left.keys() == {"resourceType", "type", "entry"}


@pytest.mark.parametrize("document", [b"{", b'{"resourceType": "Bundle"}', b"[]"])
def test_what_is_no_bundle_cannot_be_taken_apart(document: bytes) -> None:
    with pytest.raises(NotRewritableError):
        without(document, "", {"entry[0]": None})


def test_the_bytes_of_a_place_are_found_and_else_the_whole_is_looked_at() -> None:
    document = json.dumps(bundle(bundle(patient("a"), patient("b")))).encode()

    found = piece(document, "line 3", "line 3 entry[0].entry[1]")
    assert json.loads(found)["resource"]["id"] == "b"
    assert piece(document, "", "entry[7]") == document
