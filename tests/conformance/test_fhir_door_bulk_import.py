"""A Bulk Data export in a folder: output, deletions, errors, bad lines, and the same again.

Source: HL7 FHIR Bulk Data Access 2.0.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinical.models import ResourceVersion
from ingestion.domain.fhir_door.manifest import ManifestError, read_manifest
from tests.factories import observation, patient
from tests.fhir_door import SERVER

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def lines(*resources: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\r\n" for one in resources)


def export(folder: Path, **groups: dict[str, tuple[bytes, int | None]]) -> None:
    """Write the files and a manifest that names them as a server does, by URL."""
    manifest: dict[str, Any] = {"transactionTime": "2026-03-01T00:00:00Z", "request": f"{SERVER}/$export"}
    manifest["requiresAccessToken"] = True
    manifest["output"] = []
    for group, files in groups.items():
        manifest[group] = []
        for name, (content, count) in files.items():
            (folder / name).write_bytes(content)
            url = f"https://ehr.internal/files/{name}?signature=x"
            manifest[group].append({"type": "Patient", "url": url} | ({} if count is None else {"count": count}))
    (folder / "manifest.json").write_text(json.dumps(manifest))


def run(folder: Path) -> dict[str, Any]:
    out = io.StringIO()
    call_command("bulk_import", str(folder), "--server", SERVER, "--json", stdout=out, stderr=io.StringIO())
    return dict(json.loads(out.getvalue()))


def deletion(reference: str) -> dict[str, Any]:
    entry = {"request": {"method": "DELETE", "url": reference}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def test_an_export_goes_in_with_its_deletions_and_again_changes_nothing(tmp_path: Path) -> None:
    export(
        tmp_path,
        output={
            "Observation.ndjson": (lines(observation("k1"), observation("k2")), 2),
            "Patient.ndjson": (lines(patient()), 1),
        },
        deleted={"deleted.ndjson": (lines(deletion("Observation/k2")), 1)},
        error={"errors.ndjson": (lines({"resourceType": "OperationOutcome", "issue": []}), 1)},
    )
    first = run(tmp_path)
    assert (first["received"], first["stored"], first["quarantined"], first["export_errors"]) == (4, 4, [], 1)
    assert ResourceVersion.objects.get(logical_id="k2", is_current=True).deleted
    assert set(ResourceVersion.objects.values_list("server", flat=True)) == {SERVER}
    again = run(tmp_path)
    assert (again["received"], again["stored"], again["unchanged"]) == (4, 0, 4)


def test_one_bad_line_is_named_and_the_rest_goes_in(tmp_path: Path) -> None:
    content = lines(patient(), b'{"resourceType":"Observation",', *(observation(f"k{n}") for n in range(20)))
    export(tmp_path, output={"all.ndjson": (content, 22)})
    found = run(tmp_path)
    assert (found["stored"], [one["position"] for one in found["quarantined"]]) == (21, ["line 2"])


def test_a_missing_file_and_a_wrong_count_are_told_after_the_rest_is_in(tmp_path: Path) -> None:
    export(tmp_path, output={"Patient.ndjson": (lines(patient()), 3), "gone.ndjson": (b"", None)})
    (tmp_path / "gone.ndjson").unlink()
    with pytest.raises(CommandError, match=r"Patient.ndjson holds 1 lines, 3 announced; gone.ndjson is missing"):
        run(tmp_path)
    assert ResourceVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not-json"),
        (b"[]", "not-a-manifest"),
        (b"{}", "not-a-manifest"),
        (b'{"transactionTime":"x","output":[{"url":"https://x/.."}]}', "bad-name"),
        (b'{"transactionTime":"x","output":[{"url":"a/b"},{"url":"c/b"}]}', "name-twice"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(ManifestError) as told:
        read_manifest(content)
    assert told.value.reason == reason


def test_a_name_never_leaves_the_folder() -> None:
    found = read_manifest(b'{"transactionTime":"x","output":[{"url":"https://x/../../etc/passwd"}]}')
    assert found.output[0].name == "passwd"
