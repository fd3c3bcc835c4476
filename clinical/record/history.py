"""The typed facts of a record as they stood when it had been read before."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from clinical.domain.facts import Fact
from clinical.domain.projection import project
from clinical.domain.relations import RelationKind
from clinical.domain.versions import Effect, VersionFacts, decide
from clinical.models import DocumentRelation, ResourceVersion
from clinical.record.incoming import decode_resource
from clinical.record.selectors import content_of, facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clinical.domain.access import AccessGrant


def facts_as_of(grant: AccessGrant, last_version: int) -> list[Fact]:
    """Return the granted patient's facts as they stood when `last_version` was the newest row of its record.

    Args:
        grant: whose.
        last_version: primary key of the newest `ResourceVersion` of the patient then.

    Facts of versions still in effect are read, those of versions replaced since are made again from the stored
    resource; a drug that such an order names by reference only stays without its name.
    """
    by_identity: dict[tuple[str, str, str], list[ResourceVersion]] = defaultdict(list)
    rows = ResourceVersion.objects.filter(patient_id=grant.patient_id, pk__lte=last_version)
    for row in rows.defer("content").order_by("number"):
        by_identity[row.server, row.resource_type, row.logical_id].append(row)
    replaced = _replaced_then(grant, last_version)
    in_effect = [
        found
        for identity, versions in by_identity.items()
        if identity not in replaced and (found := _current(versions)) is not None
    ]
    wanted = {(row.reference, str(row.number)) for row in in_effect}
    facts = [fact for fact in facts_of(grant) if (fact.resource, fact.version) in wanted]
    read = {(fact.resource, fact.version) for fact in facts}
    changed = [row for row in in_effect if (row.reference, str(row.number)) not in read]
    hidden = bool(grant.hidden_labels)
    return facts + [fact for row in changed if not (hidden and row.restricted) for fact in _projected(row)]


def _replaced_then(grant: AccessGrant, last_version: int) -> set[tuple[str, str, str]]:
    """Return the documents in whose place another one stood already."""
    rows = DocumentRelation.objects.filter(
        patient_id=grant.patient_id, kind=RelationKind.REPLACES, version_id__lte=last_version
    )
    return set(rows.values_list("server", "target_type", "target_id"))


def _current(versions: Iterable[ResourceVersion]) -> ResourceVersion | None:
    """Return the version that is in effect after these came in this order; None where it is a deletion."""
    current: ResourceVersion | None = None
    held: list[VersionFacts] = []
    for row in versions:
        order = _order(row)
        if decide(order, held, None if current is None else _order(current)) is Effect.STORED:
            current = row
        held.append(order)
    return None if current is None or current.deleted else current


def _order(row: ResourceVersion) -> VersionFacts:
    return VersionFacts(row.sha256, row.source_version, row.source_updated, row.deleted)


def _projected(row: ResourceVersion) -> list[Fact]:
    rows = project(decode_resource(content_of(row)))
    return [Fact(row=one, resource=row.reference, version=str(row.number)) for one in rows]
