"""Every operation of the API, once: addresses, checks and the OpenAPI document are made from this list."""

from __future__ import annotations

from typing import Any, Final

from clinical.api import asking, charts, ingest, shapes
from clinical.api.operation import Operation, Parameter
from clinical.api.rows import KINDS

LONGEST_PART: Final = 10**9  # more code points than a part can have
_FIRST = Parameter("first", "How many to pass over.", default=0, most=10**6)
_PART = Parameter("part", "In which part the offsets count.", default="text", choices=("text", "json"))

PATHS: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "patient_id": ("uuid", {"type": "string", "format": "uuid"}, "The patient's opaque id."),
    "question_id": ("uuid", {"type": "string", "format": "uuid"}, "A question of the caller's own."),
    "kind": ("str", {"type": "string", "enum": sorted(KINDS)}, "The kind of facts."),
    "resource_type": ("str", {"type": "string", "pattern": "^[A-Za-z]{1,64}$"}, "The type of a FHIR R4 resource."),
    "logical_id": ("str", {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}, "Its id."),
    "version": ("str", {"type": "string", "pattern": "^[0-9]{1,9}$"}, "The number of its version here."),
}

OPERATIONS: Final = (
    Operation(
        name="findPatients",
        method="POST",
        path="patients/search",
        scope="patients",
        view=charts.patients,
        body=shapes.Search,
        reply=shapes.Patients,
        about="Find the caller's own patients",
        words="The words travel in the body: no address and no log holds a name.",
    ),
    Operation(
        name="ask",
        method="POST",
        path="patients/{patient_id}/questions",
        scope="ask",
        view=asking.ask,
        body=shapes.Asking,
        reply=shapes.Question,
        status=201,
        about="Ask about a patient",
        words="The question is taken; its answer comes from the addresses in the reply.",
    ),
    Operation(
        name="getAnswer",
        method="GET",
        path="questions/{question_id}/answer",
        scope="ask",
        view=asking.whole,
        reply=shapes.Answer,
        about="Get the whole answer",
        words="The first call answers the question and may take seconds; later ones repeat the stored answer.",
    ),
    Operation(
        name="streamAnswer",
        method="GET",
        path="questions/{question_id}/events",
        scope="ask",
        view=asking.stream,
        reply=None,
        about="Get the answer as it comes",
        words="Server-sent events with JSON data: " + ", ".join(asking.EVENTS) + ".",
    ),
    Operation(
        name="getChart",
        method="GET",
        path="patients/{patient_id}/chart",
        scope="chart",
        view=charts.chart,
        reply=shapes.Chart,
        about="Get the chart",
        words="Banner, problems, medications, newest results and vital signs, each with its citations.",
    ),
    Operation(
        name="getFacts",
        method="GET",
        path="patients/{patient_id}/facts/{kind}",
        scope="chart",
        view=charts.facts,
        reply=shapes.Facts,
        about="Get the facts of one kind",
        words="Every current fact, newest first, with its citations; what was entered in error is none.",
        parameters=(_FIRST, Parameter("limit", "How many at most.", default=100, least=1, most=500)),
    ),
    Operation(
        name="getSource",
        method="GET",
        path="patients/{patient_id}/sources/{resource_type}/{logical_id}/{version}",
        scope="sources",
        view=charts.source,
        reply=shapes.SourceText,
        about="Get the exact words of a citation",
        words="Offsets count Unicode code points of the part, as in every citation.",
        parameters=(
            _PART,
            Parameter("start", "Where the words begin.", default=0, most=LONGEST_PART),
            Parameter("end", "Where they end; at their beginning when left out.", most=LONGEST_PART),
            Parameter("context", "How many code points to show on each side.", default=240, most=LONGEST_PART),
        ),
    ),
    Operation(
        name="getIngestStatus",
        method="GET",
        path="ingest/status",
        scope="ingest",
        view=ingest.status,
        reply=shapes.IngestStatus,
        about="Get where everything that came in went",
        words="For operators. Counts, reason codes and times only.",
    ),
    Operation(
        name="listIngestJobs",
        method="GET",
        path="ingest/jobs",
        scope="ingest",
        view=ingest.jobs,
        reply=shapes.Jobs,
        about="List received files and messages",
        words="For operators. The newest first.",
        parameters=(
            Parameter("limit", "How many at most.", default=50, least=1, most=500),
            Parameter("before", "Only jobs with a smaller id.", least=1, most=10**12 - 1),
        ),
    ),
)
