"""Files as `manage.py ingest` takes them: any format, found by content, down to the ledger's counts."""

from __future__ import annotations

import io
import json
from random import Random
from typing import Final

from hypothesis import strategies as st

from ingestion import pipeline
from ingestion.domain.items import ParseContext
from ingestion.receive import receive
from tests.factories import LIMITS, NOON, noon
from tests.fuzz.alter import CANARY, altered_bytes, altered_json, altered_text
from tests.fuzz.doors.documents import ccda
from tests.fuzz.doors.fhir import BUNDLES, RESOURCES
from tests.fuzz.doors.v2_messages import BODIES, TOKENS, grammar, message
from tests.fuzz.public import one_of
from tests.fuzz.watch import SLOWEST_S, FaultError

_NOTE: Final = (
    f"---\npatient: amina\ndate: 2026-02-10\ntitle: Letter\n---\n{CANARY} was seen.\n\nApixaban was stopped.\n".encode()
)
_BATCH: Final = b"FHS|^~\\&|A|B\rBHS|^~\\&|A|B\r%s%sBTS|2\rFTS|1\r"
_MARKS: Final = (b"---", b"patient:", b"date:", b"2026-02-10", b"\n", b": ", b"amina", b"title")


class Files:
    """The door: everything is counted, whatever it is."""

    name = "files"
    stages = ("format known", "nothing held back as broken", "something stored")
    slowest_s = SLOWEST_S

    def altered(self, chance: Random) -> bytes:
        if public := one_of(chance.choice(("hl7v2/*.hl7", "ccda/*.xml", "fhir/us_core/*.json")), chance):
            return altered_bytes(public, chance)
        match chance.randrange(5):
            case 0:
                return altered_json(chance.choice((*BUNDLES, *RESOURCES)), chance)
            case 1:
                lines = [json.dumps(one).encode() for one in RESOURCES]
                lines[chance.randrange(len(lines))] = altered_json(chance.choice(RESOURCES), chance)
                return b"\n".join(lines)
            case 2:
                raw = b"".join(message(*chance.choice(BODIES)) for _ in range(2))
                return altered_text(_BATCH % (raw, b"") if chance.random() < 0.3 else raw, chance, TOKENS, from_=70)
            case 3:
                return altered_bytes(_NOTE, chance) if chance.random() < 0.3 else altered_text(_NOTE, chance, _MARKS)
            case _:
                return ccda(chance)

    def grammar(self) -> st.SearchStrategy[bytes]:
        front = st.dictionaries(
            st.sampled_from(("patient", "date", "title", "author", "x")), st.text(max_size=20), max_size=4
        )
        notes = st.builds(
            lambda told, words: (
                "---\n" + "".join(f"{key}: {value}\n" for key, value in told.items()) + f"---\n{words}"
            ).encode(),
            front,
            st.text(st.characters(codec="utf-8"), max_size=200),
        )
        return st.one_of(grammar(), notes)

    def send(self, sample: bytes) -> int:
        context = ParseContext(patient_reference="Patient/amina")
        job = receive(io.BytesIO(sample), name=f"{CANARY}.dat", feed="files", context=context, now=NOON, wake=False)
        done = pipeline.run(job.pk, limits=LIMITS, clock=noon, wake=False)
        if done.received != done.stored + done.unchanged + done.superseded + done.unassigned + done.quarantined:
            raise FaultError("counts")
        rows = list(done.quarantine.values_list("reason", flat=True))
        if len(rows) != done.quarantined or not all(rows):
            raise FaultError("held back without a reason")
        if {"unknown-format", "empty-file", "not-json", "not-xml"} & set(rows):
            return 0
        if rows:
            return 1
        return 3 if done.stored + done.unchanged + done.superseded else 2
