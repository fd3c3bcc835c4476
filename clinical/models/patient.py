"""A person whose record is held here."""

from __future__ import annotations

import uuid

from django.db import models

from clinical.models.data_key import DataKey


class Patient(models.Model):
    """The subject of a record. The id is opaque: it may stand in URLs, audit rows and payloads."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    data_key = models.OneToOneField(DataKey, on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)


class PatientIdentifier(models.Model):
    """One (authority, identifier) pair by which the patient is known; matched exactly.

    `authority` is an Identifier.system, or "fhir:<server base>" for the logical id of the Patient
    resource. The value itself is kept as a keyed digest.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="identifiers")
    authority = models.CharField(max_length=255)
    value_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["value_digest", "authority"], name="identifier_is_one_patient"),
        ]


class PatientSearchTerm(models.Model):
    """A keyed digest of a name prefix, birth date or identifier, so that names need not lie in clear."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="search_terms")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "patient"], name="search_term_once")]


class CareTeamMember(models.Model):
    """A user who treats the patient. `user_id` is the login name; no foreign key, so that history stays."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="care_team")
    user_id = models.CharField(max_length=150, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "user_id"], name="team_member_once")]
