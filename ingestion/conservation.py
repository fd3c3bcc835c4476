"""Nothing lost, nothing twice: received = applied + unchanged + superseded + unassigned + quarantined.

Asked of the ledger, for each door and minute. Two errors in one minute could make its sums agree, so each
job is looked at by itself too: its counts against each other, its cursor, and the rows of its held items.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMinute

from ingestion.models import IngestJob, QuarantinedItem, Resolution, UnassignedItem

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

STATES: Final = ("stored", "unchanged", "superseded", "unassigned", "quarantined")
MOST_BROKEN: Final = 200
# An erasure takes the rows of what it takes out of a file, and leaves the counts.
_ERASED: Final = ("original-erased", "original-rewritten")


@dataclass(frozen=True, slots=True)
class Minute:
    """The ledger of one door in one minute; over all doors and minutes where `door` is "" and `minute` None.

    `applied` is what took effect. `waiting` jobs have counted nothing yet, `running` ones as far as they have come.
    `dismissed` items are among the unassigned and quarantined.
    """

    door: str
    minute: datetime | None
    jobs: int
    waiting: int
    running: int
    failed: int
    received: int
    applied: int
    unchanged: int
    superseded: int
    unassigned: int
    quarantined: int

    @property
    def difference(self) -> int:
        """Received less the sum of the others: 0 when nothing is lost and nothing counted twice."""
        return self.received - (self.applied + self.unchanged + self.superseded + self.unassigned + self.quarantined)


@dataclass(frozen=True, slots=True)
class Broken:
    """A job whose counts do not hold; `faults` are codes."""

    job: int
    door: str
    received: int
    counted: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conservation:
    """The answer. `minutes` are the newest first, `broken` at most the first 200 jobs."""

    total: Minute
    minutes: list[Minute]
    broken: list[Broken]
    dismissed: int = 0
    doors: list[Minute] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every job, every minute and the whole are exact."""
        return not self.broken and all(not one.difference for one in (self.total, *self.doors, *self.minutes))

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `manage.py conservation --json`; times with their zone."""
        return {
            "holds": self.holds,
            "total": _as_json(self.total),
            "doors": [_as_json(one) for one in self.doors],
            "minutes": [_as_json(one) for one in self.minutes],
            "dismissed": self.dismissed,
            "broken": [asdict(one) for one in self.broken],
        }


def conservation(*, since: datetime | None = None, most_minutes: int | None = None) -> Conservation:
    """Ask the ledger.

    Args:
        since: only jobs received from then on (timezone-aware); all when None. Broken ones are looked for among all.
        most_minutes: how many of the newest minutes to list.
    """
    jobs = IngestJob.objects.all() if since is None else IngestJob.objects.filter(created_at__gte=since)
    timed: QuerySet[Any] = jobs.annotate(minute=TruncMinute("created_at"))
    by_minute = _summed(timed, "feed", "minute").order_by("-minute", "feed")
    rows = list(by_minute if most_minutes is None else by_minute[:most_minutes])
    return Conservation(
        total=_minute(jobs.aggregate(**_sums())),
        minutes=[_minute(row) for row in rows],
        broken=_broken(),
        dismissed=sum(
            table.objects.filter(resolution=Resolution.DISMISSED).count() for table in (UnassignedItem, QuarantinedItem)
        ),
        doors=[_minute(row) for row in _summed(jobs, "feed").order_by("feed")],
    )


def _sums() -> dict[str, Any]:
    state = IngestJob.State
    return {
        "jobs": Count("pk"),
        "waiting": Count("pk", filter=Q(state=state.RECEIVED)),
        "running": Count("pk", filter=Q(state=state.RUNNING)),
        "failed": Count("pk", filter=Q(state=state.FAILED)),
    } | {f"sum_{name}": Sum(name, default=0) for name in ("received", *STATES)}


def _summed(jobs: QuerySet[Any], *by: str) -> QuerySet[Any, dict[str, Any]]:
    summed: QuerySet[Any, dict[str, Any]] = jobs.order_by().values(*by).annotate(**_sums())
    return summed


def _minute(row: dict[str, Any]) -> Minute:
    return Minute(
        door=row.get("feed", ""),
        minute=row.get("minute"),
        **{name: row[name] for name in ("jobs", "waiting", "running", "failed")},
        received=row["sum_received"],
        applied=row["sum_stored"],
        **{name: row[f"sum_{name}"] for name in STATES[1:]},
    )


def _broken() -> list[Broken]:
    """Return the jobs whose counts do not hold.

    The rows of held items are counted for jobs that have or say that they have some: a few among all.
    """
    sums = IngestJob.objects.filter(~Q(received=_counted()) | ~Q(cursor=F("received")))
    found = {job.pk: _broken_job(job) for job in sums.defer("name").order_by("pk")[:MOST_BROKEN]}
    said = Q(unassigned__gt=0) | Q(quarantined__gt=0)
    held = [Q(pk__in=table.objects.order_by().values("job")) for table in (UnassignedItem, QuarantinedItem)]
    rows = IngestJob.objects.filter(said | held[0] | held[1]).annotate(
        unassigned_rows=_rows(UnassignedItem.objects.exclude(resolution=Resolution.ASSIGNED)),
        quarantined_rows=_rows(QuarantinedItem.objects.all()),
    )
    kept = ~Q(error__in=_ERASED)
    for name in ("unassigned", "quarantined"):
        wrong = rows.filter(Q(**{f"{name}__lt": F(f"{name}_rows")}) | (kept & Q(**{f"{name}__gt": F(f"{name}_rows")})))
        for job in wrong.defer("name").order_by("pk")[:MOST_BROKEN]:
            earlier = found.get(job.pk) or _broken_job(job)
            found[job.pk] = replace(earlier, faults=(*earlier.faults, f"{name}-rows"))
    return [found[pk] for pk in sorted(found)][:MOST_BROKEN]


def _counted() -> Combinable:
    total: Combinable = F(STATES[0])
    for name in STATES[1:]:
        total += F(name)
    return total


def _rows(items: QuerySet[Any]) -> Coalesce:
    of_job = items.filter(job=OuterRef("pk")).order_by().values("job").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(of_job, output_field=IntegerField()), 0)


def _broken_job(job: IngestJob) -> Broken:
    counted = sum(getattr(job, name) for name in STATES)
    faults = (
        ("lost", job.received > counted),
        ("counted-twice", job.received < counted),
        ("cursor", job.cursor != job.received),
    )
    return Broken(job.pk, job.feed, job.received, counted, tuple(code for code, wrong in faults if wrong))


def _as_json(one: Minute) -> dict[str, Any]:
    shape = asdict(one) | {"minute": None if one.minute is None else one.minute.isoformat()}
    return shape | {"difference": one.difference}
