"""The guideline library: editions with provenance, approval and expiry."""

from __future__ import annotations

from django.db import models


class GuidelineEdition(models.Model):
    """One edition of one guideline document. `expires` is its last valid day, inclusive."""

    title = models.CharField(max_length=255)
    edition = models.CharField(max_length=64)
    source = models.CharField(max_length=255)
    approver = models.CharField(max_length=255)
    jurisdiction = models.CharField(max_length=64, blank=True)
    expires = models.DateField()
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    is_current = models.BooleanField(default=True)
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["title", "edition", "number"], name="guideline_number_once"),
        ]

    @property
    def key(self) -> str:
        """What the citations of answers are kept under."""
        return guideline_key(f"Guideline/{self.pk}", str(self.number))


def guideline_key(reference: str, version: str) -> str:
    """Return the key of the edition that a citation into the library points into."""
    return f"{reference}#{version}"


class GuidelinePassageRow(models.Model):
    """A span of one edition's text; `vector` is the dense vector of the named embedder, if computed."""

    id = models.UUIDField(primary_key=True)
    guideline = models.ForeignKey(GuidelineEdition, on_delete=models.CASCADE, related_name="passages")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    heading = models.CharField(max_length=255, blank=True)
    embedder_digest = models.CharField(max_length=64, blank=True)
    vector = models.BinaryField(null=True)
    indexed_at = models.DateTimeField(null=True)
