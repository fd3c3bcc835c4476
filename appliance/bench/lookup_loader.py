"""Writes a record of many patients fast: real keys, real ciphertext, the rows of an ingest.

The patients who are asked about go in by the product's own preparation and writer, in slices, so that their
rows do not lie side by side. The others are copies of one small record, each under a key of its own; their rows
are encrypted one by one, and written without the writer's look at what is held.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from appliance.bench.lookup_records import long_record, short_record
from clinical.domain.projection import project, to_payload
from clinical.identity.services import complete, patient_of_reference
from clinical.keys import NONCE_BYTES, cipher_of
from clinical.models import (
    CareTeamMember,
    DataKey,
    FactRow,
    Patient,
    PatientIdentifier,
    PatientSearchTerm,
    ResourceVersion,
)
from clinical.models.resource_version import version_key
from clinical.ports import backends
from clinical.record.incoming import Incoming, decode_resource, prepare
from clinical.record.writer import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Model

SERVER: Final = "https://bench.internal/fhir"
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
SLICE: Final = 100  # resources of one patient that are written together
AT_ONCE: Final = 500  # patients in one transaction
_DIGEST: Final = "0" * 64
# A throwaway record that a power cut may spoil while it is filled.
_LOADING: Final = ("journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF", "cache_size = -200000")


def load_asked(count: int, say: Callable[[str], None]) -> list[UUID]:
    """Write the patients who are asked about, a slice of each in turn; returns their ids."""
    records = [long_record(f"asked-{number}", number) for number in range(count)]
    patients = [patient_of_reference(SERVER, f"asked-{number}") for number in range(count)]
    for patient, record in zip(patients, records, strict=True):
        complete(patient, record[0])
    longest = max(map(len, records))
    for start in range(0, longest, SLICE):
        for patient, record in zip(patients, records, strict=True):
            _write(patient, record[start : start + SLICE])
        say(f"{count} patients to ask about: {min(start + SLICE, longest)} of {longest} resources each")
    return [patient.id for patient in patients]


def _write(patient: Patient, resources: Sequence[dict[str, Any]]) -> None:
    cipher = cipher_of(patient)
    prepared = []
    for resource in resources:
        content = json.dumps(resource).encode()
        incoming = Incoming(
            patient=patient,
            server=SERVER,
            resource_type=resource["resourceType"],
            logical_id=resource["id"],
            content=content,
            deleted=False,
            feed="bench",
            original_sha256=_DIGEST,
            position="",
        )
        prepared.append(prepare(incoming, cipher, decode_resource(content), {}))
    with transaction.atomic():
        write(prepared, now=NOW)


class _Table:
    """Rows of one table, gathered and written together. Values are given as the database takes them."""

    def __init__(self, model: type[Model]) -> None:
        fields = model._meta.concrete_fields
        columns = ", ".join(f'"{field.column}"' for field in fields)
        marks = ", ".join(["%s"] * len(fields))
        self._insert = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})'  # noqa: S608 - own names
        self._row = {field.attname: field.get_db_prep_save(field.get_default(), connection) for field in fields}
        self._key = fields[0].attname
        self._counts = fields[0].get_internal_type() == "BigAutoField"
        self._last = (QuerySet(model).aggregate(last=Max("pk"))["last"] or 0) if self._counts else 0
        self._rows: list[tuple[Any, ...]] = []

    def add(self, **values: Any) -> int:
        """Add a row; returns its number where the table counts its rows. What is not given has its default."""
        if self._counts:
            self._last += 1
            values[self._key] = self._last
        self._rows.append(tuple((self._row | values).values()))
        return self._last

    def flush(self, cursor: CursorWrapper) -> None:
        """Write what was added."""
        cursor.executemany(self._insert, self._rows)
        self._rows.clear()


class Crowd:
    """The other patients."""

    def __init__(self) -> None:
        """Prepare the record that each of them has."""
        self._placeholder = "crowd-00000000"
        self._templates = []
        for one in short_record(self._placeholder):
            content = json.dumps(one).encode()
            rows = [(row.kind, msgspec.json.encode(to_payload(row))) for row in project(decode_resource(content))]
            self._templates.append((one["resourceType"], one["id"], content, rows, str(one.get("status", ""))))
        self.rows_each = sum(len(rows) for _, _, _, rows, _ in self._templates)
        self.size = 0
        models = (
            DataKey, Patient, PatientIdentifier, PatientSearchTerm, CareTeamMember, ResourceVersion, FactRow,
        )  # fmt: skip
        self._tables = {model: _Table(model) for model in models}

    def grow_to(self, count: int, say: Callable[[str], None]) -> None:
        """Write patients until there are `count`; the record is as durable as ever when this returns."""
        with connection.cursor() as cursor:
            for pragma in _LOADING if connection.vendor == "sqlite" else ():
                cursor.execute(f"PRAGMA {pragma}")
        while self.size < count:
            batch = range(self.size, min(self.size + AT_ONCE, count))
            with transaction.atomic(), connection.cursor() as cursor:
                for number in batch:
                    self._add(number)
                for table in self._tables.values():
                    table.flush(cursor)
            self.size = batch.stop
            if self.size % 10_000 == 0:
                say(f"{self.size} patients")
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self._tables)):
                cursor.execute(statement)
            if connection.vendor == "postgresql":
                cursor.execute("ANALYZE")
        connection.close()  # the next one is opened with the record's own settings

    def _add(self, number: int) -> None:
        # Ids that grow: the database appends, where an ingest over years would insert.
        subject, key = f"crowd-{number:08d}", AESGCM.generate_key(bit_length=256)
        key_id, patient_id = UUID(int=(0xC << 124) + number), UUID(int=(0xD << 124) + number).hex
        master, tables, now = backends().master_key, self._tables, str(NOW.replace(tzinfo=None))
        tables[DataKey].add(id=key_id.hex, wrapped=master.wrap(key, binding=str(key_id)), created_at=now)
        tables[Patient].add(id=patient_id, data_key_id=key_id.hex, created_at=now)
        digest = master.digest(subject, purpose="identifier fhir:")
        tables[PatientIdentifier].add(patient_id=patient_id, authority=f"fhir:{SERVER}", value_digest=digest)
        tables[CareTeamMember].add(patient_id=patient_id, user_id=f"team-{number % 500}")
        for term in (subject, f"bench{number % 977}", f"given{number % 613}"):
            tables[PatientSearchTerm].add(patient_id=patient_id, digest=master.digest(term, purpose="search"))
        sealed = _Sealed(AESGCM(key), len(self._templates) + self.rows_each)
        for resource_type, local_id, template, rows, status in self._templates:
            content = template.replace(self._placeholder.encode(), subject.encode())
            logical_id = subject if resource_type == "Patient" else f"{number:08d}-{local_id}"
            sha256 = hashlib.sha256(content).hexdigest()
            binding = version_key(SERVER, resource_type, logical_id, sha256)
            version_id = tables[ResourceVersion].add(
                patient_id=patient_id,
                server=SERVER,
                resource_type=resource_type,
                logical_id=logical_id,
                number=1,
                status=status,
                effective="2023-05-02",
                sha256=sha256,
                original_sha256=_DIGEST,
                feed="bench",
                stored_at=now,
                content=sealed(content, binding),
            )
            for ordinal, (kind, payload) in enumerate(rows):
                tables[FactRow].add(
                    patient_id=patient_id,
                    version_id=version_id,
                    ordinal=ordinal,
                    kind=kind,
                    payload=sealed(payload, f"{binding}#{ordinal}:{kind}"),
                )


class _Sealed:
    """Encrypts as `clinical.keys.Cipher` does, with the nonces of one patient drawn at once."""

    def __init__(self, aead: AESGCM, count: int) -> None:
        self._aead, self._nonces, self._at = aead, os.urandom(NONCE_BYTES * count), 0

    def __call__(self, plaintext: bytes, binding: str) -> bytes:
        nonce = self._nonces[self._at : self._at + NONCE_BYTES]
        self._at += NONCE_BYTES
        return nonce + self._aead.encrypt(nonce, plaintext, binding.encode())
