"""What is valid passes, also where the JSON format allows more than one way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.tables import tables
from tests.unit.r4_samples import observation, patient

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "positiveInt": st.integers(1, 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "decimal": st.decimals(-(10**6), 10**6, places=3).map(float),
    "string": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    "code": st.from_regex(r"\A[a-z]{1,12}\Z"),
    "uri": st.just("http://example.org/x"),
    "id": st.from_regex(r"\A[A-Za-z0-9\-.]{1,64}\Z"),
    "date": st.dates().map(lambda d: d.isoformat()),
    "dateTime": st.datetimes(timezones=st.timezones().filter(lambda z: z.key == "UTC")).map(
        lambda d: d.isoformat(timespec="milliseconds")
    ),
    "instant": st.datetimes().map(lambda d: d.isoformat(timespec="seconds") + "Z"),
    "time": st.times().map(lambda t: t.replace(tzinfo=None).isoformat(timespec="seconds")),
    "base64Binary": st.just("aGVsbG8="),
    "oid": st.just("urn:oid:1.2.3"),
    "uuid": st.just("urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    "xhtml": st.just('<div xmlns="http://www.w3.org/1999/xhtml">x</div>'),
}
for alias, of in (("markdown", "string"), ("canonical", "uri"), ("url", "uri")):
    PRIMITIVES[alias] = PRIMITIVES[of]
SKIPPED = {"Resource", "Extension"}  # a resource inside is another test; extensions have no end
COMMON = ["Observation", "Condition", "Patient", "MedicationRequest", "Encounter", "Procedure", "Immunization"]


@st.composite
def elements_of(draw: st.DrawFn, type_name: str, depth: int = 0) -> dict[str, Any]:
    """Draw an object of an R4 type from the tables: required elements always, others sometimes."""
    drawn: dict[str, Any] = {}
    for element in tables().elements[type_name]:
        kinds = [k for k in element.types if k not in SKIPPED]
        if not kinds or not (element.required or (depth < 2 and draw(st.integers(0, 5)) == 0)):
            continue
        kind = draw(st.sampled_from(kinds))
        name = element.stem + kind[0].upper() + kind[1:] if element.is_choice else element.name
        if element.codes.endswith("|"):
            system, code = draw(st.sampled_from(tables().codes[element.codes])).split("|")
            value: Any = {"coding": [{"system": system, "code": code}]}
        elif element.codes:
            value = draw(st.sampled_from(tables().codes[element.codes]))
        elif kind in PRIMITIVES:
            value = draw(PRIMITIVES[kind])
        else:
            value = draw(elements_of(kind, depth + 1))
        drawn[name] = [value] if element.repeats else value
    return drawn


def draw_resources() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(COMMON).flatmap(_resource_of)


def _resource_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return elements_of(name).map(lambda drawn: {"resourceType": name} | drawn)


@settings(max_examples=60, deadline=None)
@given(resource=draw_resources(), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_whatever_the_tables_allow_passes(resource: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    content = json.dumps(resource, indent=indent, ensure_ascii=ascii_only).encode()
    assert check_resource(content).resource_type == resource["resourceType"]


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=0, max_size=40))
def test_no_text_makes_the_checker_raise_anything_but_its_own_error(text: str) -> None:
    with pytest.raises(InvalidResourceError):
        check_resource(text.encode("utf-8", "surrogatepass"))


def test_every_resource_type_of_the_edition_can_be_built() -> None:
    assert len(tables().resources) == 146
    for name in tables().resources:
        with pytest.raises(InvalidResourceError) as caught:
            check_resource(msgspec.json.encode({"resourceType": name, "notAnElement": 1}))
        assert caught.value.issue.code in {"unknown-element", "required-element"}


@pytest.mark.parametrize(
    "change",
    [
        {"birthDate": "1961"},
        {"birthDate": "2024-02-29"},
        {"birthDate": "2000-02-29"},
        {"_birthDate": {"extension": [{"url": "http://x.example", "valueCode": "unknown"}]}},
        {"name": [{"given": ["Amina", None], "_given": [None, {"id": "g2"}]}]},
        {"photo": [{"data": "aGVs\n bG8="}]},
        {"text": {"status": "generated"}},
        {"contained": [observation()]},
        {"extension": [{"url": "http://x.example", "extension": [{"url": "y", "valueDecimal": 1e-9}]}]},
    ],
)
def test_rare_but_valid_forms_pass(change: dict[str, Any]) -> None:
    assert check_resource(json.dumps(patient() | change).encode()).resource_id == "amina"


def test_a_required_status_may_be_absent_with_a_reason() -> None:
    resource = observation()
    del resource["status"]
    resource["_status"] = {"extension": [{"url": "http://x.example/absent", "valueCode": "unknown"}]}
    assert check_resource(json.dumps(resource).encode()).resource_type == "Observation"


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"name": [{"given": ["Amina", None]}]}, Issue("null-value", "Patient.name[0].given[1]")),
        ({"active": None}, Issue("null-value", "Patient.active")),
        ({"name": []}, Issue("empty-value", "Patient.name")),
        ({"id": "not an id"}, Issue("bad-format", "Patient.id")),
        ({"photo": [{"data": "%%%"}]}, Issue("bad-format", "Patient.photo[0].data")),
        ({"telecom": [{"rank": 0}]}, Issue("out-of-range", "Patient.telecom[0].rank")),
        ({"contained": [{"resourceType": "Observation"}]}, Issue("required-element", "Patient.contained[0].status")),
        ({"contained": [patient() | {"contained": [patient()]}]}, Issue("nested-contained", "Patient.contained[0]")),
        ({"Amina Diallo": 1}, Issue("unknown-element", "Patient")),
        ({"name": [{"family": "a\0b"}]}, Issue("invalid-character", "Patient")),
    ],
)
def test_other_faults_are_named_without_their_values(change: dict[str, Any], issue: Issue) -> None:
    with pytest.raises(InvalidResourceError) as caught:
        check_resource(json.dumps(patient() | change).encode())
    assert caught.value.issue == issue
    assert "Diallo" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"resourceType":"Patient","multipleBirthInteger":NaN}', "malformed-json"),
        (b'{"resourceType":"Patient","active":tr', "truncated-json"),
        (b'{"resourceType":"Patient","gender":"\xff"}', "not-utf8"),
        (b'{"resourceType":"Wish"}', "unknown-resource-type"),
        (b'{"id":"1"}', "no-resource-type"),
        (b"[]", "not-a-resource"),
        (b'{"id":' + b"[" * 9000, "too-deep"),
        (b'{"active":true,"active\\u003a":1,"resourceType":"Patient"}', "unknown-element"),
    ],
)
def test_broken_bytes_are_told_apart(content: bytes, code: str) -> None:
    with pytest.raises(InvalidResourceError) as caught:
        check_resource(content)
    assert caught.value.issue.code == code


@pytest.mark.parametrize(("levels", "passes"), [(15, True), (40, False), (2000, False)])
def test_extensions_may_be_nested_to_the_limit_only(levels: int, passes: bool) -> None:
    inner = '{"url":"http://x.example","extension":[' * levels + '{"url":"y","valueString":"z"}' + "]}" * levels
    content = f'{{"resourceType":"Patient","extension":[{inner}]}}'.encode()
    if passes:
        assert check_resource(content).resource_type == "Patient"
        return
    with pytest.raises(InvalidResourceError) as caught:
        check_resource(content)
    assert caught.value.issue.code == "too-deep"
