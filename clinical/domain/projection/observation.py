"""Observation to rows: one for the observation, one more for each component."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.domain.projection.dates import lower_bound
from clinical.domain.projection.elements import (
    Concept,
    Path,
    Resource,
    as_dict,
    as_list,
    as_str,
    choice,
    concept,
    first_code,
    reference_text,
    references,
    resolve,
)
from clinical.domain.projection.rows import Component, ObservationRow
from clinical.domain.projection.values import read_value, reference_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Words of specimen types and of LOINC's "system" part, long and short names (from memory).
_SAMPLES: Final = (
    ("urine", re.compile(r"\b(?:urine|urinary|ur|u(?!/))\b", re.IGNORECASE)),
    ("csf", re.compile(r"\b(?:csf|cerebral spinal fluid|cerebrospinal)\b", re.IGNORECASE)),
    ("stool", re.compile(r"\b(?:stool|faec\w+|fec(?:al|es)|stl)\b", re.IGNORECASE)),
    ("saliva", re.compile(r"\b(?:saliva|sputum)\b", re.IGNORECASE)),
    ("swab", re.compile(r"\b(?:swab|nasopharyn\w+|throat|npl?h)\b", re.IGNORECASE)),
    (
        "fluid",
        re.compile(r"\b(?:body fluid|synovial|pleural|ascit\w+|peritoneal|dialysis fluid)\b", re.IGNORECASE),
    ),
    (
        "blood",
        re.compile(
            r"\b(?:blood|serum|plasma|serpl\w*|ser|plas|bld\w*|rbc|venous|arterial|capillary)\b",
            re.IGNORECASE,
        ),
    ),
)


def project_observation(resource: Resource, related: Mapping[str, Resource]) -> list[ObservationRow]:
    """Return the rows of an Observation; component rows carry the panel's name in `panel`."""
    about = concept(resource.get("code"))
    specimen = resolve(resource, resource.get("specimen"), related)
    specimen_words = (reference_text(resource.get("specimen")), *concept(specimen.get("type")).names)
    components = []
    rows = []
    for index, item in enumerate(map(as_dict, as_list(resource.get("component")))):
        part = concept(item.get("code"))
        if not part.text:
            continue
        row = _row(resource, item, part, ("component", index), panel=about.text, specimen=specimen_words)
        rows.append(row)
        components.append(
            Component(codes=part.codes, names=part.names, text=part.text, value=row.value, absent=row.absent),
        )
    whole = _row(resource, resource, about, (), components=tuple(components), specimen=specimen_words)
    return [whole, *rows]


def _row(
    resource: Resource,
    element: Resource,
    about: Concept,
    base: Path,
    *,
    components: tuple[Component, ...] = (),
    panel: str = "",
    specimen: Iterable[str] = (),
) -> ObservationRow:
    value, value_path = read_value(element)
    effective, effective_path = choice(
        resource,
        "effectiveDateTime",
        "effectiveInstant",
        "effectivePeriod",
        "effectiveTiming",
        "issued",
    )
    absent = concept(element.get("dataAbsentReason")).text
    bearer: Path = value_path or (("component",) if components else ("dataAbsentReason",) if absent else ("code",))
    return ObservationRow(
        resource_type="Observation",
        status=as_str(resource.get("status")) or "unknown",
        codes=about.codes,
        names=about.names,
        text=about.text or "Observation without a name",
        effective=effective,
        effective_path=effective_path,
        effective_sort=lower_bound(effective),
        anchor=base + bearer if bearer[0] in element else base,
        name_path=(*base, "code") if "code" in element else (),
        value=value,
        absent=absent,
        ranges=reference_ranges(element.get("referenceRange")),
        interpretation=tuple(filter(None, map(first_code, as_list(element.get("interpretation"))))),
        categories=tuple(filter(None, map(first_code, as_list(resource.get("category"))))),
        sample=sample_of((*specimen, *about.names)),
        components=components,
        panel=panel,
        method=concept(resource.get("method")).text,
        issued=as_str(resource.get("issued")),
        based_on=references(resource.get("basedOn")),
    )


def sample_of(words: Iterable[str]) -> str:
    """Return what was examined, as said by specimen or test names; the first text that says it wins."""
    for text in words:
        for sample, pattern in _SAMPLES:
            if pattern.search(text):
                return sample
    return ""
