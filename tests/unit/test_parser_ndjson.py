"""Bulk Data files: line by line, in bounded memory, whatever a line holds."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING

from ingestion.domain.items import ParseContext, RejectedItem, ResourceItem
from ingestion.parsers.registry import parse_bytes, parse_file
from tests.unit.r4_samples import observation, patient

if TYPE_CHECKING:
    from pathlib import Path

LINE = json.dumps(patient()).encode()
OTHER = json.dumps(observation()).encode()
CONTEXT = ParseContext()


def test_bom_crlf_and_blank_lines_are_taken_in_stride() -> None:
    items = list(parse_bytes(b"\xef\xbb\xbf" + LINE + b"\r\n\r\n  \n" + OTHER + b"\r\n", CONTEXT))
    assert [(i.position, i.resource_type) for i in items if isinstance(i, ResourceItem)] == [
        ("line 1", "Patient"), ("line 4", "Observation"),
    ]  # fmt: skip
    assert len(items) == 2


def test_bad_lines_are_refused_by_number_and_the_rest_goes_in() -> None:
    lines = [LINE, b'{"resourceType":"Patient","gender":"x"}', b"not json", LINE, OTHER[:50]]
    items = list(parse_bytes(b"\n".join(lines), CONTEXT))
    assert [(i.position, i.reason) for i in items if isinstance(i, RejectedItem)] == [
        ("line 2", "code-not-allowed"), ("line 3", "malformed-json"), ("line 5", "truncated-json"),
    ]  # fmt: skip
    assert sum(isinstance(i, ResourceItem) for i in items) == 2


def test_a_damaged_first_line_does_not_hide_the_format() -> None:
    items = list(parse_bytes(LINE[:40] + b"\n" + LINE + b"\n" + OTHER + b"\n", CONTEXT, "upload.bin"))
    assert [i.position for i in items if isinstance(i, ResourceItem)] == ["line 2", "line 3"]


def test_a_first_line_longer_than_the_head_does_not_hide_the_format() -> None:
    long = json.dumps(patient() | {"name": [{"text": "x" * 400_000}]}).encode()
    items = list(parse_bytes(long + b"\n" + LINE + b"\n", CONTEXT))
    assert [i.position for i in items] == ["line 1", "line 2"]


def test_a_file_of_deletions_is_read_as_bundles() -> None:
    entry = {"request": {"method": "DELETE", "url": "Patient/1"}}
    line = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()
    items = list(parse_bytes(line + b"\n" + line + b"\n", CONTEXT, "deleted.ndjson"))
    assert [(i.position, i.delete) for i in items if isinstance(i, ResourceItem)] == [
        ("line 1 entry[0]", True), ("line 2 entry[0]", True),
    ]  # fmt: skip


def test_a_line_over_the_limit_is_skipped_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "big.ndjson"
    with path.open("wb") as target:
        target.write(LINE + b"\n")
        for _ in range(64):
            target.write(b'{"x":"' + b"y" * 2**20)
        target.write(b"\n" + OTHER)
    tracemalloc.start()
    items = list(parse_file(path, ParseContext(max_resource_bytes=2**20)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [i.position for i in items] == ["line 1", "line 2", "line 3"]
    assert items[1] == RejectedItem("line 2", "resource-too-large")
    assert peak < 12 * 2**20


def test_a_line_of_exactly_the_limit_goes_in() -> None:
    exact = ParseContext(max_resource_bytes=len(LINE))
    for end in (b"", b"\n", b"\r\n"):
        [item] = parse_bytes(LINE + end, exact, "one.ndjson")
        assert isinstance(item, ResourceItem)
    [item] = parse_bytes(LINE + b"\n", ParseContext(max_resource_bytes=len(LINE) - 1), "one.ndjson")
    assert item == RejectedItem("line 1", "resource-too-large")
