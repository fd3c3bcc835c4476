"""Inputs that are almost right: each is answered as its door answers, soon, and leaves nothing in the log.

A short run belongs to the ordinary tests. The long one is a stage of its own, of 100,000 inputs or as many as
FUZZ_INPUTS says: `FUZZ_INPUTS=500000 .venv/bin/pytest -m fuzz -s`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from appliance.config import environment
from clinical.api import limits
from tests.api_client import Api, api_door  # noqa: F401 - a fixture
from tests.cds_client import Machines, machines  # noqa: F401 - a fixture
from tests.fhir_door import FhirDoor, fhir_door  # noqa: F401 - a fixture
from tests.fuzz.doors.api import JsonApi
from tests.fuzz.doors.documents import Documents, Uploads
from tests.fuzz.doors.fhir import Fhir, Subscriptions
from tests.fuzz.doors.files import Files
from tests.fuzz.doors.hooks import Hooks
from tests.fuzz.doors.mllp import Mllp
from tests.fuzz.watch import Watch

if TYPE_CHECKING:
    from tests.fuzz.watch import Door

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
# The share of each door among a run's inputs, in hundredths; a document in a process of its own is slow.
SHARES: Final = {
    "mllp": 25,
    "fhir": 8,
    "subscription": 6,
    "cds-hooks": 10,
    "json-api": 5,
    "files": 10.7,
    "documents": 35,
    "uploads": 0.3,
}
SHORT: Final = 2000
LONG: Final = 100_000
NUMBER: Final = 20_261_123


def opened(name: str, request: pytest.FixtureRequest) -> Door:
    """Open the door of this name with a record to meet."""
    match name:
        case "mllp":
            return Mllp(request.getfixturevalue("monkeypatch"))
        case "fhir":
            return Fhir(request.getfixturevalue("door"))
        case "subscription":
            return Subscriptions(request.getfixturevalue("door"))
        case "cds-hooks":
            return Hooks(request.getfixturevalue("machines"))
        case "json-api":
            return JsonApi(request.getfixturevalue("api"))
        case "files":
            return Files()
        case "documents":
            return Documents()
        case _:
            return Uploads()


@pytest.fixture(autouse=True)
def _no_bounds(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """One user sends everything here: how much he may send has tests of its own."""
    monkeypatch.setattr(limits, "REQUESTS_A_MINUTE", 10**9)
    monkeypatch.setattr(limits, "QUESTIONS_A_MINUTE", 10**9)
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]


def check(name: str, request: pytest.FixtureRequest, inputs: int, number: int) -> None:
    watch = Watch(opened(name, request))
    begun = time.monotonic()
    watch.run(max(8, round(inputs * SHARES[name] / 100)), number)
    print(f"\n{watch.row()}, {time.monotonic() - begun:.0f} s")  # noqa: T201 - the table of the stage
    grown, allowed = watch.growth
    assert not watch.faults, "\n".join(f"{kind}: {sample}" for kind, sample in watch.faults)
    assert grown <= allowed, f"memory grew by {grown} bytes"
    assert watch.share(1) >= 0.5, "fewer than half passed the first parse"
    assert 0 < watch.share(2) < 1, "both ways are tried"


@pytest.mark.parametrize("name", SHARES)
def test_a_few_thousand_inputs_are_answered(name: str, request: pytest.FixtureRequest) -> None:
    check(name, request, SHORT, NUMBER)


@pytest.mark.fuzz
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", SHARES)
def test_a_hundred_thousand_inputs_are_answered(name: str, request: pytest.FixtureRequest) -> None:
    given = int(environment().get("FUZZ_INPUTS", LONG))
    check(name, request, given, NUMBER + given)
