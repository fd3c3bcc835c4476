"""Files that hold several patients are kept without the erased one; the bytes of before can be read no more."""

from __future__ import annotations

import dataclasses
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidTag

from appliance.backends.raw_store import FileOriginalStore
from clinical.models import Patient, ResourceVersion
from clinical.ports import Backends, backends
from ingestion import pipeline
from ingestion.domain.items import ParseContext
from ingestion.erasure.services import erase
from ingestion.models import IngestJob, Original, QuarantinedItem
from ingestion.originals import open_original
from ingestion.receive import name_of, receive
from ingestion.selectors import held_back
from ingestion.steps.same_file import SameFile
from tests.backends import fake_backends
from tests.erasing import by, erased, held, rows_of
from tests.factories import LIMITS, NOON, bundle, noon, note, observation, patient, take_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def kept() -> list[bytes]:
    found = []
    for original in Original.objects.exclude(size=0).order_by("received_at", "pk"):
        with open_original(original) as file:
            found.append(file.read())
    return found


def lines(*resources: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in resources) + b"\n"


AMINA, BRUNO = patient("amina"), patient("bruno", gender="male", birthDate="1950-05-05")
HIS, HERS = observation("k2", subject="bruno", value=5.25), observation("k1", subject="amina", value=4.125)


def test_a_bundle_of_two_keeps_the_others_entries_byte_for_byte_at_their_places() -> None:
    content = bundle(AMINA, BRUNO, HERS, HIS)
    content["link"] = [{"relation": "self", "url": "Patient?_id=amina"}]
    take_in(content, name="both.json")
    positions = dict(ResourceVersion.objects.filter(patient=held("bruno")).values_list("pk", "original_position"))
    before = rows_of(held("bruno"))

    receipt = erased("amina")

    (left,) = kept()
    assert b"amina" not in left
    assert json.dumps(HIS).encode() in left
    assert [entry.get("resource", {}).get("id") for entry in json.loads(left)["entry"]] == [None, "bruno", None, "k2"]
    assert rows_of(held("bruno")) == before
    assert dict(ResourceVersion.objects.values_list("pk", "original_position")) == positions
    assert set(ResourceVersion.objects.values_list("original_sha256", flat=True)) == {Original.objects.get().sha256}
    assert receipt.before["originals"] == 1
    job = IngestJob.objects.get()
    assert (job.error, job.stored, name_of(job)) == ("original-rewritten", 4, "both.json")


def test_taking_the_rewritten_file_in_again_changes_nothing() -> None:
    take_in(bundle(AMINA, BRUNO, HERS, HIS))
    erased("amina")

    again = take_in(kept()[0])

    assert (again.received, again.unchanged) == (2, 2)
    assert Patient.objects.count() == 1


def test_lines_keep_their_numbers() -> None:
    take_in(lines(AMINA, BRUNO, HERS, HIS) + b"{ broken\n", name="all.ndjson")

    erased("amina")

    (left,) = kept()
    assert left.split(b"\n")[0] == left.split(b"\n")[2] == b""
    assert json.loads(left.split(b"\n")[3]) == HIS
    assert QuarantinedItem.objects.get().position == "line 5"
    assert left.split(b"\n")[4] == b"{ broken"


def test_a_bundle_inside_a_line_loses_what_is_hers() -> None:
    take_in(lines(bundle(AMINA, BRUNO, HERS), HIS), name="all.ndjson")

    erased("amina")

    (left,) = kept()
    assert b"amina" not in left
    assert [one.get("resource", {}).get("id") for one in json.loads(left.split(b"\n")[0])["entry"]] == [
        None,
        "bruno",
        None,
    ]


def test_references_by_urn_are_followed() -> None:
    urn = "urn:uuid:0d6b0c1e-0000-4000-8000-00000000000a"
    content = bundle(AMINA, BRUNO, HERS | {"subject": {"reference": urn}}, HIS)
    content["entry"][0]["fullUrl"] = urn
    take_in(content)

    erased("amina")

    assert urn.encode() not in kept()[0]
    assert b'"k1"' not in kept()[0]


def test_files_whose_items_were_held_already_are_found_too() -> None:
    take_in(bundle(AMINA, HERS))
    take_in(lines(AMINA, HERS), name="again.ndjson")
    take_in(lines(BRUNO, HERS), name="mixed.ndjson")
    assert len(kept()) == 3

    receipt = erased("amina")

    assert receipt.before["originals"] == 3
    assert [json.loads(one) for one in kept()] == [BRUNO]


def test_what_belongs_to_nobody_goes_with_a_file_of_hers_alone_and_loses_its_mention_of_her() -> None:
    doctor = {"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Lund"}]}
    group = {
        "resourceType": "Group",
        "id": "ward",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": f"Patient/{one}"}} for one in ("amina", "bruno")],
    }
    alone = {"resourceType": "Account", "id": "acc", "status": "active", "subject": [{"reference": "Patient/amina"}]}
    take_in(bundle(AMINA, HERS, doctor, alone))
    take_in(bundle(BRUNO, group))

    erased("amina")

    assert b"amina" not in b"".join(kept())
    assert b"Patient/bruno" in b"".join(kept())
    held_now = set(ResourceVersion.objects.filter(patient=None).values_list("logical_id", flat=True))
    assert held_now == {"dr", "ward"}


