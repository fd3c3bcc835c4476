"""Reads what the sending system says it has: a Bulk Data manifest, search totals, a CSV. Pure.

Sources: FHIR Bulk Data Access v2.0.0, section "Bulk Data Output File Request", complete status response (`output[]`
with `type` and optional `count`); HL7 FHIR R4 4.0.1, Bundle of type searchset (`total`, `link` relation "self").
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}")
_HEADER: Final = frozenset({"patient", "patient id", "patient_id", "patientid", "id", "mrn", "subject"})
_OF_A_PATIENT: Final = ("patient", "subject")
MOST: Final = 10**12


class ExpectedError(ValueError):
    """The list cannot be read. `reason` is a code, `place` a row or an element, never what stands there."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(f"{reason}: {place}")
        self.reason, self.place = reason, place


@dataclass(frozen=True, slots=True)
class Expected:
    """How many resources of a type the sender has; of one patient, or of all where `patient` is "".

    `patient` is the sender's identifier, "system|value" or a Patient.id; `row` where it stands in the list, from 1.
    """

    patient: str
    resource_type: str
    count: int
    row: int


def of_manifest(text: str) -> list[Expected]:
    """Return the totals by type of a Bulk Data manifest; several files of one type count together.

    Raises:
        ExpectedError: no manifest, or one of its files has no `count`.
    """
    manifest = _json(text)
    output = manifest.get("output") if isinstance(manifest, dict) else None
    if not isinstance(output, list):
        raise ExpectedError("not-a-manifest", "output")
    totals: Counter[str] = Counter()
    for number, file in enumerate(output):
        place = f"output[{number}]"
        if not isinstance(file, dict):
            raise ExpectedError("not-a-manifest", place)
        totals[_type(file.get("type"), f"{place}.type")] += _count(file.get("count"), f"{place}.count")
    return [Expected("", name, count, row) for row, (name, count) in enumerate(sorted(totals.items()), start=1)]


def of_counts(text: str) -> list[Expected]:
    """Return the totals of searches: searchset Bundles, one or several or inside a batch-response, or {"type": count}.

    A Bundle says by its self link what was searched; `patient` and `subject` in it are the patient.

    Raises:
        ExpectedError: nothing of the kind, a Bundle without `total` or self link, or what narrows the search else.
    """
    found = _json(text)
    if isinstance(found, dict) and "resourceType" not in found:
        pairs = sorted(found.items())
        return [Expected("", _type(n, n[:64]), _count(c, n[:64]), row) for row, (n, c) in enumerate(pairs, start=1)]
    bundles = list(_searchsets(found, ""))
    if not bundles:
        raise ExpectedError("not-a-search-total", "Bundle")
    return [_of_search(bundle, place, row) for row, (bundle, place) in enumerate(bundles, start=1)]


def of_csv(text: str) -> list[Expected]:
    """Return the rows of a CSV: patient, resource type, count; a first row of names is left out.

    Comma, semicolon or tab; the same patient and type twice count together.

    Raises:
        ExpectedError: a row that has not these three columns.
    """
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    totals: dict[tuple[str, str], Expected] = {}
    for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() in _HEADER):
            continue
        place = f"row {number}"
        if len(cells) < 3 or not cells[0]:
            raise ExpectedError("three-columns-needed", place)
        patient, name = cells[0].removeprefix("Patient/"), _type(cells[1], place)
        count = _count(int(cells[2]) if cells[2].isascii() and cells[2].isdigit() else None, place)
        held = totals.get((patient, name))
        totals[patient, name] = Expected(
            patient, name, count + (held.count if held else 0), held.row if held else number
        )
    return list(totals.values())


def _searchsets(found: object, place: str) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(found, list):
        for number, one in enumerate(found):
            yield from _searchsets(one, f"{place}[{number}]")
    elif isinstance(found, dict) and found.get("resourceType") == "Bundle":
        if found.get("type") == "searchset":
            yield found, place or "Bundle"
        else:
            for number, entry in enumerate(found.get("entry") or ()):
                resource = entry.get("resource") if isinstance(entry, dict) else None
                yield from _searchsets(resource, f"{place}entry[{number}]")


def _of_search(bundle: dict[str, Any], place: str, row: int) -> Expected:
    links = bundle.get("link")
    urls = [
        str(link.get("url", ""))
        for link in (links if isinstance(links, list) else ())
        if isinstance(link, dict) and link.get("relation") == "self"
    ]
    if not urls:
        raise ExpectedError("no-self-link", place)
    address = urlsplit(urls[0])
    asked = parse_qs(address.query)
    patient = ""
    for name, values in asked.items():
        if name in _OF_A_PATIENT or (name == "_id" and address.path.endswith("Patient")):
            patient = values[0].removeprefix("Patient/")
        elif not name.startswith(("_summary", "_count", "_total", "_format")):
            raise ExpectedError("narrowed-search", place)  # counts of a part cannot be compared with the whole
    name = _type(address.path.rstrip("/").rpartition("/")[2], place)
    return Expected(patient, name, _count(bundle.get("total"), f"{place}.total"), row)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ExpectedError("not-json", "file") from None


def _type(given: object, place: str) -> str:
    if not isinstance(given, str) or not _TYPE.fullmatch(given):
        raise ExpectedError("no-resource-type", place)
    return given


def _count(given: object, place: str) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= MOST:
        raise ExpectedError("no-count", place)
    return given
