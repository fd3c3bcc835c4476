"""A canary patient walks through every door while everything that is written down is searched for her."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from appliance.logs import JsonLines
from clinical.answering import services
from clinical.identity.services import find_by_fhir_id
from clinical.models import AuditEvent
from clinical.ports import backends
from ingestion.models import QuarantinedItem
from tests.factories import bundle, clinician, noon, note, observation, patient, take_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "Kanarienvogelin"
SECRET = "lycanthropia nocturna"

pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything logged at DEBUG, as the product formats it and as plain text."""
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    handlers[0].setFormatter(JsonLines())
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield stream
    root.setLevel(before)
    for handler in handlers:
        root.removeHandler(handler)


def test_her_name_and_her_words_are_written_nowhere(written: io.StringIO, tmp_path: Path) -> None:
    clinician()
    canary = patient("canary", name=[{"family": CANARY}])
    bad = observation("bad", subject="canary", effectiveDateTime="2026-02-31", note=[{"text": SECRET}])
    take_in(bundle(canary, bad, note(f"She has {SECRET}. Seen by Dr Who.", subject="canary")), name=f"{CANARY}.json")
    take_in(json.dumps(bundle(canary, bad)).encode()[:-40], name=f"{CANARY}-cut.json")
    found = find_by_fhir_id("canary")
    assert found is not None
    backends().chat.says = f"She has {SECRET}. [1] She has no {SECRET}. [1]"  # type: ignore[attr-defined]
    question = services.ask(clinician(), found.id, f"Does {CANARY} have {SECRET}?", clock=noon)
    list(services.events(question.id, clinician(), clock=noon))
    (tmp_path / f"{CANARY}.txt").write_bytes(b"\x00\x01")
    call_command("ingest", str(tmp_path), stdout=io.StringIO(), stderr=io.StringIO())
    with pytest.raises(CommandError):
        call_command("ask", "--patient", "nobody", "--as", "demo-clinician", SECRET)

    kept = written.getvalue() + str(list(AuditEvent.objects.values())) + str(list(QuarantinedItem.objects.values()))
    kept += str(backends().wake.sent) + str(backends().index.passages)  # type: ignore[attr-defined]
    assert QuarantinedItem.objects.count() >= 3
    for word in (CANARY, SECRET, "lycanthropia"):
        assert word.lower() not in kept.lower()


def test_an_exception_is_logged_by_type_and_place_only(written: io.StringIO) -> None:
    formatter = JsonLines()
    try:
        raise ValueError(SECRET)
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, __file__, 1, "failed", (), None)

        record.exc_info = sys.exc_info()
    line = formatter.format(record)

    assert SECRET not in line
    assert json.loads(line)["error"] == "ValueError"
    assert written.getvalue() == ""