@pytest.mark.parametrize("cursor", [0, 2])
def test_an_open_job_starts_again_over_what_is_left(cursor: int) -> None:
    take_in(bundle(AMINA))
    data = io.BytesIO(json.dumps(bundle(AMINA, BRUNO, HERS, HIS)).encode())
    job = receive(data, name="both", feed="files", context=ParseContext(), now=NOON, wake=False)
    IngestJob.objects.filter(pk=job.pk).update(
        state="running" if cursor else "received", cursor=cursor, received=cursor, stored=cursor, lease_until=NOON
    )

    erased("amina")
    done = pipeline.run(job.pk, limits=LIMITS, clock=noon)

    assert (done.received, done.stored) == (2, 2)
    assert Patient.objects.count() == 1


def test_a_note_given_for_her_on_the_command_line_goes() -> None:
    take_in(bundle(AMINA, BRUNO))
    take_in(b"Seen in clinic today, potassium 4.2.\n", patient="amina", name="note.txt")
    take_in(b"Seen in clinic today, potassium 4.2.\n", patient="bruno", name="note.txt")
    assert Original.objects.count() == 2  # the same bytes twice: one file, two jobs

    erased("amina")

    assert not any(b"potassium 4.2" in one for one in kept())
    assert "amina" not in str(list(IngestJob.objects.values_list("context", flat=True)))
    assert ResourceVersion.objects.filter(patient=held("bruno"), resource_type="DocumentReference").exists()


def result(mrn: str, value: str, control: str) -> bytes:
    """One potassium as HL7 v2 sends it."""
    return (
        f"MSH|^~\\&|LAB|SITE|APP|SITE|20260301120000+0000||ORU^R01|{control}|P|2.5.1\r"
        f"PID|1||{mrn}^^^HOSP&2.999.1&ISO^MR||EXAMPLE^SOMEBODY||19610402|F\r"
        f"OBR|1|P{control}|F{control}|2823-3^Potassium^LN|||20260301110000+0000\r"
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1|N|||F\r"
    ).encode()


def test_messages_go_and_a_batch_of_them_goes_whole_while_the_others_record_stays() -> None:
    take_in(result("778", "4.1", "1"), name="hers.hl7")
    take_in(result("779", "5.1", "2"), name="his.hl7")
    take_in(result("778", "4.7", "3") + result("779", "5.7", "4"), name="both.hl7")
    hers, his = Patient.objects.order_by("created_at")
    before = rows_of(his)

    receipt = erase(hers, reason="request", by=by())

    assert receipt.before["originals"] == 2
    assert kept() == [result("779", "5.1", "2")]
    assert rows_of(his) == before


@pytest.fixture
def on_disk(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the files on disk, as the box does."""
    box = dataclasses.replace(fake_backends(), originals=FileOriginalStore(tmp_path))

    def made() -> Backends:
        return box

    monkeypatch.setattr("tests.backends.fake_backends", made)
    backends.cache_clear()
    return tmp_path


def test_the_bytes_on_disk_are_gone_and_a_copy_of_them_opens_no_more(on_disk: Path) -> None:
    take_in(bundle(AMINA, HERS, note("Apixaban was stopped.")))
    take_in(bundle(AMINA, BRUNO))
    copies = {path.relative_to(on_disk): path.read_bytes() for path in on_disk.rglob("*") if path.is_file()}
    rows = {one.sha256: one for one in Original.objects.all()}
    assert len(copies) == 2

    erased("amina")

    assert not any((on_disk / name).exists() for name in copies)
    assert sum(path.is_file() for path in on_disk.rglob("*")) == 1
    for name, content in copies.items():  # somebody had copied the files, and not the database
        (on_disk / name).write_bytes(content)
        sha256 = name.name.partition("-")[0]
        assert not Original.objects.filter(sha256=sha256).exists()
        for other in Original.objects.exclude(size=0):
            forged = Original(sha256=sha256, size=1, wrapped_key=other.wrapped_key, received_at=NOON)
            with pytest.raises((InvalidTag, KeyError)):
                open_original(forged)
    assert rows.keys().isdisjoint(Original.objects.values_list("sha256", flat=True))


def test_a_job_open_in_another_process_cannot_write_what_it_has_read() -> None:
    """Its lease is taken away with its file: the batch it was about to write is rolled back."""
    take_in(bundle(AMINA))
    data = io.BytesIO(json.dumps(bundle(AMINA, BRUNO, HERS, HIS)).encode())
    job = receive(data, name="both", feed="files", context=ParseContext(), now=NOON, wake=False)
    leased = pipeline._lease(job.pk, now=NOON)
    items = list(pipeline.items_of(leased, ParseContext()))

    erased("amina")

    with pytest.raises(pipeline.LeaseLostError):
        pipeline._commit(leased, 0, items, SameFile(lambda: iter(items)), now=NOON)
    assert Patient.objects.count() == 0
    assert held_back() == (0, 0)
