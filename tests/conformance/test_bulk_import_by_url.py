"""A Bulk Data export fetched from the site's EHR by its manifest's URL: through the on-site client, and nowhere else.

Sources: HL7 FHIR Bulk Data Access 2.0, "Response - Complete Status" and "File Requests"; SMART Backend Services.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from clinical.models import ResourceVersion
from ingestion.management.commands import bulk_import
from tests.conformance.test_fhir_door_bulk_import import deletion, lines
from tests.conformance.test_subscription_fetch import ehr, reader
from tests.factories import observation, patient

if TYPE_CHECKING:
    from tests.mock_ehr import MockEhr

__all__ = ["ehr"]
pytestmark = [
    pytest.mark.django_db(databases=["default", "audit"]),
    pytest.mark.filterwarnings("ignore:.*:ResourceWarning"),
]


@pytest.fixture
def export(ehr: MockEhr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MockEhr:
    """An export of three files on the EHR, with two files that end alike and one bad line."""
    manifest = {
        "transactionTime": "2026-03-01T00:00:00Z",
        "request": f"{ehr.base}/$export",
        "requiresAccessToken": True,
        "output": [
            {"type": "Observation", "url": f"{ehr.base}/out/a/1.ndjson", "count": 2},
            {"type": "Patient", "url": f"{ehr.base}/out/b/1.ndjson", "count": 1},
        ],
        "deleted": [{"type": "Bundle", "url": f"{ehr.base}/out/c/1.ndjson", "count": 1}],
        "error": [],
    }
    ehr.resources |= {
        "bulk/1": manifest,
        "out/a/1.ndjson": lines(observation("k1"), observation("k2")),
        "out/b/1.ndjson": lines(patient()),
        "out/c/1.ndjson": lines(deletion("Observation/k2")),
    }
    smart = reader(ehr, tmp_path)
    monkeypatch.setattr(bulk_import, "import_string", lambda _: lambda server: smart if server == ehr.base else None)
    return ehr


def run(url: str, server: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("bulk_import", url, "--server", server, "--json", stdout=out, stderr=io.StringIO())
    return dict(json.loads(out.getvalue()))


def test_an_export_is_fetched_with_its_deletions_and_again_changes_nothing(export: MockEhr) -> None:
    first = run(f"{export.base}/bulk/1", export.base)
    again = run(f"{export.base}/bulk/1", export.base)

    assert (first["received"], first["stored"]) == (4, 4)
    assert (again["received"], again["stored"]) == (4, 0)
    current = ResourceVersion.objects.filter(is_current=True, deleted=False).values_list("logical_id", flat=True)
    assert set(current) == {"amina", "k1"}
    assert set(ResourceVersion.objects.values_list("server", flat=True)) == {export.base}


def test_one_bad_line_and_a_missing_file_are_named_and_the_rest_goes_in(export: MockEhr) -> None:
    export.resources["out/a/1.ndjson"] = lines(observation("k1"), b"{broken")
    export.resources["out/c/1.ndjson"] = 404
    out = io.StringIO()

    with pytest.raises(CommandError, match="is missing"):
        call_command("bulk_import", f"{export.base}/bulk/1", "--server", export.base, "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert told["stored"] == 2
    assert [one["position"] for one in told["quarantined"]] == ["line 2"]


@pytest.mark.parametrize("url", ["https://example.org/bulk/1", "http://10.0.0.9/bulk/1"])
def test_a_manifest_on_another_host_is_refused_and_no_token_goes_there(export: MockEhr, url: str) -> None:
    with pytest.raises(CommandError, match="EgressDeniedError"):
        run(url, export.base)

    assert export.asked == []
    assert not ResourceVersion.objects.exists()


def test_a_file_on_another_host_is_refused(export: MockEhr) -> None:
    export.resources["bulk/1"]["output"][0]["url"] = "https://files.example.org/1.ndjson"

    with pytest.raises(CommandError, match="EgressDeniedError"):
        run(f"{export.base}/bulk/1", export.base)

    assert not ResourceVersion.objects.exists()


def test_a_server_that_is_not_registered_is_not_asked(export: MockEhr) -> None:
    with pytest.raises(CommandError, match="registered"):
        run(f"{export.base}/bulk/1", "https://other.internal/r4")

    assert export.asked == []


def test_an_export_that_is_not_ready_says_so(export: MockEhr) -> None:
    export.resources["bulk/1"] = 202

    with pytest.raises(CommandError, match="status 202"):
        run(f"{export.base}/bulk/1", export.base)
