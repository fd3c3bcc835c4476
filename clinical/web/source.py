"""A source opened: the cited words, highlighted where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from clinical.access.services import grant_access, record_read
from clinical.domain.pages import pages_of
from clinical.domain.passages import Part
from clinical.record.addenda import Relative, relatives_of
from clinical.record.selectors import NotHeldError, resource_of, version_of
from clinical.selectors import SourceView, source_view
from clinical.web.banner import identity
from clinical.web.borders import is_fragment
from clinical.web.paged import PagesShown, shown_pages
from clinical.web.readable import Line, readable
from clinical.web.source_links import version_url
from clinical.web.wording import resource_type as type_words

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

    from clinical.domain.access import AccessGrant

# A FHIR R4 id and the name of a resource type (https://hl7.org/fhir/R4/datatypes.html#id); our version number.
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE: Final = re.compile(r"[A-Za-z]{1,64}")
_VERSION: Final = re.compile(r"[0-9]{1,9}")
_PAGED: Final = frozenset({"DocumentReference", "DiagnosticReport"})
WINDOW: Final = 240  # characters of stored JSON shown on each side of the cited ones


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the template shows of a source; `before` and `after` are cut for structured records."""

    before: str
    quote: str
    after: str
    cut_before: bool
    cut_after: bool
    lines: list[Line]


@require_safe
def source(request: HttpRequest, patient_id: UUID, resource_type: str, logical_id: str, version: str) -> HttpResponse:
    """Show one stored version with [start, end) of its part highlighted; decided and audited each time."""
    user = cast("User", request.user)
    part, start, end = _asked_for(request)
    if not (_ID.fullmatch(logical_id) and _TYPE.fullmatch(resource_type) and _VERSION.fullmatch(version)):
        raise NotHeldError  # nothing is held under such a name, and it must not reach the trail
    reference = f"{resource_type}/{logical_id}"
    now = timezone.now()
    grant = grant_access(user, patient_id, action="source.view", now=now)
    record_read(grant, action="source.view", now=now, resource=reference, version=version, start=start, end=end)
    view = source_view(grant, reference, version, part, start, end)
    context = {
        "view": view,
        "shown": _shown(view),
        "paged": _pages(grant, view, resource_type),
        "relatives": _relatives(grant, reference, version) if resource_type == "DocumentReference" else [],
        "kind": type_words(resource_type),
        "is_structured": part is Part.JSON,
    }
    if is_fragment(request):
        return render(request, "source/_source.html", context)
    return render(request, "source/page.html", context | identity(grant))


def _relatives(grant: AccessGrant, reference: str, version: str) -> list[tuple[Relative, str]]:
    """Return the addenda of a document, or what it adds to, each with its address."""
    found = relatives_of(grant, version_of(grant, reference, version))
    return [(one, version_url(grant.patient_id, one.resource, one.version)) for one in found]


def _asked_for(request: HttpRequest) -> tuple[Part, int, int]:
    """Read the span asked for; without one, the start of the narrative.

    Raises:
        NotHeldError: not a part and two offsets.
    """
    try:
        part = Part(request.GET.get("part", Part.TEXT))
        start, end = int(request.GET.get("start", "0")), int(request.GET.get("end", "0"))
    except ValueError:
        raise NotHeldError from None
    return part, start, end


def _pages(grant: AccessGrant, view: SourceView, resource_type: str) -> PagesShown | None:
    """Return the pages of a document that was read from a file with pages."""
    if view.part is not Part.TEXT or resource_type not in _PAGED:
        return None
    return shown_pages(view, pages_of(resource_of(version_of(grant, view.resource, view.version))))


def _shown(view: SourceView) -> _Shown:
    if view.part is Part.TEXT:
        return _Shown(view.before, view.quote, view.after, cut_before=False, cut_after=False, lines=[])
    return _Shown(
        before=view.before[-WINDOW:],
        quote=view.quote,
        after=view.after[:WINDOW],
        cut_before=len(view.before) > WINDOW,
        cut_after=len(view.after) > WINDOW,
        lines=readable(view.before + view.quote + view.after, len(view.before), len(view.before) + len(view.quote)),
    )
