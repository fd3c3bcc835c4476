"""Bundles and single resources: what goes in, what is refused and where it stood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.domain.items import Item, ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes
from tests.unit.r4_samples import condition, observation, patient

UUID_1 = "0dd77edd-bffd-4258-ac40-c07af6dd734a"
UUID_2 = "5ad50081-cf54-49bc-b8ea-045497418383"


def entry(resource: dict[str, Any], full_url: str = "", **more: Any) -> dict[str, Any]:
    return ({"fullUrl": full_url} if full_url else {}) | {"resource": resource} | more


def bundle(*entries: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind} | ({"entry": list(entries)} if entries else {})


def read(content: dict[str, Any] | bytes, **context: Any) -> list[Item]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return list(parse_bytes(raw, ParseContext(**context)))


def resources(items: list[Item]) -> list[dict[str, Any]]:
    return [json.loads(item.content) for item in items if isinstance(item, ResourceItem)]


def rejected(items: list[Item]) -> list[tuple[str, str]]:
    return [(item.position, item.reason) for item in items if isinstance(item, RejectedItem)]


def without_id(resource: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in resource.items() if k != "id"}


@pytest.mark.parametrize("kind", ["transaction", "batch", "collection", "searchset", "document", "history", "message"])
def test_every_kind_of_bundle_gives_its_resources(kind: str) -> None:
    request: dict[str, Any] = (
        {"request": {"method": "PUT", "url": "Patient/amina"}} if kind in {"transaction", "batch"} else {}
    )
    [item] = read(bundle(entry(patient(), **request), kind=kind))
    assert isinstance(item, ResourceItem)
    assert (item.position, item.resource_type, item.resource_id) == ("entry[0]", "Patient", "amina")


def test_the_bytes_of_a_resource_stay_exactly_as_they_came() -> None:
    inner = b'{ "resourceType" : "Observation",\n "id":"o", "status":"final", "code":{"text":"K\\u002b"},'
    inner += b' "valueQuantity":{"value":4.100e0} }'
    [item] = read(b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":' + inner + b"}]}")
    assert isinstance(item, ResourceItem)
    assert item.content == inner


def test_urn_references_become_type_and_id_before_and_after_their_target() -> None:
    subject = {"reference": f"urn:uuid:{UUID_1.upper()}"}
    items = read(
        bundle(
            entry(without_id(observation()) | {"subject": subject}, f"urn:uuid:{UUID_2}"),
            entry(patient(), f"urn:uuid:{UUID_1}"),
            entry(condition() | {"subject": {"reference": f"urn:uuid:{UUID_1}"}}, "urn:uuid:c"),
        )
    )
    first, _, third = resources(items)
    assert first["subject"]["reference"] == third["subject"]["reference"] == "Patient/amina"
    assert first["id"] == UUID_2


def test_only_references_are_rewritten() -> None:
    words = f'see "reference":"urn:uuid:{UUID_1}" and urn:uuid:{UUID_1}'
    identifier = {"system": f"urn:uuid:{UUID_1}", "value": "1"}
    resource = observation() | {"note": [{"text": words}], "identifier": [identifier]}
    stored = resources(read(bundle(entry(resource), entry(patient(), f"urn:uuid:{UUID_1}"))))[0]
    assert stored["note"][0]["text"] == words
    assert stored["identifier"] == [identifier]


def test_absolute_references_to_the_same_server_become_relative() -> None:
    base = "https://ehr.example/fhir"
    resource = observation() | {
        "subject": {"reference": f"{base}/Patient/amina"},
        "performer": [{"reference": "https://other.example/fhir/Practitioner/1"}],
    }
    [item] = read(bundle(entry(resource, f"{base}/Observation/obs-1")))
    assert isinstance(item, ResourceItem)
    assert item.server == base
    stored = json.loads(item.content)
    assert stored["subject"]["reference"] == "Patient/amina"
    assert stored["performer"][0]["reference"] == "https://other.example/fhir/Practitioner/1"


def test_conditional_references_are_resolved_when_one_resource_answers() -> None:
    here = "Patient?identifier=http://clinic.example/mrn|1"
    elsewhere = "Patient?identifier=http://clinic.example/mrn|2"
    items = read(
        bundle(
            entry(observation() | {"subject": {"reference": here}}),
            entry(condition() | {"subject": {"reference": elsewhere}}),
            entry(patient()),
        )
    )
    assert [r["subject"]["reference"] for r in resources(items)[:2]] == ["Patient/amina", elsewhere]


def test_a_resource_without_any_id_is_given_the_same_one_each_time() -> None:
    first, second = read(without_id(patient())), read(without_id(patient()))
    assert first == second
    assert resources(first)[0]["id"]


def test_a_bad_entry_is_refused_with_its_place_and_the_rest_goes_in() -> None:
    items = read(
        bundle(
            entry(patient()),
            entry(observation() | {"status": "bogus"}),
            {"resource": observation(), "search": {"mode": "outcome"}},
            {"resource": 5},
            {"request": {"method": "PATCH", "url": "Patient/1"}, "resource": patient()},
            {"link": [{"relation": "self"}]},
            {"fullUrl": "urn:uuid:x"},
            entry(condition()),
        )
    )
    assert [r["resourceType"] for r in resources(items)] == ["Patient", "Condition"]
    assert rejected(items) == [
        ("entry[1]", "code-not-allowed"), ("entry[2]", "outcome-entry"), ("entry[3]", "not-a-resource"),
        ("entry[4]", "not-a-record"), ("entry[5]", "required-element"), ("entry[6]", "no-resource"),
    ]  # fmt: skip


def test_a_detail_names_the_element_and_no_value() -> None:
    name = [{"family": "Diallo", "given": 7}]
    [item] = read(patient() | {"name": name})
    assert item == RejectedItem("", "cardinality", "Patient.name[0].given")


def test_deletions_are_told_apart() -> None:
    items = read(
        bundle(
            {"request": {"method": "DELETE", "url": "Observation/obs-1"}},
            {"request": {"method": "DELETE", "url": "Observation?code=1"}},
            kind="transaction",
        )
    )
    assert items[0] == ResourceItem("entry[0]", "Observation", "obs-1", b"", delete=True)
    assert rejected(items) == [("entry[1]", "conditional-delete")]


def test_a_history_is_given_oldest_first_and_a_bundle_inside_is_opened() -> None:
    history = bundle(entry(patient() | {"active": False}), entry(patient()), kind="history")
    assert [r["active"] for r in resources(read(history))] == [True, False]
    assert [i.position for i in read(bundle(entry(history)))] == ["entry[0].entry[1]", "entry[0].entry[0]"]


def test_a_bundle_without_entries_holds_nothing() -> None:
    assert read(bundle()) == []


@pytest.mark.parametrize("levels", [80, 3000])
def test_one_entry_nested_too_deep_leaves_the_others(levels: int) -> None:
    deep = '{"url":"http://x.example","extension":[' * levels + '{"url":"y","valueString":"z"}' + "]}" * levels
    bad = f'{{"resourceType":"Patient","extension":[{deep}]}}'
    good = json.dumps(patient())
    text = f'{{"resourceType":"Bundle","type":"batch","entry":[{{"resource":{bad}}},{{"resource":{good}}}]}}'
    items = read(text.encode())
    assert rejected(items) == [("entry[0]", "too-deep")]
    assert len(resources(items)) == 1


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ((b'"status": "final"', b'"status": "final", "status": "amended"'), [("entry[1]", "duplicate-key")]),
        ((b'"final"', b'"fin\xffal"'), [("entry[1]", "not-utf8")]),
        ((b"no haemolysis", b"no \\ud83d haemolysis"), [("entry[1]", "invalid-character")]),
        ((b"no haemolysis", b"no \\u0000 haemolysis"), [("entry[1]", "invalid-character")]),
        ((b"2024-02-29T10:00:00+01", b"2023-02-29T10:00:00+01"), [("entry[1]", "bad-date")]),
        ((b'"type": "batch"', b'"type": "batch", "type": "batch"'), [("", "duplicate-key")]),
        ((b'"type": "batch"', b'"type": "heap"'), [("", "code-not-allowed")]),
        ((b'"resource": {"resourceType": "Obs', b'"resource":{}, "resource": {"resourceType": "Obs'),
         [("entry[1]", "duplicate-key")]),
    ],
)  # fmt: skip
def test_damage_is_kept_to_the_entry_it_is_in(damage: tuple[bytes, bytes], expected: list[tuple[str, str]]) -> None:
    content = json.dumps(bundle(entry(patient()), entry(observation()), kind="batch")).encode()
    items = read(content.replace(*damage))
    assert rejected(items) == expected
    assert len(resources(items)) == (0 if expected[0][0] == "" else 1)


def test_a_duplicate_is_found_beside_an_entry_with_bad_bytes() -> None:
    content = json.dumps(bundle(entry(patient()), entry(observation()))).encode()
    damaged = content.replace(b'"female"', b'"fem\xffale"').replace(b'"final"', b'"final", "status": "final"')
    assert rejected(read(damaged)) == [("entry[0]", "not-utf8"), ("entry[1]", "duplicate-key")]


def test_truncated_and_malformed_json_is_refused_with_the_byte() -> None:
    content = json.dumps(bundle(entry(patient()))).encode()
    assert read(content[:-20]) == [RejectedItem("", "truncated-json", f"byte {len(content) - 20}")]
    [item] = read(content.replace(b'"active": true', b'"active": NaN'))
    assert isinstance(item, RejectedItem)
    assert (item.reason, item.detail) == ("malformed-json", f"byte {content.index(b'true')}")


def test_sizes_are_bounded() -> None:
    items = read(bundle(entry(patient()), entry(condition())), max_resource_bytes=350)
    assert rejected(items) == [("entry[0]", "resource-too-large")]
    assert rejected(read(bundle(entry(patient())), max_file_bytes=100)) == [("", "file-too-large")]
