"""Proof of absence: what was searched, how far the feeds had come, and what could not be read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec
from django.conf import settings
from django.db.models import Max, Min
from django.utils.module_loading import import_string

from clinical.answering.events import Absence, FeedMark
from clinical.domain.narrative import unread_attachments
from clinical.domain.quotes.coded import concepts_coded
from clinical.domain.quotes.rows import nameless, rows_asked
from clinical.domain.route.sentences import sentence
from clinical.models import Feed, IndexChange, PassageRow, ResourceVersion
from clinical.record.consent import rules_of
from clinical.record.selectors import content_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact
    from clinical.domain.route import CodeSentence
    from clinical.record.consent import Rules

NOTE: Final = (
    "Not documented in the records held here. Records restricted by their security labels are not searched, "
    "for any role."
)
CLOSED: Final = (
    "This patient has withdrawn consent to the use of this record. The record is kept and closed: nothing in it is "
    "searched or shown, and what it documents cannot be told here."
)
LIMITED: Final = " By this patient's consent, part of the record is withheld and was not searched."
UNTOLD: Final = (
    " A consent of this patient has conditions that this product cannot judge; it is applied more widely than written, "
    "so more may be withheld than this patient meant: ask the privacy officer."
)
MOST_OVERLOOKED: Final = 5
_WITH_ATTACHMENTS: Final = ("DocumentReference", "DiagnosticReport", "Media")


def overlooked(question: str, facts: Sequence[Fact], *, today: date, judged: bool) -> tuple[CodeSentence, ...]:
    """Return sentences of the entries that name what is asked about, though no look-up and no passage answered.

    While there is one, "not documented" would be wrong. `judged`: a look-up by name was tried, and what it turned
    down stays turned down.
    """
    found = rows_asked(question, facts, today=today, judged=judged)
    return tuple(sentence(fact, _by_code(fact)) for fact in found[:MOST_OVERLOOKED])


def _by_code(fact: Fact) -> str:
    """Return what is to be said first of an entry that has a code and no words."""
    if any(name.strip() for name in fact.row.names):
        return ""
    code = next((one.rpartition("|")[2] for one in fact.row.codes if concepts_coded((one,))), "")
    return f"Recorded under code {code} without words: " if code else ""


def prove(grant: AccessGrant, *, now: datetime) -> Absence:
    """Count what stands in the granted patient's current record and what is held back from it.

    `gather` has read every passage before this is called, and `overlooked` every typed entry; of a record that its
    patient has closed nothing is read, and the note says so.

    Args:
        grant: to read the record.
        now: timezone-aware; decides which consents are in force.
    """
    rules = rules_of(grant.patient_id, now=now)
    versions = ResourceVersion.objects.filter(patient_id=grant.patient_id, is_current=True, deleted=False)
    if grant.hidden_labels:
        versions = versions.filter(restricted=False)
    # The day a patient was born is no date of the record.
    dated = (
        versions.exclude(effective="")
        .exclude(resource_type="Patient")
        .aggregate(first=Min("effective"), last=Max("effective"))
    )
    feeds = tuple(
        FeedMark(name, last.isoformat(timespec="seconds"))
        for name, last in Feed.objects.order_by("name").values_list("name", "last_message_at")
    )
    held_back: Callable[[], tuple[int, int]] = import_string(settings.CLINICAL_HELD_BACK)
    unassigned, quarantined = held_back()
    unread = _unread(versions)
    return Absence(
        searched=dict(sorted(Counter(versions.values_list("resource_type", flat=True)).items())),
        passages=PassageRow.objects.filter(version__in=versions).count(),
        first=(dated["first"] or "")[:10],
        last=(dated["last"] or "")[:10],
        watermark=max((feed.last for feed in feeds), default=""),
        unreadable=quarantined + sum(unread.values()),
        unassigned=unassigned,
        unapplied=IndexChange.objects.count() + _waiting(),
        note=_note(rules),
        closed=rules.closed,
        feeds=feeds,
        quarantined=quarantined,
        unread_attachments=dict(sorted(unread.items())),
        nameless=nameless(facts_of(grant)),
    )


def _note(rules: Rules) -> str:
    untold = UNTOLD if rules.untold else ""
    if rules.closed:
        return CLOSED + untold
    return NOTE + (LIMITED if rules.denials else "") + untold


def _waiting() -> int:
    """Return how many messages were received and have not been taken in yet."""
    waiting: Callable[[], int] = import_string(settings.CLINICAL_WAITING)
    return waiting()


def _unread(versions: object) -> Counter[str]:
    """Return the content types of this patient's attachments whose words could not be read, with their counts."""
    found: Counter[str] = Counter()
    rows = ResourceVersion.objects.filter(pk__in=versions, resource_type__in=_WITH_ATTACHMENTS)  # type: ignore[misc]
    for version in rows.iterator(chunk_size=200):
        found.update(unread_attachments(msgspec.json.decode(content_of(version))))
    return found
