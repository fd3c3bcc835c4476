"""What the record says as data: patients, the chart, facts by kind, and the exact words of a source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from django.utils.timezone import localdate

from clinical.access.services import grant_access, record_read
from clinical.answering.fact_citations import FactCiter
from clinical.answering.stored import citation_json
from clinical.api import shapes
from clinical.api.rows import KINDS, values_of
from clinical.domain.facts import NotAFactError, render
from clinical.domain.passages import Part
from clinical.domain.projection.rows import IN_ERROR
from clinical.record.selectors import NotHeldError, facts_of
from clinical.selectors import LIST_LIMIT, chart_of, feeds, notes_of, patient_list, source_view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from clinical.api.operation import Call
    from clinical.domain.access import AccessGrant
    from clinical.domain.chart import Banner, Entry, Notice, ResultLine
    from clinical.domain.facts import Fact
    from clinical.domain.passages import Citation

# A FHIR R4 id and the name of a resource type (https://hl7.org/fhir/R4/datatypes.html#id); our version number.
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE: Final = re.compile(r"[A-Za-z]{1,64}")
_VERSION: Final = re.compile(r"[0-9]{1,9}")


def patients(call: Call) -> shapes.Patients:
    """Return the caller's own patients who match."""
    lines = patient_list(call.caller.user, call.body.words.strip())
    return shapes.Patients(msgspec.convert(lines, list[shapes.Patient], from_attributes=True), len(lines) == LIST_LIMIT)


def chart(call: Call, patient_id: UUID) -> shapes.Chart:
    """Return what the chart's page shows; the decision and the read are on the trail before anything is read."""
    grant = _read(call, patient_id, "chart.view")
    found = chart_of(grant, today=localdate(call.clock()))
    citer = FactCiter(grant)
    return shapes.Chart(
        banner=_banner(found.banner, citer),
        problems=_entries(found.problems, citer),
        past_problems=_entries(found.past_problems, citer),
        medications=_entries(found.medications, citer),
        past_medications=_entries(found.past_medications, citer),
        results=[_result(line, citer) for line in found.results],
        vitals=[_result(line, citer) for line in found.vitals],
        immunizations=_entries(found.immunizations, citer),
        notes=[shapes.Note(note.resource, note.version, note.title, note.effective) for note in notes_of(grant)],
        feeds=[shapes.FeedTime(name, last) for name, last in feeds()],
    )


def facts(call: Call, patient_id: UUID, kind: str) -> shapes.Facts:
    """Return the current facts of one kind; what was entered in error is none."""
    if kind not in KINDS:
        raise NotHeldError
    grant = _read(call, patient_id, "chart.view", kind=kind)
    first, limit = call.query["first"], call.query["limit"]
    held = [fact for fact in facts_of(grant, (kind,)) if fact.row.status != IN_ERROR]
    held.sort(key=lambda fact: (fact.row.effective_sort, fact.resource), reverse=True)
    citer = FactCiter(grant)
    return shapes.Facts(kind, len(held), first, [_fact(one, citer) for one in held[first : first + limit]])


def source(call: Call, patient_id: UUID, resource_type: str, logical_id: str, version: str) -> shapes.SourceText:
    """Return the words of a span as they stand in the stored version."""
    if not (_ID.fullmatch(logical_id) and _TYPE.fullmatch(resource_type) and _VERSION.fullmatch(version)):
        raise NotHeldError  # nothing is held under such a name, and it must not reach the trail
    reference, start, context = f"{resource_type}/{logical_id}", call.query["start"], call.query["context"]
    end = start if call.query["end"] is None else call.query["end"]
    grant = _read(call, patient_id, "source.view", resource=reference, version=version, start=start, end=end)
    view = source_view(grant, reference, version, Part(call.query["part"]), start, end)
    return shapes.SourceText(
        resource=view.resource,
        version=view.version,
        is_current=view.is_current,
        part=view.part.value,
        title=view.title,
        effective=view.effective,
        length=len(view.before) + len(view.quote) + len(view.after),
        start=start,
        end=end,
        before=view.before[-context:] if context else "",
        quote=view.quote,
        after=view.after[:context],
        about=view.about,
    )


def _read(call: Call, patient_id: UUID, action: str, **detail: str | int) -> AccessGrant:
    now = call.clock()
    grant = grant_access(call.caller.user, patient_id, action=action, now=now)
    record_read(grant, action=action, now=now, **detail)
    return grant


def _fact(fact: Fact, citer: FactCiter) -> shapes.Fact:
    try:
        text = render(fact)
    except NotAFactError:
        text = fact.row.text
    row = fact.row
    cited = _cited((fact,), citer)
    return shapes.Fact(row.kind, fact.resource, fact.version, text, row.effective, cited, values_of(row))


def _cited(facts: Sequence[Fact], citer: FactCiter) -> list[shapes.Citation]:
    return [_citation(one) for one in citer.cite((fact, fact.row.anchor) for fact in facts)]


def _citation(citation: Citation) -> shapes.Citation:
    return shapes.Citation(**citation_json(citation))


def _entries(entries: Sequence[Entry], citer: FactCiter) -> list[shapes.Entry]:
    return [shapes.Entry(entry.name, entry.text, _cited((entry.fact,), citer)) for entry in entries]


def _notice(notice: Notice, citer: FactCiter) -> shapes.Notice:
    return shapes.Notice(notice.text, notice.state, _cited(notice.facts, citer))


def _banner(banner: Banner, citer: FactCiter) -> shapes.Banner:
    return shapes.Banner(
        name=banner.name,
        born=banner.born,
        age=banner.age,
        gender=banner.gender,
        deceased=banner.deceased,
        identifiers=[list(one) for one in banner.identifiers],
        allergies=_notice(banner.allergies, citer),
        code_status=_notice(banner.code_status, citer),
    )


def _result(line: ResultLine, citer: FactCiter) -> shapes.Result:
    facts = (line.fact,) if line.previous_fact is None else (line.fact, line.previous_fact)
    return shapes.Result(
        name=line.name,
        sample=line.sample,
        value=line.value,
        day=line.day,
        flag=line.flag,
        reference=line.reference,
        status=line.status,
        previous=line.previous,
        previous_day=line.previous_day,
        count=line.count,
        conflicting=line.conflicting,
        citations=_cited(facts, citer),
    )
